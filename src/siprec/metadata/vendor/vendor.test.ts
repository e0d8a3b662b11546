import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRequest } from '../../test-support.ts'
import { parseMetadata } from '../document/read.ts'
import { metadataOf } from '../from-request.ts'
import { People } from '../people.ts'
import { ucidOf } from './ucid.ts'

test('a UCID is 20 digits, or taken out of User-to-User data with or without a protocol discriminator', () => {
  const ucid = '04099475671585313765'
  for (const [text, expected] of [
    [ucid, ucid],
    ['00FA081003B9CF5E7DF7E5;encoding=hex', ucid],
    ['04FA081003B9CF5E7DF7E5', ucid],
    ['FA081003B9CF5E7DF7E5', ucid],
    ['00C802AABBFA081003B9CF5E7DF7E5', ucid],
    ['00FA041003B9CF', undefined],
    ['00FA081003B9CF5E7D', undefined],
    ['hello', undefined],
  ] as const)
    assert.equal(ucidOf(text), expected, text)
})

const invite = (...headers: readonly string[]) =>
  readRequest(
    Buffer.from(
      ['INVITE sip:r@x SIP/2.0', 'Via: SIP/2.0/UDP x;branch=z9hG4bK1', 'From: <sip:a@x>;tag=1', 'To: <sip:r@x>']
        .concat('Call-ID: 1', 'CSeq: 1 INVITE', headers, 'Content-Length: 0', '', '')
        .join('\r\n'),
    ),
  )

test('an INVITE that tells nothing of its own has no vendor facts', () => {
  assert.equal(new People(invite('Contact: <sip:a@x>;+sip.src')).vendor, undefined)
})

test('headers tell: Session-ID, charging id, X- headers; what looks like a secret is not kept', () => {
  const { vendor } = new People(
    invite(
      'Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2',
      'P-Charging-Vector: icid-value="AyretyU0dm+6O2IrT5tAFrbHLso=";icid-generated-at=192.0.2.1',
      'X-Campaign: spring',
      'x-campaign: summer',
      'X-Api-Key: hush',
      'X-Session-Token: hush',
    ),
  )
  assert.deepEqual(vendor, {
    sessionId: 'ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2',
    icid: 'AyretyU0dm+6O2IrT5tAFrbHLso=',
    headers: { 'x-campaign': 'spring, summer' },
    extensions: [],
  })
})

const withAgent = (agent: string) =>
  parseMetadata(
    Buffer.from(`<recording xmlns="urn:ietf:params:xml:ns:recording:1" xmlns:v="urn:v">
      <session session_id="s"><extensiondata><v:queue v:level="2">Sales &amp; Service</v:queue></extensiondata></session>
      <participant participant_id="p"><nameID aor="sip:a@x"/><v:Agent name="main"><v:Id>${agent}</v:Id></v:Agent></participant>
      </recording>`),
  )

test('foreign data is kept value by value, with where it stands; the last document has the last word', () => {
  const people = new People()
  people.merge(withAgent('7'))
  people.merge(withAgent('8'))
  assert.deepEqual(people.vendor?.extensions, [
    { of: 'session', id: 's', namespace: 'urn:v', path: 'queue@level', value: '2' },
    { of: 'session', id: 's', namespace: 'urn:v', path: 'queue', value: 'Sales & Service' },
    { of: 'participant', id: 'p', namespace: 'urn:v', path: 'Agent[main]/Id', value: '8' },
  ])
})

test('foreign data is bounded: 64 values of 1,024 characters', () => {
  const people = new People()
  const many = Array.from({ length: 100 }, (_, index) => `<v:x${index}>${'y'.repeat(2_000)}</v:x${index}>`)
  people.merge(parseMetadata(Buffer.from(`<recording xmlns:v="urn:v">${many.join('')}</recording>`)))
  assert.equal(people.vendor?.extensions.length, 64)
  assert.ok(people.vendor?.extensions.every(({ value }) => value.length === 1_024))
})

test('elements named like what every object has are foreign data, and no vendor facts', () => {
  const people = new People()
  const foreign = ['constructor', '__proto__'].map((name) => `<x:${name} xmlns:x="urn:x">1</x:${name}>`).join('')
  const session = `<session session_id="s"><extensiondata>${foreign}</extensiondata></session>`
  people.merge(
    parseMetadata(Buffer.from(`<recording xmlns="urn:ietf:params:xml:ns:recording:1">${session}</recording>`)),
  )
  assert.deepEqual(Object.keys(people.vendor ?? {}), ['headers', 'extensions'])
})

const header = (value: string) => `X-Cisco-Recording-Participant: ${value}`

test('participants in headers are split in a time that grows with their length, whatever stands in them', () => {
  const hostile = invite(
    ...[','.repeat(8_000), `a,${' '.repeat(8_000)};`].flatMap((value) => Array(3).fill(header(value))),
  )
  const took = Array.from({ length: 3 }, () => {
    const startedMs = performance.now()
    metadataOf(hostile, undefined)
    return performance.now() - startedMs
  })
  // Some 500 ms where each comma looks at all that follows; the machine may be busy.
  assert.ok(Math.min(...took) < 100)
  const named = metadataOf(
    invite(header('"Ann, B" <sip:1001@cube>;media-index="0", sip:1002@cube;media-index="1 2"')),
    undefined,
  )
  assert.deepEqual(
    [...(named?.participants.values() ?? [])].map(({ uris }) => uris),
    [['sip:1001@cube'], ['sip:1002@cube']],
  )
  assert.deepEqual(
    [...(named?.sending.values() ?? [])].map(({ send }) => send),
    [['0'], ['1', '2']],
  )
})
