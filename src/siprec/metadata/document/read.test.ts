import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxXmlBytes } from '../../../core/xml.ts'
import { attribute } from '../attribution.ts'
import { mergeMetadata } from '../merge.ts'
import { type MetadataState, noMetadata } from '../model.ts'
import { parseMetadata } from './read.ts'

const parse = (text: string) => parseMetadata(Buffer.from(text))

/** `label: names of who sends it`, guesses with a question mark; `-` for people on no stream. */
function heard(state: MetadataState, ...labels: string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const { label = '-', uri = '', guessed } of attribute(state, { labels }).participants)
    found[label] = [...(found[label] ?? []), guessed ? `${uri}?` : uri]
  return found
}

/** Two people, each on a stream, in a dialect. */
const twoPeople = { 1: ['sip:alice@x'], 2: ['sip:bob@x'] }

test('BroadWorks: its own root and namespace, addresses and ids as elements', () => {
  const document = parse(`<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"><dataMode>complete</dataMode>
    <participant id="urn:uuid:a"><nameID><aor>sip:alice@x</aor><name>Alice</name></nameID>
      <send><id>urn:uuid:s1</id></send></participant>
    <participant id="urn:uuid:b"><nameID><aor>sip:bob@x</aor></nameID><send><id>urn:uuid:s2</id></send></participant>
    <stream id="urn:uuid:s1"><label>1</label><mode>mixed</mode></stream>
    <stream id="urn:uuid:s2"><label>2</label></stream>
    <extensiondata><ext xmlns="urn:broadworks"><participant id="urn:uuid:a"/></ext></extensiondata></recording_metadata>`)
  assert.deepEqual(document.problems, [])
  assert.deepEqual(heard(document, '1', '2'), twoPeople)
  assert.equal(document.participants.get('urn:uuid:a')?.names[0]?.text, 'Alice')
})

test('Ribbon: a prefix on every element, single quotes, no scheme, a name of one blank, streams crossed', () => {
  const document = parse(`<?xml version='1.0' encoding='UTF-8'?>
    <tns:recording xmlns:tns='urn:ietf:params:xml:ns:recording'><tns:datamode>complete</tns:datamode>
    <tns:participant participant_id='a'><tns:nameID aor='bob@x'><tns:name> </tns:name></tns:nameID></tns:participant>
    <tns:participant participant_id='b'><tns:nameID aor='alice@x'/></tns:participant>
    <tns:stream stream_id='s1' session_id='s'><tns:label>1</tns:label></tns:stream>
    <tns:stream stream_id='s2' session_id='s'><tns:label>2</tns:label></tns:stream>
    <tns:participantstreamassoc participant_id='a'><tns:send>s2</tns:send></tns:participantstreamassoc>
    <tns:participantstreamassoc participant_id='b'><tns:send>s1</tns:send></tns:participantstreamassoc></tns:recording>`)
  assert.deepEqual(document.problems, [])
  assert.deepEqual(heard(document, '1', '2'), { 2: ['sip:bob@x'], 1: ['sip:alice@x'] })
  assert.equal(document.participants.get('a')?.names[0], undefined)
})

test('Oracle: who called stands in the extension data, and is put on channel 0', () => {
  const document = parse(`<recording xmlns='urn:ietf:params:xml:ns:recording'><dataMode>complete</dataMode>
    <participant id="a" session="s"><nameID aor="sip:alice@x"/><send>s1</send>
      <extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>false</apkt:callingParty>
      </extensiondata></participant>
    <participant id="b" session="s"><nameID aor="sip:bob@x"/><send>s2</send>
      <extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>true</apkt:callingParty>
      </extensiondata></participant>
    <stream id="s1" session="s"><label>1</label></stream><stream id="s2" session="s"><label>2</label></stream></recording>`)
  assert.deepEqual(heard(document, '1', '2'), twoPeople)
  assert.deepEqual(attribute(document, { labels: ['1', '2'] }).order, ['2', '1'])
  assert.equal(attribute(document, { labels: ['1', '2'] }).caller?.uri, 'sip:bob@x')
})

test('SEMS: labels a_leg and b_leg say who called, in whatever order they stand', () => {
  assert.deepEqual(attribute(noMetadata, { labels: ['b_leg', 'a_leg'] }).order, ['a_leg', 'b_leg'])
})

