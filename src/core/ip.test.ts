import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointText, isPrivateIp, mappedIp, plainIp, sameIp } from './ip.ts'

test('mapped addresses become IPv4, zones are cut, letters are small', () => {
  assert.equal(plainIp('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(plainIp('FE80::1%eth0'), 'fe80::1')
  assert.equal(plainIp('192.0.2.1'), '192.0.2.1')
  assert.equal(mappedIp('192.0.2.1'), '::ffff:192.0.2.1')
  assert.equal(mappedIp('2001:db8::1'), '2001:db8::1')
})

test('IPv6 stands in brackets', () => {
  assert.equal(endpointText('2001:db8::1', 5060), '[2001:db8::1]:5060')
  assert.equal(endpointText('192.0.2.1', 5060), '192.0.2.1:5060')
})

test('private addresses are those of RFC 1918, 6598, 3927, 4193 and loopback', () => {
  const inside = [
    '10.1.1.1',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
    '127.0.0.1',
    'fd00::1',
    'fe80::1',
  ]
  const outside = ['172.32.0.1', '192.0.2.1', '2001:db8::1', 'example.com', '']
  assert.deepEqual(inside.filter(isPrivateIp), inside)
  assert.deepEqual(outside.filter(isPrivateIp), [])
})

test('an IPv6 address is the same however it is written, a name is itself', () => {
  assert.equal(sameIp('2001:db8:0:0::1', '2001:db8::1'), true)
  assert.equal(sameIp('2001:db8::1', '2001:db8::2'), false)
  assert.equal(sameIp('192.0.2.1', '2001:db8::2'), false)
  assert.equal(sameIp('example.com', 'example.com'), true)
})
