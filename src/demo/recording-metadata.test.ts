import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMetadata } from '../siprec/metadata/document/read.ts'
import { recordingMetadata } from './recording-metadata.ts'

test('the recording server reads who speaks on which stream, and no problem', () => {
  const parties = [
    { label: '1', uri: 'sip:alice@example.com', name: 'Alice & <Co>' },
    { label: '2', uri: 'sip:bob@example.com', name: 'Bob' },
  ]

  const read = parseMetadata(Buffer.from(recordingMetadata('session', parties, new Date(0))))

  assert.deepEqual(read.problems, [])
  const told = Array.from(read.participants.values(), ({ id, uris, names: [name] }) => {
    const streams = read.sending.get(id)?.send ?? []
    return { label: read.streams.get(streams[0] ?? '')?.label, uri: uris[0], name: name?.text }
  })
  assert.deepEqual(told, parties)
  assert.ok(Array.from(read.participants.values()).every(({ id }) => read.sending.get(id)?.receive.length === 1))
})
