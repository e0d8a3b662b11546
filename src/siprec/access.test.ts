import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyNetwork, sourceFilter } from './access.ts'

test('unless told otherwise loopback and private networks may record, the internet may not', () => {
  const admit = sourceFilter()
  for (const ip of [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '::1',
    'fd00::1',
    'fe80::1',
  ])
    assert.equal(admit(ip), true, ip)
  for (const ip of ['8.8.8.8', '172.32.0.1', '11.0.0.1', '2001:db8::1', '', 'pbx.example.com'])
    assert.equal(admit(ip), false, ip)
})

test('an IPv4 address in IPv6 notation counts as IPv4', () => {
  assert.equal(sourceFilter()('::ffff:192.168.1.1'), true)
  assert.equal(sourceFilter()('::ffff:8.8.8.8'), false)
})

test('single addresses, networks, and everything can be given; anything else is a mistake', () => {
  const admit = sourceFilter(['198.51.100.7', '2001:db8::/32'])
  assert.deepEqual(['198.51.100.7', '198.51.100.8', '2001:db8::9', '10.0.0.1'].map(admit), [true, false, true, false])
  assert.deepEqual(['8.8.8.8', '2001:db8::1'].map(sourceFilter(everyNetwork)), [true, true])
  for (const wrong of ['10.0.0.0/33', 'sbc.example.com', '10.0.0.0/x', '10.0.0.0/-1'])
    assert.throws(() => sourceFilter([wrong]), RangeError, wrong)
})
