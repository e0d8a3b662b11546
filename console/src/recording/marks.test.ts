import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Leg } from '../../../src/api/schemas/calls.ts'
import type { Recording, RecordingFile, RecordingMark } from '../../../src/api/schemas/recordings.ts'
import { marksIn } from './marks.ts'

const file: RecordingFile = {
  name: 'ab.wav',
  kind: 'combined',
  channels: 2,
  sampleRateHz: 8_000,
  samples: 80_000,
  bytes: 160_044,
  startedAtMs: 1_000,
}

const recording = (marks: RecordingMark[]): Recording => ({
  id: 'r1',
  callId: 'c1',
  state: 'stored',
  startedAtMs: 1_000,
  tags: [],
  files: [file],
  participants: [
    { name: 'Alice', legId: 'l1', channel: 0 },
    { name: 'Bob', legId: 'l2', channel: 1 },
  ],
  marks,
})
const legs: Leg[] = []

test('a pause lies where it was in the file, and says who paused', () => {
  const marks = marksIn(
    file,
    recording([{ kind: 'paused', what: 'recording', fromMs: 3_000, untilMs: 5_500, by: 'api', who: 'anna' }]),
    legs,
  )
  assert.deepEqual(marks, [{ kind: 'paused', fromS: 2, untilS: 4.5, text: 'Paused by anna' }])
})

test('a mark that began before the file or never ended stops at the ends of the file', () => {
  const [mark] = marksIn(file, recording([{ kind: 'paused', fromMs: 0, by: 'signalling' }]), legs)
  assert.deepEqual(mark, { kind: 'paused', fromS: 0, untilS: 10, text: 'Paused by the recording client' })
})

test('a muted or silent leg is marked on its own channel, by its name', () => {
  const marks = marksIn(
    file,
    recording([
      { kind: 'muted', legId: 'l2', fromMs: 2_000, untilMs: 3_000, by: 'digits' },
      { kind: 'silent', legId: 'l1', fromMs: 4_000, untilMs: 5_000, by: 'time' },
    ]),
    legs,
  )
  assert.deepEqual(
    marks.map(({ channel, text }) => ({ channel, text })),
    [
      { channel: 1, text: 'Bob muted by keys on the phone' },
      { channel: 0, text: 'Nothing came from Alice' },
    ],
  )
})

test('what is outside of the file, of another leg or of the transcription alone is not marked', () => {
  const marks = [
    { kind: 'paused', fromMs: 20_000, by: 'api' },
    { kind: 'paused', what: 'transcription', fromMs: 2_000, by: 'api' },
    { kind: 'muted', legId: 'l2', fromMs: 2_000, by: 'api' },
  ] as const
  assert.deepEqual(marksIn({ ...file, kind: 'leg', legId: 'l1' }, recording([...marks]), legs), [])
})
