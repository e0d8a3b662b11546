/** The metadata model over time, point by point as the recorder's checklist has them (D1 to D10). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommunicationSession } from '../../events/siprec.ts'
import { parseMetadata } from './document/read.ts'
import { mergeMetadata } from './merge.ts'
import { type MetadataState, noMetadata } from './model.ts'
import { People } from './people.ts'

const parse = (content: string, mode = 'complete') =>
  parseMetadata(
    Buffer.from(
      `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>${mode}</datamode>${content}</recording>`,
    ),
  )

const streams = [
  { legId: 'x', label: '1' },
  { legId: 'y', label: '2' },
]

const bob =
  '<participant participant_id="b"><nameID aor="sip:bob@x"><name xml:lang="en">Bob</name></nameID></participant>'
const paul = '<participant participant_id="p"><nameID aor="sip:paul@x"/></participant>'
const lines = `<stream stream_id="s1" session_id="s"><label>1</label></stream>
  <stream stream_id="s2" session_id="s"><label>2</label></stream>`
const sends = (participant: string, ...ids: string[]) =>
  `<participantstreamassoc participant_id="${participant}">${ids.map((id) => `<send>${id}</send>`).join('')}
   </participantstreamassoc>`
const call = `<session session_id="s"><start-time>2026-11-20T10:00:00Z</start-time></session>${bob}${paul}${lines}
  ${sends('b', 's1')}${sends('p', 's2')}`

/** Leg to the address on it; `-` for who is on none. */
const onLegs = (people: People, atMs = 0, on = streams) =>
  people.on(on, atMs).now.map(({ uri, legId }) => `${legId ?? '-'} ${uri}`)

const nameIn = (bytes: Buffer, charset?: string) => parseMetadata(bytes, charset).participants.get('a')?.names[0]?.text
const at = (minute: number, second: number) => Date.UTC(2026, 10, 20, 10, minute, second)

const named = (encoding: string) =>
  `<?xml version="1.0" encoding="${encoding}"?><recording><participant id="a"><nameID><name>Zoë</name></nameID></participant></recording>`

test('D1: UTF-8 is read, and the charset of the MIME part beats the declaration', () => {
  assert.equal(nameIn(Buffer.from(named('UTF-8'))), 'Zoë')
  assert.equal(nameIn(Buffer.from(named('ISO-8859-1')), 'utf-8'), 'Zoë')
  assert.equal(nameIn(Buffer.from(named('ISO-8859-1'), 'latin1')), 'Zoë')
  const wrong = parseMetadata(Buffer.from(named('UTF-8'), 'latin1'))
  assert.equal(wrong.participants.get('a')?.names[0]?.text, 'Zoë')
  assert.match(wrong.problems[0] ?? '', /read as Latin-1/)
  assert.match(wrong.raw, /Zoë/)
})

test('D2: complete is the default, children are optional and come in any order', () => {
  const people = new People()
  const odd = parseMetadata(
    Buffer.from(`<recording xmlns="urn:ietf:params:xml:ns:recording:1">${sends('b', 's1')}${lines}${bob}</recording>`),
  )
  assert.equal(odd.mode, 'complete')
  people.merge(odd)
  assert.deepEqual(onLegs(people), ['x sip:bob@x'])
  assert.deepEqual(parse('').problems, [])
})

test('D3: a partial update changes what it names, keyed by id, and leaves the rest', () => {
  const people = new People()
  people.merge(parse(`<group group_id="g"/>${call}`))
  people.merge(
    parse(
      `<session session_id="s"><group-ref>g</group-ref></session>
    <participant participant_id="p"><nameID aor="sip:carol@x"/></participant>`,
      'partial',
    ),
  )
  assert.deepEqual(onLegs(people), ['x sip:bob@x', 'y sip:carol@x'])
  const [session] = people.sessions
  assert.equal(session?.groupId, 'g')
  assert.equal(session?.startedAtMs, Date.UTC(2026, 10, 20, 10))

  people.merge(parse(`${paul}${lines}${sends('p', 's2')}`))
  assert.deepEqual(onLegs(people), ['y sip:paul@x'], 'a complete one replaces all')
})

test('D3: a participant that is named without its addresses keeps them', () => {
  const people = new People()
  people.merge(parse(call))
  people.merge(parse('<participant participant_id="b"/>', 'partial'))
  assert.deepEqual(onLegs(people), ['x sip:bob@x', 'y sip:paul@x'])
})

