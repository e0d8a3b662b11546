import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longerExpiresS, retryAfterMs } from './ask-again.ts'
import { createRequest, createResponse } from './build.ts'

const request = createRequest('REGISTER', 'sip:example.com', [])
const answer = (status: number, headers: Record<string, string>) => createResponse(request, status, { headers })

test('423 is heeded when it asks for more, up to a week (RFC 3261 §10.2.8)', () => {
  const asks = (leastS: string, status = 423) => longerExpiresS(answer(status, { 'Min-Expires': leastS }), 60)
  assert.equal(asks('61'), 61)
  assert.equal(asks('604800'), 604_800)
  for (const vain of ['60', '0', '604801', '4294967295', 'soon', '-90', '']) assert.equal(asks(vain), undefined, vain)
  assert.equal(asks('61', 200), undefined)
  assert.equal(longerExpiresS(answer(423, {}), 60), undefined)
})

test('Retry-After is read with its comment and its parameters (RFC 3261 §20.33)', () => {
  const after = (text: string) => retryAfterMs(answer(503, { 'Retry-After': text }))
  assert.equal(after('18000;duration=3600'), 18_000_000)
  assert.equal(after('120 (I am in a meeting)'), 120_000)
  assert.equal(after('later'), undefined)
  assert.equal(retryAfterMs(answer(503, {})), undefined)
})
