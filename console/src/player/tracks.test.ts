import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Recording, RecordingFile } from '../../../src/api/schemas/recordings.ts'
import { fileAddress, fileTitle, fileToPlay, tracksOf } from './tracks.ts'

const file = (name: string, more: Partial<RecordingFile> = {}): RecordingFile => ({
  name,
  kind: 'leg',
  channels: 1,
  sampleRateHz: 8_000,
  samples: 8_000,
  bytes: 16_044,
  startedAtMs: 0,
  ...more,
})

const recording = (files: RecordingFile[], participants: Recording['participants']): Recording => ({
  id: 'r1',
  callId: 'c1',
  state: 'stored',
  startedAtMs: 0,
  tags: [],
  files,
  participants,
})

test('the combined file is played, else the longest leg', () => {
  const short = file('a.wav')
  const long = file('b.wav', { samples: 9_000 })
  const combined = file('ab.wav', { kind: 'combined', channels: 2 })
  assert.equal(fileToPlay([short, long, combined]), combined)
  assert.equal(fileToPlay([short, long]), long)
  assert.equal(fileToPlay([]), undefined)
})

test('each channel carries the name of its participant, and says when that was guessed', () => {
  const combined = file('ab.wav', { kind: 'combined', channels: 3 })
  const tracks = tracksOf(
    combined,
    recording(
      [combined],
      [
        { name: 'Bob', channel: 1, guessed: true },
        { uri: 'sip:101@x', channel: 0 },
      ],
    ),
    [],
  )
  assert.deepEqual(tracks, [
    { channel: 0, name: '101', guessed: false },
    { channel: 1, name: 'Bob', guessed: true },
    { channel: 2, name: 'Channel 3', guessed: false },
  ])
})

test('a single leg is named by its participant, found by leg or by the label of the stream', () => {
  const byLeg = file('a.wav', { legId: 'l1' })
  const byLabel = file('b.wav', { label: '96' })
  const both = recording(
    [byLeg, byLabel],
    [
      { name: 'Alice', legId: 'l1' },
      { name: 'Bob', label: '96' },
    ],
  )
  assert.equal(fileTitle(byLeg, both, []), 'Alice')
  assert.equal(fileTitle(byLabel, both, []), 'Bob')
})

test('names with characters of their own meaning survive in the address', () => {
  assert.equal(fileAddress('r/1', 'a@b#?%.wav'), '/api/recordings/r%2F1/files/a%40b%23%3F%25.wav')
})

test('packets of a codec that is not decoded are not played, and named as what they are', () => {
  const raw = file('a.rtpdump', { kind: 'raw', channels: 0, samples: 0, legId: 'l1' })
  const leg = file('b.wav', { legId: 'l2' })
  assert.equal(fileToPlay([raw, leg]), leg)
  assert.equal(fileToPlay([raw]), undefined)
  assert.equal(fileTitle(raw, recording([raw], [{ name: 'Alice', legId: 'l1' }]), []), 'Alice, packets as received')
})

test('a combined file of four streams is not called both sides', () => {
  const all = file('all.wav', { kind: 'combined', channels: 4 })
  assert.equal(fileTitle(all, recording([all], []), []), 'All voices')
  const two = file('two.wav', { kind: 'combined', channels: 2 })
  assert.equal(fileTitle(two, recording([two], []), []), 'Both sides')
})
