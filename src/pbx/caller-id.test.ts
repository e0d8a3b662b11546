import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerOnTrunk, openly, wantsPrivacy } from './caller-id.ts'
import { requestWith } from './test-support.ts'

type Given = Readonly<Record<string, string>>

const invite = (headers: Given) => requestWith('INVITE', 'sip:+49301@pbx', headers)
const caller = (headers: Given, trustIdentity = true) => callerOnTrunk(invite(headers), { trustIdentity })

test('of the asserted identities the number counts, with the name that any of them has', () => {
  assert.deepEqual(caller({ 'P-Asserted-Identity': '<sip:eve@x>' }), { uri: 'sip:eve@x' })
  assert.deepEqual(caller({ 'P-Asserted-Identity': '"Eve" <sip:eve@x>, <tel:+4420>' }), {
    uri: 'tel:+4420',
    name: 'Eve',
  })
  assert.deepEqual(caller({ 'P-Asserted-Identity': '"Eve" <sip:eve@x>, "E." <tel:+4420>' }), {
    uri: 'tel:+4420',
    name: 'E.',
  })
})

test('without an asserted identity the old header counts, when it is about who calls', () => {
  assert.deepEqual(caller({ 'Remote-Party-ID': '"Eve" <sip:+4420@x>;party=calling' }), {
    uri: 'sip:+4420@x',
    name: 'Eve',
  })
  assert.equal(caller({ 'Remote-Party-ID': '<sip:+4420@x>;party=called' }).uri, 'sip:101@patchbay')
  assert.deepEqual(caller({ 'Remote-Party-ID': '<sip:+4420@x>;privacy=full' }), { uri: 'sip:+4420@x', private: true })
})

test('what cannot be read, and what a trunk says that is not trusted, leaves From', () => {
  assert.equal(caller({ 'P-Asserted-Identity': 'nonsense' }).uri, 'sip:101@patchbay')
  assert.equal(caller({ 'P-Asserted-Identity': '<sip:eve@x>' }, false).uri, 'sip:101@patchbay')
})

const asking: readonly Given[] = [
  { Privacy: 'id' },
  { Privacy: 'header;user;critical' },
  { Privacy: 'ID' },
  { From: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1' },
  { From: '<sip:Anonymous@carrier.example>;tag=1' },
  { 'Remote-Party-ID': '<sip:1@x>;privacy=uri' },
]
const notAsking: readonly Given[] = [
  {},
  { Privacy: 'none' },
  { Privacy: 'history;session' },
  { 'Remote-Party-ID': '<sip:1@x>;privacy=off' },
]

test('who asks for privacy: by level, by an anonymous From, in the old style; other levels and none do not', () => {
  for (const headers of asking) assert.equal(wantsPrivacy(invite(headers)), true, JSON.stringify(headers))
  for (const headers of notAsking) assert.equal(wantsPrivacy(invite(headers)), false, JSON.stringify(headers))
})

test('who only watches a call learns nothing of a private party', () => {
  assert.deepEqual(openly({ uri: 'sip:+4420@x', name: 'Eve' }), { uri: 'sip:+4420@x', name: 'Eve' })
  assert.deepEqual(openly({ uri: 'sip:+4420@x', name: 'Eve', extension: '101', private: true }), {
    uri: 'sip:anonymous@anonymous.invalid',
  })
})