test('Cisco: streams offered inactive with empty associations are nobody’s until an update says whose', () => {
  const before = parse(`<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
    <participant participant_id="a"><nameID aor="sip:alice@x"></nameID></participant>
    <stream stream_id="s1" session_id="s"><label>1</label></stream>
    <participant participant_id="b"><nameID aor="sip:bob@x"></nameID></participant>
    <stream stream_id="s2" session_id="s"><label>2</label></stream>
    <participantstreamassoc participant_id="a"></participantstreamassoc>
    <participantstreamassoc participant_id="b"></participantstreamassoc></recording>`)
  assert.deepEqual(heard(before, '1', '2'), { '-': ['sip:alice@x', 'sip:bob@x'] })

  const update = parse(`<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode>
    <participantstreamassoc participant_id="a"><send>s1</send></participantstreamassoc>
    <participantstreamassoc participant_id="b"><send>s2</send></participantstreamassoc></recording>`)
  assert.deepEqual(heard(mergeMetadata(before, update), '1', '2'), twoPeople)
})

test('one stream, while the metadata names two: both people are guessed to be on it', () => {
  const document = parse(`<recording xmlns="urn:ietf:params:xml:ns:recording:1">
    <participant participant_id="a"><nameID aor="sip:alice@x"/></participant>
    <participant participant_id="b"><nameID aor="sip:bob@x"/></participant>
    <stream stream_id="s1"><label>10</label></stream><stream stream_id="s2"><label>20</label></stream>
    <participantstreamassoc participant_id="a"><send>s1</send></participantstreamassoc>
    <participantstreamassoc participant_id="b"><send>s2</send></participantstreamassoc></recording>`)
  assert.deepEqual(heard(document, 'mono'), { mono: ['sip:alice@x?', 'sip:bob@x?'] })
})

test('no association at all: people go with streams in their order, marked as guessed', () => {
  const document = parse(`<recording xmlns="urn:ietf:params:xml:ns:recording:1">
    <participant participant_id="a"><nameID aor="sip:alice@x"/></participant>
    <participant participant_id="b"><nameID aor="sip:bob@x"/></participant></recording>`)
  assert.deepEqual(heard(document, '1', '2', '3'), { 1: ['sip:alice@x?'], 2: ['sip:bob@x?'] })
})

test('a complete document replaces all, a partial one only what it names', () => {
  const both = parse(`<recording xmlns="urn:ietf:params:xml:ns:recording:1">
    <participant participant_id="a"><nameID aor="sip:alice@x"/></participant>
    <participant participant_id="b"><nameID aor="sip:bob@x"/></participant>
    <stream stream_id="s1"><label>1</label></stream><stream stream_id="s2"><label>2</label></stream>
    <participantstreamassoc participant_id="a"><send>s1</send></participantstreamassoc>
    <participantstreamassoc participant_id="b"><send>s2</send></participantstreamassoc></recording>`)
  const renamed = `<participant participant_id="a"><nameID aor="sip:carol@x"/></participant>`
  const partial = parse(`<recording><datamode>partial</datamode>${renamed}</recording>`)
  assert.deepEqual(heard(mergeMetadata(both, partial), '1', '2'), { 1: ['sip:carol@x'], 2: ['sip:bob@x'] })
  const complete = parse(`<recording><datamode>complete</datamode>${renamed}</recording>`)
  assert.deepEqual(heard(mergeMetadata(both, complete), '1', '2'), { 1: ['sip:carol@x?'] })
})

const presence = (times: string) => `<participantsessionassoc participant_id="a" session_id="s">${times}
  </participantsessionassoc>`

test('who left is on no stream, who came back is', () => {
  const person = `<participant participant_id="a"><nameID aor="sip:alice@x"/></participant>
    <stream stream_id="s1"><label>1</label></stream>
    <participantstreamassoc participant_id="a"><send>s1</send></participantstreamassoc>`
  const left =
    '<associate-time>2026-01-01T10:00:00Z</associate-time><disassociate-time>2026-01-01T11:00:00Z</disassociate-time>'
  const back = `${left}<associate-time>2026-01-01T12:00:00Z</associate-time>`
  assert.deepEqual(heard(parse(`<recording>${person}${presence(left)}</recording>`), '1'), {})
  assert.deepEqual(heard(parse(`<recording>${person}${presence(back)}</recording>`), '1'), { 1: ['sip:alice@x'] })
})

test('addresses without a scheme become SIP addresses or telephone numbers, others stay', () => {
  for (const [aor, expected] of [
    ['alice@x:5060', 'sip:alice@x:5060'],
    [' sips:alice@x ', 'sips:alice@x'],
    ['+1 (202) 555-0123', 'tel:+1202555-0123'],
    ['tel:+12025550123', 'tel:+12025550123'],
    ['pbx.example.com:5060', 'sip:pbx.example.com:5060'],
  ] as const) {
    const document = parse(`<recording><participant id="a"><nameID aor="${aor}"/></participant></recording>`)
    assert.deepEqual(document.participants.get('a')?.uris, [expected])
  }
})

