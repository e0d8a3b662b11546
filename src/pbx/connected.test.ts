import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presenterFor, presentToPhone } from './connected.ts'
import { trunkWith } from './test-support.ts'

const bob = { uri: 'sip:102@pbx', extension: '102', name: 'Bob' }
const eve = { uri: 'tel:+44-20-7946', name: 'Eve' }

test('a phone is told in both headers that phones read, and of somebody private that he is anonymous', () => {
  assert.deepEqual(presentToPhone(bob, '192.0.2.1'), {
    'P-Asserted-Identity': '"Bob" <sip:102@192.0.2.1>',
    'Remote-Party-ID': '"Bob" <sip:102@192.0.2.1>;screen=yes;privacy=off',
  })
  const hidden = presentToPhone({ ...bob, private: true }, '192.0.2.1')
  assert.equal(hidden['Privacy'], 'id')
  assert.doesNotMatch(JSON.stringify(hidden), /Bob|102/)
})

test('a trunk that is not trusted is told of nobody', () => {
  assert.equal(presenterFor(trunkWith()), undefined)
})

test('a trusted trunk is told the number, in the header it wants, and that it is private', () => {
  const trunk = trunkWith({ trustIdentity: true, inbound: { '+49302': '102' }, fromDomain: 'carrier.example' })
  assert.deepEqual(presenterFor(trunk)?.(bob, '192.0.2.1'), {
    'P-Asserted-Identity': '"Bob" <sip:+49302@carrier.example>',
  })
  assert.deepEqual(presenterFor(trunk)?.({ ...eve, private: true }, '192.0.2.1'), {
    'P-Asserted-Identity': '"Eve" <sip:+44207946@carrier.example>',
    Privacy: 'id',
  })
  assert.deepEqual(presenterFor({ ...trunk, callerIdIn: 'remote-party-id' })?.(eve, '192.0.2.1'), {
    'Remote-Party-ID': '"Eve" <sip:+44207946@carrier.example>;screen=yes;privacy=off',
  })
  assert.deepEqual(presenterFor(trunk)?.({ uri: 'sip:eve@elsewhere.example' }, '192.0.2.1'), {}, 'no number')
})
