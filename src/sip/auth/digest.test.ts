import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { DigestVerifier, digestHashes } from './digest.ts'
import { answerChallenge } from './digest-client.ts'
import { NonceCounts, NonceMint } from './nonce.ts'

const users = new Map([['101', digestHashes('101', 'patchbay', 'secret')]])
const asked = { method: 'INVITE', requestUri: 'sip:102@host' }

function setUp(options: { maxNonces?: number } = {}) {
  const clock = new FakeClock()
  const verifier = new DigestVerifier({ realm: 'patchbay', clock, ...options })
  const verify = (header: string | readonly string[] | undefined, changes: Partial<typeof asked> = {}) => {
    const result = verifier.verify({ ...asked, ...changes, header, hashesOf: (name) => users.get(name) })
    return result.ok ? 'ok' : result.reason
  }
  return { clock, verifier, verify }
}

interface Client {
  readonly username?: string
  readonly password?: string
  readonly nonceCount?: number
  readonly uri?: string
}

function respond(challenges: readonly string[], client: Client = {}): string {
  const { username = '101', password = 'secret', nonceCount = 1, uri = asked.requestUri } = client
  const header = answerChallenge({ challenges, method: 'INVITE', uri, credentials: { username, password }, nonceCount })
  assert.ok(header)
  return header
}

test('SHA-256 is offered first, then MD5, both with qop, and both are taken (RFC 8760 §2.1)', () => {
  const { verifier, verify } = setUp()
  const challenges = verifier.challenges()

  assert.match(challenges[0] ?? '', /^Digest realm="patchbay", nonce="[^"]+", algorithm=SHA-256, qop="auth"$/)
  assert.match(challenges[1] ?? '', /algorithm=MD5, qop="auth"$/)
  assert.equal(verify(respond(challenges)), 'ok')
  assert.equal(verify(respond(verifier.challenges().slice(1))), 'ok')
  assert.match(verifier.challenges({ stale: true })[0] ?? '', /, stale=true$/)
})

test('the right line is found among those for other realms', () => {
  const { verifier, verify } = setUp()
  const other = respond(['Digest realm="elsewhere", nonce="n"'])

  assert.equal(verify(other), 'missing')
  assert.equal(verify([other, respond(verifier.challenges())]), 'ok')
  assert.equal(verify(undefined), 'missing')
  assert.equal(verify([]), 'missing')
  assert.equal(verify('Basic MTAxOnNlY3JldA=='), 'missing')
})

test('an unknown user and a wrong password look alike', () => {
  const { verifier, verify } = setUp()

  assert.equal(verify(respond(verifier.challenges(), { password: 'guess' })), 'wrong')
  assert.equal(verify(respond(verifier.challenges(), { username: '999' })), 'wrong')
})

test('hashes made for another realm open nothing', () => {
  const { verifier } = setUp()
  const header = respond(verifier.challenges())
  const result = verifier.verify({ ...asked, header, hashesOf: () => digestHashes('101', 'old-realm', 'secret') })

  assert.deepEqual(result, { ok: false, reason: 'wrong', username: '101', proven: true })
})

test('a nonce that was made for another source is stale, and a wrong answer with it proves nothing', () => {
  const { verifier } = setUp()
  const ask = (header: string | undefined, source: string, password = 'secret') =>
    verifier.verify({ ...asked, header, source, hashesOf: () => digestHashes('101', 'patchbay', password) })
  const header = respond(verifier.challenges({ source: '192.0.2.1' }))
  const stale = { ok: false, reason: 'stale', username: '101' }
  const wrong = { ok: false, reason: 'wrong', username: '101', proven: false }

  assert.deepEqual(ask(header, '192.0.2.2'), stale)
  assert.deepEqual(ask(header, '192.0.2.2', 'another'), wrong)
  assert.deepEqual(ask(header, '192.0.2.1'), { ok: true, username: '101' })
})

test('a nonce serves 60 s, then the answer is stale when it is right and wrong when it is not', () => {
  const { clock, verifier, verify } = setUp()
  const challenges = verifier.challenges()
  clock.advance(60_000)
  assert.equal(verify(respond(challenges)), 'ok')
  clock.advance(1)

  assert.equal(verify(respond(challenges, { nonceCount: 2 })), 'stale')
  assert.equal(verify(respond(challenges, { password: 'guess' })), 'wrong')
})

test('a nonce of another process is stale, so that phones go on after a restart', () => {
  const before = setUp()
  const after = setUp()

  assert.equal(after.verify(respond(before.verifier.challenges())), 'stale')
})

test('a nonce changed in any character is not ours', () => {
  const mint = new NonceMint('patchbay')
  const nonce = mint.make(1_234.5)

  assert.equal(mint.madeAt(nonce), 1_234)
  for (let at = 0; at < nonce.length; at++) {
    const changed = `${nonce.slice(0, at)}${nonce[at] === 'x' ? 'y' : 'x'}${nonce.slice(at + 1)}`
    assert.equal(mint.madeAt(changed), undefined)
  }
  for (const text of ['', '.', '..', 'x', nonce.slice(0, -1), `${nonce}x`]) assert.equal(mint.madeAt(text), undefined)
  assert.equal(new NonceMint('patchbay').madeAt(nonce), undefined)
})

