import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalAddresses } from './local-address.ts'

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
