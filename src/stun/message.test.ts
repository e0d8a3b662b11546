import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addressIn,
  coveredByIntegrity,
  hasIntegrity,
  isStun,
  printStun,
  stunAttributes,
  stunAttributesOf,
  stunIdOf,
  stunTypeOf,
  stunTypes,
} from './message.ts'

/** The samples of RFC 5769 §2.1 to §2.3, whole. */
const password = 'VOkJxbRl1RmTxUk/WvJxBt'
const samples = {
  request:
    '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff' +
    '80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2' +
    '80280004e57a3bcf',
  'response over IPv4':
    '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643' +
    '000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96',
  'response over IPv6':
    '010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220' +
    '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41' +
    '80280004c8fb0b4c',
}

for (const [name, hex] of Object.entries(samples))
  test(`the sample ${name} has its integrity and fingerprint (RFC 5769 §2)`, () => {
    const message = Buffer.from(hex, 'hex')
    assert.ok(isStun(message))
    const found = stunAttributesOf(message)
    assert.ok(found && hasIntegrity(message, found, password))
    assert.equal(hasIntegrity(message, found, `${password}x`), false)
    for (let at = 0; at < message.length - 8; at++) {
      const changed = Buffer.from(message)
      changed[at] = (changed[at] ?? 0) ^ 1
      const stillRead = isStun(changed) ? stunAttributesOf(changed) : undefined
      assert.equal(stillRead, undefined, `byte ${at}`)
    }
  })

test('the sample request is printed again byte for byte, but for its padding with spaces', () => {
  const message = Buffer.from(samples.request, 'hex')
  const found = stunAttributesOf(message) ?? []
  const printed = printStun({
    type: stunTypeOf(message),
    id: stunIdOf(message),
    attributes: coveredByIntegrity(found).map(({ type, value }) => [type, value] as const),
    key: password,
    fingerprint: true,
  })
  assert.equal(printed.length, message.length)
  const again = stunAttributesOf(printed)
  assert.ok(again && hasIntegrity(printed, again, password))
  assert.equal(printed.toString('hex', 0, 72), message.toString('hex', 0, 72))
})

test('addresses are read as they were sent', () => {
  for (const [hex, ip] of [
    [samples['response over IPv4'], '192.0.2.1'],
    [samples['response over IPv6'], '2001:db8:1234:5678:11:2233:4455:6677'],
  ] as const) {
    const message = Buffer.from(hex, 'hex')
    const found = stunAttributesOf(message) ?? []
    const value = found.find(({ type }) => type === stunAttributes.xorMappedAddress)?.value
    assert.deepEqual(value && addressIn(value, message), { ip, port: 32853 })
  }
})

test('what follows the integrity is not covered by it (RFC 8489 §14.5)', () => {
  const id = Buffer.alloc(12, 7)
  const signed = printStun({ type: stunTypes.request, id, attributes: [], key: 'k' })
  const appended = Buffer.concat([signed, Buffer.from('00250000', 'hex')])
  appended.writeUInt16BE(appended.length - 20, 2)
  const found = stunAttributesOf(appended)
  assert.ok(found && hasIntegrity(appended, found, 'k'))
  assert.deepEqual(coveredByIntegrity(found), [])
  assert.equal(found.at(-1)?.type, stunAttributes.useCandidate)
})