test('a captured answer is refused the second time (RFC 7616 §5.6)', () => {
  const { verifier, verify } = setUp()
  const header = respond(verifier.challenges())

  assert.equal(verify(header), 'ok')
  assert.equal(verify(header), 'replayed')
})

test('counts may come swapped, each once', () => {
  const { verifier, verify } = setUp()
  const challenges = verifier.challenges()
  const results = [1, 3, 1, 2, 3, 2, 40, 39, 8, 9].map((nonceCount) => verify(respond(challenges, { nonceCount })))

  assert.deepEqual(results.slice(0, 6), ['ok', 'ok', 'replayed', 'ok', 'replayed', 'replayed'])
  assert.deepEqual(results.slice(6), ['ok', 'ok', 'replayed', 'ok'])
})

test('an answer for another method or callee is wrong; another host or port of the same callee is not', () => {
  const { verifier, verify } = setUp()

  assert.equal(verify(respond(verifier.challenges()), { method: 'REGISTER' }), 'wrong')
  assert.equal(verify(respond(verifier.challenges()), { requestUri: 'sip:00900123456@host' }), 'wrong')
  assert.equal(verify(respond(verifier.challenges(), { uri: 'sip:102@proxy:5062;transport=tcp' })), 'ok')
})

test('a client that signs the server without a user may call anybody, once a count', () => {
  const { verifier, verify } = setUp()
  const header = respond(verifier.challenges(), { uri: 'sip:192.0.2.1:5060' })

  assert.equal(verify(header), 'ok')
  assert.equal(verify(header, { requestUri: 'sip:00900123456@host' }), 'replayed')
  assert.equal(verify(respond(verifier.challenges(), { uri: 'no uri' })), 'wrong')
})

test('an answer without qop is taken once a nonce', () => {
  const { verifier, verify } = setUp()
  const challenges = verifier.challenges().map((challenge) => challenge.replace(', qop="auth"', ''))

  assert.equal(verify(respond(challenges)), 'ok')
  assert.equal(verify(respond(challenges)), 'replayed')
})

test('auth-int covers the body', () => {
  const { verifier } = setUp()
  const challenges = verifier.challenges().map((challenge) => challenge.replace('"auth"', '"auth-int"'))
  const body = Buffer.from('v=0\r\n')
  const credentials = { username: '101', password: 'secret' }
  const sign = (nonceCount: number) =>
    answerChallenge({ challenges, method: 'INVITE', uri: asked.requestUri, credentials, nonceCount, body })
  const verify = (header: string | undefined, received: Buffer) =>
    verifier.verify({ ...asked, header, body: received, hashesOf: (name) => users.get(name) }).ok

  assert.equal(verify(sign(1), body), true)
  assert.equal(verify(sign(2), Buffer.from('v=1\r\n')), false)
})

test('answers that are not in the shape we asked for are malformed', () => {
  const { verifier, verify } = setUp()
  const good = respond(verifier.challenges())

  for (const bad of [
    good.replace(/username="[^"]*", /, ''),
    good.replace(/, nc=\w+/, ''),
    good.replace(/nc=\w+/, 'nc=1'),
    good.replace(/, cnonce="[^"]*"/, ''),
    good.replace('qop=auth', 'qop=other'),
    good.replace('algorithm=SHA-256', 'algorithm=SHA-256-sess'),
    good.replace('algorithm=SHA-256', 'algorithm=SHA-512-256'),
    good.replace('algorithm=SHA-256', 'algorithm=NONE'),
  ]) {
    assert.notEqual(bad, good)
    assert.equal(verify(bad), 'malformed', bad)
  }
})

test('strangers leave nothing behind, and nonces of users are forgotten when they are stale', () => {
  const { clock, verifier, verify } = setUp()
  for (let guess = 0; guess < 100; guess++) verify(respond(verifier.challenges(), { password: `${guess}` }))
  assert.equal(verifier.noncesInUse, 0)

  for (let call = 0; call < 100; call++) verify(respond(verifier.challenges()))
  assert.equal(verifier.noncesInUse, 100)
  clock.advance(61_000)
  verify(respond(verifier.challenges()))
  assert.equal(verifier.noncesInUse, 1)
})

test('forgetting a nonce for want of room does not make a replay possible', () => {
  const { clock, verifier, verify } = setUp({ maxNonces: 2 })
  const first = respond(verifier.challenges())
  assert.equal(verify(first), 'ok')
  for (let call = 0; call < 2; call++) {
    clock.advance(10)
    assert.equal(verify(respond(verifier.challenges())), 'ok')
  }

  assert.equal(verifier.noncesInUse, 2)
  assert.equal(verify(first), 'replayed')
})

test('counts far apart do not confuse the window', () => {
  const counts = new NonceCounts()
  const results = [1, 32, 33, 1, 2, 0xffffffff, 0xfffffffe, 33].map((count) => counts.take('n', count, 0))

  assert.deepEqual(results, [true, true, true, false, true, true, true, false])
})
