import assert from 'node:assert/strict'
import { test } from 'node:test'
import { People } from './people.ts'
import { parseMetadata } from './read.ts'

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

test('a label that comes twice names the first stream only; streams without labels are recorded all the same', () => {
  const people = new People()
  people.merge(document(person('bob', '1') + person('paul', '2')))
  const { now, channelOrder } = people.on([{ legId: 'x', label: '1' }, { legId: 'y', label: '1' }, { legId: 'z' }], 0)

  assert.deepEqual(now[0], { uri: 'sip:bob@x', legId: 'x', label: '1' })
  assert.deepEqual(channelOrder, ['x', 'y', 'z'])
})