test('D4: an association without send and recv means that neither is going on now', () => {
  const people = new People()
  people.merge(parse(call))
  people.merge(parse(sends('b'), 'partial'))
  assert.deepEqual(onLegs(people), ['- sip:bob@x', 'y sip:paul@x'])
  people.merge(parse(sends('b', 's1'), 'partial'))
  assert.deepEqual(onLegs(people), ['x sip:bob@x', 'y sip:paul@x'])
})

test('D5: sessions have ids, reasons, group and times; participants several addresses, names and capabilities', () => {
  const people = new People()
  people.merge(
    parse(`<group group_id="g"><associate-time>2026-11-20T10:00:00Z</associate-time></group>
    <session session_id="s"><sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</sipSessionID>
      <group-ref>g</group-ref><reason cause="486">Busy Here</reason><reason protocol="Q.850" cause="17"/>
      <start-time>2026-11-20T10:00:00Z</start-time><stop-time>2026-11-20T10:01:00Z</stop-time></session>
    <participant participant_id="b">
      <nameID aor="sip:bob@x"><name xml:lang="en">Bob</name><name xml:lang="it">Roberto</name></nameID>
      <nameID aor="tel:+12025550123"/></participant>
    <participantsessionassoc participant_id="b" session_id="s"><associate-time>2026-11-20T10:00:00Z</associate-time>
      <disassociate-time>2026-11-20T10:00:30Z</disassociate-time><param pname="video" pval="true"/></participantsessionassoc>
    <participantsessionassoc participant_id="b" session_id="s"><associate-time>2026-11-20T10:00:40Z</associate-time>
      </participantsessionassoc>${lines}${sends('b', 's1')}`),
  )
  assert.deepEqual(people.sessions, [
    {
      id: 's',
      sipSessionIds: ['ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2'],
      reasons: ['SIP 486 Busy Here', 'Q.850 17'],
      participants: [
        {
          id: 'b',
          uris: ['sip:bob@x', 'tel:+12025550123'],
          names: [
            { text: 'Bob', lang: 'en' },
            { text: 'Roberto', lang: 'it' },
          ],
          present: false,
          spans: [{ fromMs: at(0, 0), untilMs: at(0, 30) }, { fromMs: at(0, 40) }],
          params: [{ name: 'video', value: 'true' }],
          sends: ['1'],
          receives: [],
        },
      ],
      groupId: 'g',
      startedAtMs: at(0, 0),
      stoppedAtMs: at(1, 0),
    },
  ] satisfies CommunicationSession[])
})

const assoc = (times: string) =>
  `<participantsessionassoc participant_id="b" session_id="s">${times}</participantsessionassoc>`
const joins = (second: number) => `<associate-time>2026-11-20T10:00:0${second}Z</associate-time>`
const leaves = (second: number) => `<disassociate-time>2026-11-20T10:00:0${second}Z</disassociate-time>`

test('D5: a participant comes and goes several times, by partial updates that give one end at a time', () => {
  const people = new People()
  people.merge(parse(`${call}${assoc(joins(1))}`))
  people.merge(parse(assoc(leaves(2)), 'partial'))
  assert.deepEqual(onLegs(people), ['y sip:paul@x'])
  people.merge(parse(assoc(joins(3)), 'partial'))
  assert.deepEqual(onLegs(people), ['x sip:bob@x', 'y sip:paul@x'])
  assert.deepEqual(people.sessions[0]?.participants[0]?.spans, [
    { fromMs: at(0, 1), untilMs: at(0, 2) },
    { fromMs: at(0, 3) },
  ])
})

test('D6: ids are whatever a client makes of them; one id for two elements is told, and costs nothing', () => {
  for (const id of ['7+OTCyoxTmqmqyA/1weDAg==', 'urn:uuid:0d6ce7b4-fd59', '9a2de728ba0bc348db1e', 'agent 7']) {
    const people = new People()
    people.merge(
      parse(`<participant participant_id="${id}"><nameID aor="sip:bob@x"/></participant>${lines}${sends(id, 's1')}`),
    )
    assert.deepEqual(onLegs(people), ['x sip:bob@x'])
  }
  const shared = parse(`${bob}<stream stream_id="b"><label>1</label></stream>${sends('b', 'b')}`)
  assert.deepEqual(shared.problems, ['the id b is used by participants and streams'])
  const people = new People()
  people.merge(shared)
  assert.deepEqual(onLegs(people), ['x sip:bob@x'])
})

const startOf = (text: string) =>
  parse(`<session session_id="s"><start-time>${text}</start-time></session>`).sessions.get('s')?.startedAtMs

