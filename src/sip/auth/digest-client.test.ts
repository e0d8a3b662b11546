import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerChallenge } from './digest-client.ts'
import { parseDigest } from './digest-text.ts'

const answer = (...challenges: string[]) => {
  const credentials = { username: 'bob', password: 'secret' }
  const header = answerChallenge({ challenges, method: 'INVITE', uri: 'sip:a@host', credentials, nonceCount: 10 })
  return header === undefined ? undefined : parseDigest(header)
}

const challenge = (algorithm: string, more = ', qop="auth"') =>
  `Digest realm="r", nonce="${algorithm}"${algorithm === '' ? '' : `, algorithm=${algorithm}`}${more}`

const chosen = (...algorithms: string[]) => answer(...algorithms.map((name) => challenge(name)))?.get('nonce')

test('the strongest challenge that is known is answered (RFC 8760 §2.4)', () => {
  assert.equal(chosen('MD5', 'SHA-256', 'SHA-512-256'), 'SHA-512-256')
  assert.equal(chosen('MD5', 'sha-256'), 'sha-256')
  assert.equal(chosen('SHA-3-NEW', 'MD5'), 'MD5')
  assert.equal(chosen('SHA-256', 'SHA-256-sess'), 'SHA-256', 'of equals the one that stands first')
})

test('without algorithm it is MD5, and the answer names none either', () => {
  const params = answer(challenge(''))

  assert.equal(params?.get('response')?.length, 32)
  assert.equal(params.has('algorithm'), false)
})

test('the nonce count has eight hexadecimal digits', () => {
  assert.equal(answer(challenge('MD5'))?.get('nc'), '0000000a')
})

test('without qop neither count nor client nonce is sent (RFC 2069)', () => {
  const params = answer(challenge('MD5', ''))

  assert.equal(params?.has('nc'), false)
  assert.equal(params?.has('cnonce'), false)
})

test('auth-int is answered when nothing else is offered', () => {
  assert.equal(answer(challenge('MD5', ', qop="auth-int"'))?.get('qop'), 'auth-int')
})

test('nothing is answered when no challenge is understood', () => {
  assert.equal(answer(), undefined)
  assert.equal(answer('Basic realm="r"', challenge('SHA-3-NEW'), challenge('MD5', ', qop="token"')), undefined)
  assert.equal(answer('Digest realm="r"'), undefined)
})

test('a quote in a user name cannot add a parameter', () => {
  const credentials = { username: 'bob", realm="other', password: 'secret' }
  const header = answerChallenge({
    challenges: [challenge('MD5')],
    method: 'X',
    uri: 'sip:h',
    credentials,
    nonceCount: 1,
  })

  assert.equal(parseDigest(header ?? '')?.get('username'), credentials.username)
  assert.equal(parseDigest(header ?? '')?.get('realm'), 'r')
})
