import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestWith, udpFlow } from '../pbx/test-support.ts'
import { shedding } from './shed.ts'

const busy = shedding({ admit: () => false }, () => 'pass')

test('a server without time refuses new calls by 503, each to come back at another second', () => {
  const seconds = Array.from({ length: 20 }, () => {
    const verdict = busy(requestWith('INVITE', 'sip:101@pbx', {}), udpFlow())
    assert.ok(typeof verdict === 'object' && verdict.status === 503)
    return Number(verdict.headers?.['Retry-After'])
  })
  assert.deepEqual([Math.min(...seconds), Math.max(...seconds), new Set(seconds).size], [5, 14, 10])
})

test('what is no new call goes on: registrations, calls that live, answers to a challenge', () => {
  const requests = [
    requestWith('REGISTER', 'sip:pbx', {}),
    requestWith('OPTIONS', 'sip:pbx', {}),
    requestWith('INVITE', 'sip:101@pbx', { To: '<sip:101@pbx>;tag=ours' }),
    requestWith('BYE', 'sip:101@pbx', { To: '<sip:101@pbx>;tag=ours' }),
    requestWith('INVITE', 'sip:101@pbx', { Authorization: 'Digest username="101"' }),
    requestWith('INVITE', 'sip:101@pbx', { 'Proxy-Authorization': 'Digest username="101"' }),
  ]
  for (const request of requests) assert.equal(busy(request, udpFlow()), 'pass')
})

test('a server with time lets the guard decide', () => {
  const guarded = shedding({ admit: () => true }, () => 'drop')
  assert.equal(guarded(requestWith('INVITE', 'sip:101@pbx', {}), udpFlow()), 'drop')
})