test('D7: times are read with a zone, without one (UTC), with +0000, with milliseconds, and from 1970', () => {
  for (const [text, expected] of [
    ['2026-11-20T10:00:00Z', Date.UTC(2026, 10, 20, 10)],
    ['2026-11-20T10:00:00', Date.UTC(2026, 10, 20, 10)],
    ['2026-11-20T10:00:00+0000', Date.UTC(2026, 10, 20, 10)],
    ['2026-11-20T10:00:00-05:00', Date.UTC(2026, 10, 20, 15)],
    ['2026-11-20T10:00:00+05:30', Date.UTC(2026, 10, 20, 4, 30)],
    ['2026-11-20T10:00:00.040Z', Date.UTC(2026, 10, 20, 10) + 40],
    ['1970-01-01T00:00:05Z', 5_000],
    ['yesterday', undefined],
  ] as const)
    assert.equal(startOf(text), expected, text)
})

test('D8: a label without a stream, a stream without an m-line, a participant without a stream are no faults', () => {
  const document = parse(`${call}<stream stream_id="s9" session_id="s"><label>9</label></stream>
    <participant participant_id="c"><nameID aor="sip:carol@x"/></participant>`)
  assert.deepEqual(document.problems, [])
  const people = new People()
  people.merge(document)
  assert.deepEqual(onLegs(people, 0, [...streams, { legId: 'z', label: '7' }]), [
    'x sip:bob@x',
    'y sip:paul@x',
    'z sip:carol@x',
  ])
})

test('D9: what cannot be read changes nothing of what is known, and is kept as it came', () => {
  const people = new People()
  people.merge(parse(call))
  for (const text of ['not XML', '<html><body/></html>', '<!DOCTYPE x []><x/>']) {
    const document = parseMetadata(Buffer.from(text))
    assert.equal(document.raw, text)
    assert.ok(document.problems.length > 0)
    people.merge(document)
    assert.deepEqual(onLegs(people), ['x sip:bob@x', 'y sip:paul@x'])
  }
})

const drafts = (send: string) => `<participant id="b"><nameID aor="sip:bob@x"/>${send}</participant>`

test('D10: the association goes before `send` in the participant, that before words of labels, those before the order', () => {
  const both = new People()
  both.merge(parse(`${drafts('<send>s1</send>')}${lines}${sends('b', 's2')}`))
  assert.deepEqual(onLegs(both), ['y sip:bob@x'])

  const draft = new People()
  draft.merge(parse(`${drafts('<send>s2</send>')}${lines}`))
  assert.deepEqual(onLegs(draft), ['y sip:bob@x'])

  const words = [
    { legId: 'x', label: 'b_leg' },
    { legId: 'y', label: 'a_leg' },
  ]
  const calling = '<participant id="b"><nameID aor="sip:bob@x"/><role>caller</role></participant>'
  const worded = new People()
  worded.merge(parse(`${paul}${calling}`))
  assert.deepEqual(
    worded.on(words, 0).now.map(({ uri, legId, guessed }) => [uri, legId, guessed]),
    [
      ['sip:paul@x', 'x', true],
      ['sip:bob@x', 'y', true],
    ],
  )

  const ordered = new People()
  ordered.merge(parse(`${paul}${bob}`))
  assert.deepEqual(
    ordered.on(streams, 0).now.map(({ uri, legId, guessed }) => [uri, legId, guessed]),
    [
      ['sip:paul@x', 'x', true],
      ['sip:bob@x', 'y', true],
    ],
  )
})

test('a label goes with the stream that had it last', () => {
  const people = new People()
  people.merge(parse(call))
  people.merge(
    parse(
      `<participant participant_id="c"><nameID aor="sip:carol@x"/></participant>
       <stream stream_id="s3" session_id="s"><label>2</label></stream>${sends('c', 's3')}`,
      'partial',
    ),
  )
  assert.deepEqual(onLegs(people), ['x sip:bob@x', '- sip:paul@x', 'y sip:carol@x'])
})

test('who was heard on a stream keeps the times: who left, who came, who came back', () => {
  const people = new People()
  people.merge(parse(call))
  people.on(streams, 1_000)
  people.merge(parse(sends('p'), 'partial'))
  people.on(streams, 2_000)
  people.merge(parse(sends('p', 's2'), 'partial'))
  people.on(streams, 3_000)
  people.on(streams, 4_000)
  people.merge(
    parse(`${bob}<participant participant_id="c"><nameID aor="sip:carol@x"/></participant>${lines}
    ${sends('b', 's1')}${sends('c', 's2')}`),
  )

  assert.deepEqual(
    people.on(streams, 5_000).everyone.map(({ uri, legId, heard }) => [uri, legId, heard]),
    [
      [
        'sip:paul@x',
        'y',
        [
          { fromMs: 1_000, untilMs: 2_000 },
          { fromMs: 3_000, untilMs: 5_000 },
        ],
      ],
      ['sip:bob@x', 'x', [{ fromMs: 1_000 }]],
      ['sip:carol@x', 'y', [{ fromMs: 5_000 }]],
    ],
  )
})

