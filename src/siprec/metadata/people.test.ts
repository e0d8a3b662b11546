import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMetadata } from './document/read.ts'
import { People } from './people.ts'

const person = (id: string, label: string) => `<participant id="${id}"><nameID aor="sip:${id}@x"/></participant>
  <stream id="${label}"><label>${label}</label></stream>
  <participantstreamassoc participant_id="${id}"><send>${label}</send></participantstreamassoc>`
const document = (content: string, mode = 'complete') =>
  parseMetadata(Buffer.from(`<recording><datamode>${mode}</datamode>${content}</recording>`))
const uris = (people: readonly { uri?: string; legId?: string }[]) => people.map(({ uri, legId }) => [uri, legId])

const streams = [
  { legId: 'x', label: '1' },
  { legId: 'y', label: '2' },
]

test('after a transfer the recording names both who were heard on the stream, the call only who is there now', () => {
  const people = new People()
  people.merge(document(person('bob', '1') + person('paul', '2')))
  people.on(streams, 0)
  people.merge(document(person('bob', '1') + person('carol', '2')))
  const { now, everyone } = people.on(streams, 0)

  assert.deepEqual(uris(now), [
    ['sip:bob@x', 'x'],
    ['sip:carol@x', 'y'],
  ])
  assert.deepEqual(uris(everyone), [
    ['sip:paul@x', 'y'],
    ['sip:bob@x', 'x'],
    ['sip:carol@x', 'y'],
  ])
})

test('who is on hold is still named for what was heard, once', () => {
  const people = new People()
  people.merge(document(person('bob', '1')))
  people.on(streams, 0)
  people.merge(document('<participantstreamassoc participant_id="bob"/>', 'partial'))

  assert.deepEqual(uris(people.on(streams, 0).now), [['sip:bob@x', undefined]])
  assert.deepEqual(uris(people.on(streams, 0).everyone), [['sip:bob@x', 'x']])
})

test('a guess is forgotten when the metadata says better', () => {
  const people = new People()
  people.merge(document('<participant id="bob"><nameID aor="sip:bob@x"/></participant>'))
  assert.deepEqual(uris(people.on(streams, 0).everyone), [['sip:bob@x', 'x']])
  people.merge(document(person('bob', '2')))
  assert.deepEqual(uris(people.on(streams, 0).everyone), [['sip:bob@x', 'y']])
})

test('a session that is taken up again after a restart knows what it knew: a partial update finds its people', () => {
  const people = new People()
  people.merge(
    document(`${person('bob', '1')}${person('paul', '2')}<x:ucid xmlns:x="urn:x">00001000011700000000</x:ucid>`),
  )
  people.on(streams, 0)
  const again = new People(undefined, JSON.parse(JSON.stringify(people.save())) as ReturnType<People['save']>)
  assert.deepEqual(again.vendor, people.vendor)
  assert.equal(again.vendor?.ucid, '00001000011700000000')
  again.merge(document('<participantstreamassoc participant_id="paul"/>', 'partial'))
  const { now, everyone } = again.on(streams, 5)
  assert.deepEqual(uris(now), [
    ['sip:bob@x', 'x'],
    ['sip:paul@x', undefined],
  ])
  assert.deepEqual(everyone[0]?.heard, [{ fromMs: 0, untilMs: 5 }])
})

test('a label that comes twice names the first stream only; streams without labels are recorded all the same', () => {
  const people = new People()
  people.merge(document(person('bob', '1') + person('paul', '2')))
  const { now, channelOrder } = people.on([{ legId: 'x', label: '1' }, { legId: 'y', label: '1' }, { legId: 'z' }], 0)

  assert.deepEqual(now[0], { uri: 'sip:bob@x', legId: 'x', label: '1' })
  assert.deepEqual(channelOrder, ['x', 'y', 'z'])
})
