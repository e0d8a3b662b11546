import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequest, createResponse } from '../message/build.ts'
import { ChallengeAnswers } from './challenge-answers.ts'
import { parseDigest, userhashOf } from './digest-text.ts'

const request = () => createRequest('INVITE', 'sip:b@example.com', [['To', '<sip:b@example.com>']])

const digest = (realm: string, nonce: string, more = '') =>
  `Digest realm="${realm}", nonce="${nonce}", algorithm=MD5, qop="auth"${more}`

const challenged = (status: 401 | 407, ...lines: string[]) =>
  createResponse(request(), status, {
    headers: { [status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate']: lines },
  })

const answers = () => new ChallengeAnswers({ username: 'bob', password: 'secret' })

/** `realm nonce nc` of each answer in that header. */
function signed(by: ChallengeAnswers, header: string): string[] {
  const again = request()
  by.sign(again)
  return again.headers.all(header).map((line) => {
    const params = parseDigest(line)
    return `${params?.get('realm')} ${params?.get('nonce')} ${params?.get('nc')}`
  })
}

test('a proxy and the server behind it are both answered; the nonce of the first is counted up (RFC 3261 §22.3)', () => {
  const by = answers()
  assert.ok(by.take(challenged(407, digest('proxy', 'p'))))
  assert.deepEqual(signed(by, 'Proxy-Authorization'), ['proxy p 00000001'])
  assert.ok(by.take(challenged(401, digest('server', 's'))))
  assert.deepEqual(signed(by, 'Authorization'), ['server s 00000001'])
  assert.deepEqual(signed(by, 'Proxy-Authorization'), ['proxy p 00000003'])
})

test('each realm of one answer gets one line, by its strongest algorithm', () => {
  const by = answers()
  const strong = digest('one', 'strong').replace('MD5', 'SHA-256')
  assert.ok(by.take(challenged(407, digest('one', 'weak'), strong, digest('two', 'b'))))
  assert.deepEqual(signed(by, 'Proxy-Authorization'), ['one strong 00000001', 'two b 00000001'])
})

test('a refused answer is not repeated, unless only the nonce was old; not for ever', () => {
  const wrong = answers()
  assert.ok(wrong.take(challenged(401, digest('r', '1'))))
  assert.equal(wrong.take(challenged(401, digest('r', '2'))), false)
  const old = answers()
  const rounds = [1, 2, 3, 4, 5, 6].map((round) => old.take(challenged(401, digest('r', `${round}`, ', stale=TRUE'))))
  assert.deepEqual(rounds, [true, true, true, true, false, false])
})

test('nothing to answer: no second try', () => {
  assert.equal(answers().take(challenged(401)), false)
  assert.equal(answers().take(challenged(401, 'Basic realm="r"')), false)
  assert.equal(answers().take(createResponse(request(), 403)), false)
})

test('another server is asked without the answers to this one', () => {
  const by = answers()
  by.take(challenged(401, digest('r', '1')))
  const again = request()
  by.sign(again)
  by.forget(again.headers)
  assert.equal(again.headers.has('Authorization'), false)
  assert.deepEqual(signed(by, 'Authorization'), [])
})

test('a user name is hidden where the server offers that (RFC 7616 §3.4.4)', () => {
  const by = answers()
  by.take(challenged(401, digest('r', '1', ', userhash=true')))
  const again = request()
  by.sign(again)
  const params = parseDigest(again.headers.get('Authorization') ?? '')
  assert.equal(params?.get('username'), userhashOf('MD5', 'bob', 'r'))
  assert.equal(params.get('userhash'), 'true')
})
