import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact } from '../events/catalogue.ts'
import { readUnfinished } from './manifest.ts'
import { Pauses } from './pauses.ts'
import { type PauseSettings, Recordings } from './service.ts'
import { HearingPort, noise } from './test-support.ts'

const alice = { uri: 'sip:101@pbx', extension: '101' }
const carol = { uri: 'sip:+15551234@carrier' }

function callOf(t: TestContext, pause: PauseSettings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-pauses-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new FakeClock()
  const startMs = clock.wallMs()
  const facts: Fact[] = []
  const bus = new FactBus()
  bus.onAny((fact) => {
    if (/recording\.(paused|resumed|muted)/.test(fact.name)) facts.push(fact)
  })
  const recordings = new Recordings({ folder, bus, clock, log: silentLogger, pause })
  const ports = [1, 2].map((seed) => new HearingPort({ samples: noise(seed, 80), startedAtMs: startMs }))
  const [a, b] = ports as [HearingPort, HearingPort]
  const recording = recordings.start({
    callId: 'call',
    name: 'call',
    tracks: [
      { port: a, legId: 'a', role: 'caller', party: alice },
      { port: b, legId: 'b', role: 'callee', party: carol },
    ],
  })
  const paused = (): boolean[] => ports.map(({ recordingPaused }) => recordingPaused)
  const told = (): string[] => facts.map((fact) => JSON.stringify({ ...fact, atMs: fact.atMs - startMs }))
  const manifest = () => JSON.parse(readFileSync(join(folder, 'call.json'), 'utf8')) as { marks?: unknown }
  return { folder, recordings, recording, ports: [a, b] as const, paused, told, facts, clock, startMs, manifest }
}

const byApi = { by: 'api', who: 'ops' } as const

test('a pause silences every leg, is told, and leaves a mark with who asked for it', async (t) => {
  const { recording, paused, facts, clock, startMs, manifest } = callOf(t)
  clock.advance(1000)
  recording.pause(byApi)
  assert.deepEqual(paused(), [true, true])
  assert.deepEqual(recording.status, {
    recordingPaused: true,
    transcriptionPaused: false,
    pausedAtMs: startMs + 1000,
    mutedLegs: [],
  })
  clock.advance(500)
  recording.resume(byApi)
  assert.deepEqual(paused(), [false, false])
  await recording.stop()
  const about = { callId: 'call', recordingId: recording.id }
  assert.deepEqual(facts, [
    { name: 'recording.paused', what: 'recording', ...byApi, atMs: startMs + 1000, ...about },
    { name: 'recording.resumed', what: 'recording', ...byApi, pausedMs: 500, atMs: startMs + 1500, ...about },
  ])
  assert.deepEqual(manifest().marks, [
    { kind: 'paused', what: 'recording', fromMs: startMs + 1000, by: 'api', who: 'ops', untilMs: startMs + 1500 },
  ])
})

test('a leg that joins while paused is silent from its first packet', async (t) => {
  const { recording } = callOf(t)
  recording.pause(byApi)
  const third = new HearingPort()
  recording.addTrack({ port: third, legId: 'c', role: 'callee', party: carol })
  assert.ok(third.recordingPaused)
  await recording.stop()
})

test('what a person paused the signalling does not resume, nor the other way round', async (t) => {
  const { recording, paused, facts } = callOf(t)
  recording.pause(byApi)
  recording.pause({ by: 'signalling' })
  recording.resume({ by: 'signalling' })
  assert.deepEqual(paused(), [true, true])
  recording.pause({ by: 'signalling' })
  recording.resume(byApi)
  assert.deepEqual(paused(), [true, true])
  recording.resume({ by: 'signalling' })
  assert.deepEqual(paused(), [false, false])
  assert.deepEqual(
    facts.map(({ name }) => name),
    ['recording.paused', 'recording.resumed'],
  )
  await recording.stop()
})

test('a pause of the transcription alone keeps recording', async (t) => {
  const { recording, paused, facts } = callOf(t)
  recording.pause({ ...byApi, what: 'transcription' })
  assert.deepEqual(paused(), [false, false])
  recording.pause({ ...byApi, what: 'both' })
  assert.deepEqual(
    facts.map((fact) => 'what' in fact && fact.what),
    ['transcription', 'recording'],
  )
  await recording.stop()
})

