import assert from 'node:assert/strict'
import { test } from 'node:test'
import { personKey, personKeys } from './person.ts'

for (const [uri, keys] of [
  ['sip:+4930123@gw.example:5060;transport=tcp', ['number:4930123', 'address:+4930123@gw.example']],
  ['sips:+49-30-123@GW.example;user=phone', ['number:4930123', 'address:+49-30-123@gw.example']],
  ['tel:+49-30-123;ext=5', ['number:4930123']],
  ['sip:004930123@gw', ['number:4930123', 'address:004930123@gw']],
  ['sip:Alice@Example.COM', ['address:alice@example.com']],
  ['sip:%61lice:secret@example.com', ['address:alice@example.com']],
  ['alice@example.com', ['address:alice@example.com']],
  [' +1 (555) 010-9999 ', ['number:15550109999']],
  ['sip:101@[2001:db8::1]:5070', ['number:101', 'address:101@[2001:db8::1]']],
  ['sip:192.0.2.1', ['address:192.0.2.1']],
  ['ASBCE', ['address:asbce']],
  ['sip:bob%zz@x', ['address:bob%zz@x']],
  ['', []],
] as const)
  test(`${uri || 'nothing'} is kept under ${keys.join(' and ') || 'nothing'}`, () => {
    assert.deepEqual(personKeys(uri), keys)
  })

test('an extension is found by its number', () => {
  assert.deepEqual(personKeys('sip:alice@pbx', '101'), ['address:alice@pbx', 'number:101'])
})

for (const [asked, key] of [
  ['+49 30 123', 'number:4930123'],
  ['0049 30/123', 'number:4930123'],
  ['tel:+4930123', 'number:4930123'],
  ['sip:+4930123@any.gateway', 'number:4930123'],
  ['sip:4930123@any;user=phone', 'number:4930123'],
  ['sip:101@example.com', 'address:101@example.com'],
  ['101', 'number:101'],
  ['Alice@example.com', 'address:alice@example.com'],
  ['Alice', undefined],
  ['', undefined],
  ['%', undefined],
] as const)
  test(`who asks for ${asked || 'nothing'} means ${key ?? 'nobody'}`, () => {
    assert.equal(personKey(asked), key)
  })
