/** RFC 3263 §4, as far as URIs alone say it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUri } from '../message/uri.ts'
import { hopOf } from './next-hop.ts'

const hop = (text: string) => {
  const uri = parseUri(text)
  const found = uri && hopOf(uri)
  return found && `${found.transport} ${found.host} ${found.port}`
}

test('a URI gives transport, host and port', () => {
  assert.equal(hop('sip:1@192.0.2.1'), 'udp 192.0.2.1 5060')
  assert.equal(hop('sip:1@192.0.2.1:5070;transport=TCP'), 'tcp 192.0.2.1 5070')
  assert.equal(hop('sip:[2001:db8::1];transport=tls'), 'tls 2001:db8::1 5061')
  assert.equal(hop('sips:example.com'), 'tls example.com 5061')
  assert.equal(hop('sip:example.com;transport=ws'), 'ws example.com 80')
  assert.equal(hop('sips:example.com;transport=ws'), 'wss example.com 443')
})

test('a URI that names no host or an unknown transport leads nowhere', () => {
  assert.equal(hop('tel:+4912345'), undefined)
  assert.equal(hop('sip:1@192.0.2.1;transport=carrier-pigeon'), undefined)
})
