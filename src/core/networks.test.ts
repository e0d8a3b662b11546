import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changingNetworks, parseNetworks } from './networks.ts'

test('addresses and networks of both families are found, others are not', () => {
  const networks = parseNetworks(['10.0.0.0/8', '192.0.2.7', 'fe80::/10', '::1'])
  for (const inside of ['10.255.0.1', '192.0.2.7', 'fe80::1', '::1', '::ffff:10.1.2.3', 'fe80::1%eth0'])
    assert.ok(networks.has(inside), inside)
  for (const outside of ['11.0.0.1', '192.0.2.8', '2001:db8::1', '::2', 'no address'])
    assert.ok(!networks.has(outside), outside)
})

for (const wrong of ['10.0.0.0/33', 'example.com', '10.0.0.0/', '::/129', '10.0.0.0/x']) {
  test(`"${wrong}" is named as what cannot be read`, () => {
    assert.throws(() => parseNetworks([wrong]), new RegExp(wrong.replace('/', '\\/')))
  })
}

test('networks that may change are read anew when a list is another one', () => {
  let office: readonly string[] = ['192.0.2.0/24']
  const peers = ['198.51.100.7']
  const networks = changingNetworks(() => [office, peers])
  assert.deepEqual([networks.has('192.0.2.9'), networks.has('198.51.100.7')], [true, true])
  office = ['203.0.113.0/24']
  assert.deepEqual(
    ['192.0.2.9', '203.0.113.9', '198.51.100.7'].map((ip) => networks.has(ip)),
    [false, true, true],
  )
})
