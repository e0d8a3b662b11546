import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ipBytes, ipOfBytes } from './ip-bytes.ts'

test('addresses become bytes and come back, however IPv6 is written', () => {
  for (const [ip, hex, back = ip] of [
    ['192.0.2.1', 'c0000201'],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['fe80::', `fe80${'0'.repeat(28)}`],
    ['fe80::1%eth0', `fe80${'0'.repeat(27)}1`, 'fe80::1'],
    ['2001:DB8:0:0:1:0:0:1', '20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201', '192.0.2.1'],
  ] as const) {
    assert.equal(ipBytes(ip).toString('hex'), hex)
    assert.equal(ipOfBytes(ipBytes(ip)), back)
  }
  assert.equal(ipOfBytes(Buffer.alloc(5)), undefined)
})
