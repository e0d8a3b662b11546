/** RFC 3261 §12.1, §12.2.1.1, §16.12.1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequest } from '../message/build.ts'
import type { SipUri } from '../message/types.ts'
import { parseUri } from '../message/uri.ts'
import type { Flow } from '../stack.types.ts'
import type { SipTransport } from '../transport/transport.ts'
import { addressed, mayComeFrom, nextWay, routeSetOf } from './route.ts'

const uri = (text: string): SipUri => parseUri(text) as SipUri
const target = uri('sip:102@192.0.2.9:5070')

test('who was called uses the recorded route as it came, who called reverses it', () => {
  const message = createRequest('INVITE', 'sip:x', [['Record-Route', '<sip:p2;lr>, <sip:p1;lr>']])
  assert.deepEqual(routeSetOf(message, 'called'), ['<sip:p2;lr>', '<sip:p1;lr>'])
  assert.deepEqual(routeSetOf(message, 'caller'), ['<sip:p1;lr>', '<sip:p2;lr>'])
})

test('a loose route leaves the Request-URI to the target, a strict one takes its place', () => {
  assert.deepEqual(addressed([], target), { uri: 'sip:102@192.0.2.9:5070', routes: [] })
  assert.deepEqual(addressed(['<sip:p1;lr>'], target), { uri: 'sip:102@192.0.2.9:5070', routes: ['<sip:p1;lr>'] })
  assert.deepEqual(addressed(['<sip:p1>', '<sip:p2;lr>'], target), {
    uri: 'sip:p1',
    routes: ['<sip:p2;lr>', '<sip:102@192.0.2.9:5070>'],
  })
})

test('requests of a dialog may come from its flow, its first route and its target, and nowhere else', () => {
  const address = { ip: '192.0.2.1', port: 5060 }
  const flow: Flow = { id: '', transport: 'udp', reliable: false, local: address, remote: address, open: true }
  const path = { flow, routeSet: ['<sip:198.51.100.1;lr>'], target, stay: false }
  assert.equal(mayComeFrom(path, '192.0.2.1'), true)
  assert.equal(mayComeFrom(path, '198.51.100.1'), true)
  assert.equal(mayComeFrom(path, '192.0.2.9'), true)
  assert.equal(mayComeFrom(path, '203.0.113.1'), false)
})

test('who has a GRUU as Contact is at the flow it came by, for the URI leads to who gave it (RFC 5627 §3.4)', async () => {
  const address = { ip: '192.0.2.1', port: 5060 }
  const flow: Flow = { id: '', transport: 'udp', reliable: false, local: address, remote: address, open: true }
  const elsewhere = [{ transport: 'udp', ip: '198.51.100.1', port: 5060 }]
  const transport = {
    ours: (given: Flow) => (given.open ? given : undefined),
    resolve: () => elsewhere,
    flowTo: () => ({ ...flow, remote: elsewhere[0] }),
    isResting: () => false,
  } as unknown as SipTransport
  const remoteOf = async (of: Partial<Parameters<typeof nextWay>[1]>) =>
    (await nextWay(transport, { flow, routeSet: [], target: uri('sip:102@example.com;gr=urn:x'), stay: false, ...of }))
      ?.flow.remote.ip
  assert.equal(await remoteOf({}), '192.0.2.1')
  assert.equal(await remoteOf({ flow: { ...flow, open: false } }), undefined)
  assert.equal(await remoteOf({ target: uri('sip:102@example.com') }), '198.51.100.1')
})
