import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { DigestVerifier, digestHashes } from './digest.ts'
import { answerChallenge } from './digest-client.ts'

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