test('beside our times stand those of the documents; a hold, of which they say none, repeats none', () => {
  const people = new People()
  people.merge(parse(`${call}${assoc(joins(1))}`))
  people.on(streams, 1_000)
  people.merge(parse(sends('b'), 'partial'))
  people.on(streams, 2_000)
  people.merge(parse(sends('b', 's1'), 'partial'))
  people.on(streams, 3_000)
  people.merge(parse(assoc(leaves(5)), 'partial'))
  const { everyone } = people.on(streams, 6_000)
  assert.deepEqual(everyone.find(({ name }) => name === 'Bob')?.heard, [
    { fromMs: 1_000, untilMs: 2_000, statedFromMs: at(0, 1) },
    { fromMs: 3_000, untilMs: 6_000, statedUntilMs: at(0, 5) },
  ])
})

test('one line with somebody on it: who sends a stream that is not offered is guessed to be there too, others are not', () => {
  const people = new People()
  people.merge(parse(`${call}<participant participant_id="c"><nameID aor="sip:carol@x"/></participant>`))
  assert.deepEqual(
    people.on(streams.slice(0, 1), 0).now.map(({ uri, legId, guessed }) => [uri, legId, guessed]),
    [
      ['sip:bob@x', 'x', undefined],
      ['sip:paul@x', 'x', true],
      ['sip:carol@x', undefined, undefined],
    ],
  )
})

test('somebody whose stream was taken away is not guessed onto the one that is left', () => {
  const people = new People()
  people.merge(parse(call))
  people.on(streams, 0)
  assert.deepEqual(onLegs(people, 1, streams.slice(0, 1)), ['x sip:bob@x', '- sip:paul@x'])
})

test('a session that stopped, or left the recording session, has nobody in it any more', () => {
  const assoc = `<participantsessionassoc participant_id="b" session_id="s"/>`
  for (const end of [
    '<session session_id="s"><stop-time>2026-11-20T10:05:00Z</stop-time></session>',
    '<sessionrecordingassoc session_id="s"><disassociate-time>2026-11-20T10:05:00Z</disassociate-time></sessionrecordingassoc>',
  ]) {
    const people = new People()
    people.merge(parse(`${call}${assoc}`))
    people.merge(parse(end, 'partial'))
    assert.deepEqual(onLegs(people), ['y sip:paul@x'])
  }
})

const filled = (bytes: number) => {
  const start = `<recording>${bob}${lines}${sends('b', 's1')}<!--`
  return Buffer.from(`${start}${'x'.repeat(bytes - start.length - 15)}--></recording>`)
}

test('a document of 1 MB is read, one byte more is kept and not read', () => {
  assert.equal(filled(1_048_576).length, 1_048_576)
  assert.equal(parseMetadata(filled(1_048_576)).participants.size, 1)
  const large = parseMetadata(filled(1_048_577))
  assert.equal(large.participants.size, 0)
  assert.equal(large.raw.length, 1_048_576)
  assert.match(large.problems[0] ?? '', /larger than/)
})

test('a client that never repeats an id does not fill the memory, nor one whose participant comes and goes for weeks', () => {
  let state: MetadataState = noMetadata
  for (let turn = 0; turn < 30; turn++) {
    const people = Array.from({ length: 50 }, (_, i) => {
      const id = `p${turn}-${i}`
      return `<participant participant_id="${id}"><nameID aor="sip:${id}@x"/></participant>${sends(id, id)}`
    })
    const times = Array.from(
      { length: 10 },
      (_, i) => `<associate-time>2026-11-20T10:${turn + 10}:${i + 10}Z</associate-time>`,
    )
    const visit = `<participantsessionassoc participant_id="b" session_id="s">${times.join('')}</participantsessionassoc>`
    state = mergeMetadata(state, parse(people.join('') + visit, 'partial'))
  }
  const { participants, sending, presence } = state
  assert.deepEqual([participants.size, sending.size, presence.get('b')?.get('s')?.spans.length], [1_000, 1_000, 100])
  assert.ok(participants.has('p29-49') && !participants.has('p0-0'), 'the oldest were left out')
})
