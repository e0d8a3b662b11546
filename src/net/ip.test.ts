import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointText, isPrivateIp, mappedIp, plainIp, sameIp } from './ip.ts'
import { LocalAddresses } from './local-address.ts'

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

const entry = (address: string, cidr: string, internal = false) => ({
  address,
  cidr,
  internal,
  family: 'IPv4' as const,
  netmask: '',
  mac: '',
})

test('our address towards a peer is the one in its subnet, else the first that is not loopback', () => {
  let reads = 0
  let nowMs = 0
  const addresses = new LocalAddresses(
    () => nowMs,
    () => {
      reads++
      return [
        entry('127.0.0.1', '127.0.0.1/8', true),
        entry('198.51.100.4', '198.51.100.4/24'),
        entry('10.0.0.4', '10.0.0.4/8'),
      ]
    },
  )
  assert.equal(addresses.towards('10.9.9.9'), '10.0.0.4')
  assert.equal(addresses.towards('203.0.113.1'), '198.51.100.4')
  assert.equal(addresses.towards('127.0.0.1'), '127.0.0.1')
  assert.equal(reads, 1)
  nowMs = 60_000
  addresses.towards('10.9.9.9')
  assert.equal(reads, 2)
})

test('an IPv6 address is the same however it is written, a name is itself', () => {
  assert.equal(sameIp('2001:db8:0:0::1', '2001:db8::1'), true)
  assert.equal(sameIp('2001:db8::1', '2001:db8::2'), false)
  assert.equal(sameIp('192.0.2.1', '2001:db8::2'), false)
  assert.equal(sameIp('example.com', 'example.com'), true)
})