test('a raw & costs nothing, a forgotten end tag little; both are told', () => {
  const document = parse(`<recording><session session_id="s">
    <participant participant_id="a"><nameID aor="sip:a&b@x"><name>Tom & Jerry &lt;1&gt;</name></nameID></participant>
    <stream stream_id="s1"><label>1</label></stream>
    <participantstreamassoc participant_id="a"><send>s1</send></participantstreamassoc></recording>`)
  assert.ok(document.problems.length > 0)
  assert.deepEqual(heard(document, '1'), { 1: ['sip:a&b@x'] })
  assert.equal(document.participants.get('a')?.names[0]?.text, 'Tom & Jerry <1>')
})

const named = (text: string) =>
  `<recording><participant id="a"><nameID><name>${text}</name></nameID></participant></recording>`
const nameIn = (bytes: Uint8Array, charset?: string) =>
  parseMetadata(bytes, charset).participants.get('a')?.names[0]?.text

test('a byte order mark, blanks before the declaration, CDATA and another charset are read', () => {
  assert.equal(nameIn(Buffer.from(`\uFEFF \r\n<?xml version="1.0"?>${named('<![CDATA[Ä & Ö]]>')}`)), 'Ä & Ö')
  assert.equal(nameIn(Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${named('Jürgen')}`, 'latin1')), 'Jürgen')
  assert.equal(
    nameIn(Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${named('Jürgen')}`, 'latin1'), 'iso-8859-1'),
    'Jürgen',
  )
  const unknown = parseMetadata(Buffer.from(named('Ann')), 'klingon')
  assert.equal(unknown.participants.get('a')?.names[0]?.text, 'Ann')
  assert.match(unknown.problems[0] ?? '', /klingon/)
})

test('two participants with one id are told, an empty stream id is no stream', () => {
  const person = '<participant participant_id="a"><nameID aor="sip:alice@x"/></participant>'
  const document = parse(`<recording>${person}${person}<stream stream_id=""><label>1</label></stream></recording>`)
  assert.match(document.problems[0] ?? '', /two participants/)
  assert.equal(document.streams.size, 0)
})

const inside = (p: string) =>
  `<${p}participant participant_id="a"><${p}nameID aor="sip:alice@x"/></${p}participant>
   <${p}stream stream_id="s1"><${p}label>1</${p}label></${p}stream>
   <${p}participantstreamassoc participant_id="a"><${p}send>s1</${p}send></${p}participantstreamassoc>`

test('any of the namespaces, or none, with or without a prefix', () => {
  const namespaces = ['recording:1', 'recording', 'siprec:1', 'siprec'].map((name) => `urn:ietf:params:xml:ns:${name}`)
  for (const text of [
    `<recording>${inside('')}</recording>`,
    ...namespaces.map((namespace) => `<recording xmlns='${namespace}'>${inside('')}</recording>`),
    ...namespaces.map((namespace) => `<r:recording xmlns:r="${namespace}">${inside('r:')}</r:recording>`),
  ]) {
    const document = parse(text)
    assert.deepEqual(document.problems, [])
    assert.deepEqual(heard(document, '1'), { 1: ['sip:alice@x'] })
  }
  assert.match(parse(`<recording xmlns="urn:other">${inside('')}</recording>`).problems[0] ?? '', /unknown namespace/)
})

test('hostile documents are refused in time: entities, depth, size, number of elements', () => {
  const bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><recording>&b;</recording>'
  const external = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><recording>&a;</recording>'
  for (const text of [
    bomb,
    external,
    '<recording>'.repeat(100_000),
    `<recording>${'<a/>'.repeat(100_000)}</recording>`,
    'x'.repeat(maxXmlBytes + 1),
    `<recording ${'a'.repeat(200_000)}`,
    '&'.repeat(500_000),
  ]) {
    const document = parse(text)
    assert.equal(document.participants.size, 0)
    assert.ok(document.problems.length > 0, text.slice(0, 60))
  }
})

test('whatever the bytes, an answer comes: 2,000 damaged documents by seed', () => {
  const good =
    Buffer.from(`<?xml version="1.0"?><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode>
    <participant participant_id="a"><nameID aor="sip:alice@x"><name>A</name></nameID></participant>
    <stream stream_id="s1"><label>1</label></stream>
    <participantstreamassoc participant_id="a"><send>s1</send></participantstreamassoc></recording>`)
  let seed = 1
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 8) % below
  }
  for (let round = 0; round < 2_000; round++) {
    const bytes = Buffer.from(good)
    for (let hit = random(6); hit >= 0; hit--) bytes[random(bytes.length)] = random(256)
    attribute(parseMetadata(bytes.subarray(random(3) === 0 ? random(bytes.length) : 0)), { labels: ['1', '2'] })
  }
})