test('a pause ends by itself when its time is up, and a later order sets the time anew', async (t) => {
  const { recording, paused, facts, clock, startMs } = callOf(t, { longestMs: 60_000, usualMs: 60_000 })
  recording.pause({ ...byApi, autoResumeMs: 10_000 })
  assert.equal(recording.status.autoResumeAtMs, startMs + 10_000)
  clock.advance(9000)
  recording.pause({ ...byApi, autoResumeMs: 3_600_000 })
  assert.equal(recording.status.autoResumeAtMs, startMs + 69_000)
  clock.advance(59_999)
  assert.deepEqual(paused(), [true, true])
  clock.advance(1)
  assert.deepEqual(paused(), [false, false])
  const last = facts.at(-1)
  assert.ok(last?.name === 'recording.resumed' && last.by === 'time' && last.pausedMs === 69_000)
  assert.equal(clock.pendingTimers, 0)
  await recording.stop()
})

test('one side is muted and the other recorded', async (t) => {
  const { recording, paused, clock, startMs, manifest } = callOf(t)
  recording.mute('b', byApi)
  assert.deepEqual([paused(), recording.status.mutedLegs], [[false, true], ['b']])
  clock.advance(100)
  recording.unmute('b', byApi)
  recording.mute('a', byApi)
  assert.deepEqual(paused(), [true, false])
  clock.advance(100)
  await recording.stop()
  assert.deepEqual(manifest().marks, [
    { kind: 'muted', legId: 'b', fromMs: startMs, untilMs: startMs + 100, by: 'api', who: 'ops' },
    { kind: 'muted', legId: 'a', fromMs: startMs + 100, untilMs: startMs + 200, by: 'api', who: 'ops' },
  ])
})

const press = (port: HearingPort, digits: string): void => {
  for (const digit of digits) port.emit('digit', { digit, durationMs: 100 })
}

test('an extension pauses and resumes by digits; who calls from outside cannot', async (t) => {
  const { recording, ports, paused, told, clock } = callOf(t, { digits: '*1' })
  const [a, b] = ports
  assert.deepEqual([a.hearsTones, b.hearsTones], [true, false])
  press(b, '*1')
  assert.deepEqual(paused(), [false, false])
  press(a, '*')
  clock.advance(3001)
  press(a, '1')
  assert.deepEqual(paused(), [false, false])
  press(a, '55*1')
  assert.deepEqual(paused(), [true, true])
  press(a, '*1')
  assert.deepEqual(paused(), [false, false])
  assert.match(told()[0] ?? '', /"by":"digits","who":"101"/)
  await recording.stop()
})

test('the recordings that are being made are found by their call until they stop', async (t) => {
  const { recordings, recording } = callOf(t)
  assert.equal(recordings.liveOf('call'), recording)
  assert.deepEqual(recording.legIds, ['a', 'b'])
  await recording.stop()
  assert.equal(recordings.liveOf('call'), undefined)
  recording.pause(byApi)
  assert.equal(recording.status.recordingPaused, false)
})

test('of a session that is gone on with a mute is told again: who hides its digits must know', () => {
  const told: string[] = []
  const pauses = new Pauses({
    clock: new FakeClock(),
    paused: () => {},
    resumed: () => {},
    muted: (legId, on) => told.push(`${legId} ${on}`),
  })
  pauses.takeUp([
    { kind: 'muted', legId: 'a', fromMs: 1, by: 'api' },
    { kind: 'muted', legId: 'b', fromMs: 1, untilMs: 2, by: 'api' },
  ])
  assert.deepEqual(told, ['a true'])
})

test('a pause with an end of its own ends then after a restart too, and does not swallow the rest of the call', async (t) => {
  const { recording, clock, folder, startMs } = callOf(t)
  recording.pause({ ...byApi, autoResumeMs: 60_000 })
  recording.pause({ ...byApi, autoResumeMs: 30_000 })
  await recording.leave()
  clock.advance(10_000)
  const { manifests: unfinished } = await readUnfinished(folder)
  const bus = new FactBus()
  const again = await new Recordings({ folder, bus, clock, log: silentLogger, unfinished }).takeUp('call')
  assert.deepEqual([again?.status.recordingPaused, again?.status.autoResumeAtMs], [true, startMs + 30_000])
  clock.advance(20_000)
  assert.equal(again?.status.recordingPaused, false)
  await again?.stop()
})
