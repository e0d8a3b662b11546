import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNetworks } from '../core/networks.ts'
import { createRequest } from '../sip/message/build.ts'
import { Headers } from '../sip/message/headers.ts'
import { deviceBehind } from './device-behind.ts'

const proxies = parseNetworks(['203.0.113.4', '203.0.113.5'])

function found(...below: string[]): string | undefined {
  const lines = ['203.0.113.4;branch=z9hG4bK1', ...below].map((via): [string, string] => ['Via', `SIP/2.0/UDP ${via}`])
  const device = deviceBehind(createRequest('REGISTER', 'sip:pbx', new Headers(lines)), proxies)
  return device && `${device.ip} ${device.port}`
}

test('a device is where the proxy saw it, whatever it wrote itself (RFC 3581 §4)', () => {
  assert.equal(found('10.0.0.7:5062;rport=40001;received=198.51.100.9'), '198.51.100.9 40001')
  assert.equal(found('df7jal23ls0d.invalid;rport=40001;received=198.51.100.9'), '198.51.100.9 40001')
  assert.equal(found('203.0.113.4;received=198.51.100.9'), '198.51.100.9 5060')
  assert.equal(found('[2001:db8::7]:5062'), '2001:db8::7 5062')
  assert.equal(found('x.invalid;received=[2001:db8::8];rport=7'), '2001:db8::8 7')
})

test('a Via that it invented below its own says nothing', () => {
  assert.equal(found('10.0.0.7;received=198.51.100.9', '192.0.2.1;received=192.0.2.2'), '198.51.100.9 5060')
})

test('behind a second proxy of ours it is where that one saw it', () => {
  assert.equal(found('203.0.113.5', '10.0.0.7;received=198.51.100.9'), '198.51.100.9 5060')
})

test('a proxy that hides its devices, or a phone at a trusted address, leaves it open', () => {
  assert.equal(found(), undefined)
  assert.equal(found('hidden.invalid'), undefined)
  assert.equal(found('203.0.113.5'), undefined)
})
