/** RFC 3261 §18.2.1, §18.2.2, RFC 3581 §4. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequest } from '../message/build.ts'
import { topVia } from '../message/fields.ts'
import type { Address } from '../stack.types.ts'
import type { WireFlow } from './flow.ts'
import { behindNat, noteSource, responseFlow } from './response-path.ts'

const source: Address = { ip: '198.51.100.7', port: 40_123 }

function flowTo(remote: Address, reliable = false): WireFlow {
  const local = { ip: '192.0.2.2', port: 5060 }
  const transport = reliable ? 'tcp' : 'udp'
  return { id: '', transport, reliable, local, remote, open: true, send: () => {}, onClose: () => () => {} }
}

function noted(via: string) {
  const request = createRequest('OPTIONS', 'sip:x', [['Via', `${via}, SIP/2.0/UDP below;branch=z9hG4bK2`]])
  noteSource(request, source)
  const answerTo = responseFlow(request, flowTo(source), flowTo).remote
  return { request, via: topVia(request), answerTo: `${answerTo.ip}:${answerTo.port}` }
}

test('a Via that names another host gets `received`; the answer goes to the source, at the port of the Via', () => {
  const { request, via, answerTo } = noted('SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1')
  assert.equal(via?.params.get('received'), source.ip)
  assert.equal(answerTo, '198.51.100.7:5070')
  assert.equal(request.headers.all('Via').length, 2)
})

test('`rport` gets the source port and the answer goes there', () => {
  const { via, answerTo } = noted('SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bK1')
  assert.equal(via?.params.get('rport'), '40123')
  assert.equal(via?.params.get('received'), source.ip)
  assert.equal(answerTo, '198.51.100.7:40123')
})

test('a Via that names its source is left as it came; port 5060 is the default', () => {
  const { request, answerTo } = noted('SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1')
  assert.equal(request.headers.get('Via'), 'SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1')
  assert.equal(answerTo, '198.51.100.7:5060')
})

test('what the sender wrote into `received`, `rport` and `maddr` sends no answer to a third party', () => {
  const { via, answerTo } = noted('SIP/2.0/UDP 198.51.100.7;received=203.0.113.9;rport=99;maddr=203.0.113.9')
  assert.equal(via?.params.get('received'), source.ip)
  assert.equal(answerTo, '198.51.100.7:40123')
})

test('a `received` that the sender wrote is removed when nothing has to be noted', () => {
  assert.equal(noted('SIP/2.0/UDP 198.51.100.7;received=203.0.113.9').via?.params.has('received'), false)
})

test('over a connection the answer goes back on it', () => {
  const flow = flowTo(source, true)
  const request = createRequest('OPTIONS', 'sip:x', [['Via', 'SIP/2.0/TCP 10.0.0.5:5070;branch=z9hG4bK1']])
  assert.equal(responseFlow(request, flow, flowTo), flow)
  assert.equal(behindNat(request, flow), true)
})
