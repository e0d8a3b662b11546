import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { DigestVerifier, type DigestVerifierOptions, digestHashes } from './digest.ts'
import { answerChallenge } from './digest-client.ts'
import { userhashOf } from './digest-text.ts'

const credentials = { username: '101', password: 'open sesame' }
const asked = { method: 'REGISTER', uri: 'sip:pbx', nonceCount: 1 }

const hashesOf = () => digestHashes('101', 'patchbay', 'open sesame')

function verify(verifier: DigestVerifier, header: string | undefined) {
  return verifier.verify({ header, method: asked.method, requestUri: asked.uri, hashesOf })
}

test('SHA-256 and MD5 are offered unless told otherwise, SHA-256 first (RFC 8760 §2.1)', () => {
  const challenges = new DigestVerifier({ realm: 'patchbay', clock: new FakeClock() }).challenges()

  assert.deepEqual(
    challenges.map((challenge) => /algorithm=([\w-]+)/.exec(challenge)?.[1]),
    ['SHA-256', 'MD5'],
  )
})

test('MD5 alone can be offered, for phones that give up when they see SHA-256', () => {
  const verifier = new DigestVerifier({ realm: 'patchbay', clock: new FakeClock(), algorithms: ['MD5'] })
  const challenges = verifier.challenges()

  assert.equal(challenges.length, 1)
  assert.deepEqual(verify(verifier, answerChallenge({ ...asked, challenges, credentials })), {
    ok: true,
    username: '101',
  })
})

test('an answer by an algorithm that was not offered is not taken', () => {
  const verifier = new DigestVerifier({ realm: 'patchbay', clock: new FakeClock(), algorithms: ['SHA-256'] })
  const challenges = verifier.challenges().map((challenge) => challenge.replace('SHA-256', 'MD5'))

  assert.deepEqual(verify(verifier, answerChallenge({ ...asked, challenges, credentials })), {
    ok: false,
    reason: 'malformed',
  })
})

const offering = (options: Partial<DigestVerifierOptions>) =>
  new DigestVerifier({ realm: 'patchbay', clock: new FakeClock(), ...options })

for (const algorithm of ['SHA-512-256', 'SHA-512-256-sess', 'SHA-256-sess', 'MD5-sess'] as const)
  test(`${algorithm} is taken where it is offered, and a wrong password is not (RFC 7616 §3.4)`, () => {
    const verifier = offering({ algorithms: [algorithm] })
    const challenges = verifier.challenges()
    assert.match(challenges[0] ?? '', new RegExp(`algorithm=${algorithm},`))
    assert.ok(verify(verifier, answerChallenge({ ...asked, challenges, credentials })).ok)
    const wrong = { username: '101', password: 'guess' }
    const refused = verify(verifier, answerChallenge({ ...asked, challenges, credentials: wrong, nonceCount: 2 }))
    assert.equal(refused.ok ? 'ok' : refused.reason, 'wrong')
  })

test('a password that was kept before SHA-512-256 was known is wrong by it, and right by the others', () => {
  const { sha512: _unknown, ...old } = hashesOf()
  const verifier = offering({ algorithms: ['SHA-512-256', 'MD5'] })
  const answerTo = (challenges: readonly string[]) => {
    const header = answerChallenge({ ...asked, challenges, credentials })
    return verifier.verify({ header, method: asked.method, requestUri: asked.uri, hashesOf: () => old }).ok
  }
  assert.equal(answerTo(verifier.challenges()), false)
  assert.equal(answerTo(verifier.challenges().slice(1)), true)
})

test('auth-int protects the body', () => {
  const verifier = offering({ qop: ['auth-int'] })
  const challenges = verifier.challenges()
  const body = Buffer.from('v=0')
  const header = answerChallenge({ ...asked, challenges, credentials, body })
  const question = { header, method: asked.method, requestUri: asked.uri, hashesOf }
  assert.match(header ?? '', /qop=auth-int/)
  assert.equal(verifier.verify({ ...question, body: Buffer.from('v=1') }).ok, false)
  assert.equal(verifier.verify({ ...question, body }).ok, true)
})

const named = (username: string) => (username === '101' ? hashesOf() : undefined)

test('a hashed user name is found by its hash, and is nobody where it is not (RFC 7616 §3.4.4)', () => {
  const verifier = offering({ userhash: true })
  const challenges = verifier.challenges()
  assert.match(challenges[0] ?? '', /userhash=true/)
  const header = answerChallenge({ ...asked, challenges, credentials })
  assert.doesNotMatch(header ?? '', /"101"/)
  const known = userhashOf('SHA-256', '101', 'patchbay')
  const question = { header, method: asked.method, requestUri: asked.uri }
  assert.equal(verifier.verify({ ...question, hashesOf: named }).ok, false)
  assert.deepEqual(
    verifier.verify({ ...question, hashesOf: named, userOf: (hash) => (hash === known ? '101' : undefined) }),
    { ok: true, username: '101' },
  )
})
