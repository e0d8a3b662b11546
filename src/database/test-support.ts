/** Facts of one small call, and a database to write them into. For tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { FactOf, RecordingFile, TracedMessage } from '../events/catalogue.ts'
import type { Journal } from './journal.ts'
import { type Database, openDatabase } from './open.ts'

export const alice = { uri: 'sip:101@example.com', name: 'Alice Ärmel', extension: '101' }
export const bob = { uri: 'sip:102@example.com', name: 'Bob 100%' }

export interface Kept {
  readonly database: Database
  readonly bus: FactBus
  readonly clock: FakeClock
  readonly journal: Journal
}

export async function keepFacts(t: TestContext, path = ':memory:', log: Logger = silentLogger): Promise<Kept> {
  const database = await openDatabase({ path, log })
  t.after(() => database.close())
  const bus = new FactBus()
  const clock = new FakeClock()
  return { database, bus, clock, journal: database.keep(bus, clock) }
}

/** A file in a folder of its own, gone when the test is over. */
export function databaseFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-database-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'data', 'patchbay.db')
}

export const started = (callId: string, atMs = 1_000): FactOf<'call.started'> => ({
  name: 'call.started',
  atMs,
  callId,
  kind: 'pbx',
  from: alice,
  to: bob,
})

export const legStarted = (callId: string, legId: string, atMs = 1_000): FactOf<'leg.started'> => ({
  name: 'leg.started',
  atMs,
  callId,
  legId,
  role: 'caller',
  party: alice,
  sipCallId: `${legId}@Phone`,
  transport: 'udp',
  remote: '192.0.2.1:5060',
})

export const ended = (callId: string, atMs = 9_000): FactOf<'call.ended'> => ({
  name: 'call.ended',
  atMs,
  callId,
  reason: 'hangup',
  by: 'caller',
})

export const wav = (name: string): RecordingFile => ({
  name,
  kind: 'leg',
  legId: 'l',
  channels: 1,
  sampleRateHz: 8_000,
  samples: 8_000,
  bytes: 16_044,
  startedAtMs: 1_500,
})

export const stored = (callId: string, recordingId: string, interrupted = false): FactOf<'recording.stored'> => ({
  name: 'recording.stored',
  atMs: 9_500,
  callId,
  recordingId,
  baseName: recordingId,
  files: [wav(`${recordingId}.wav`)],
  participants: [
    { uri: alice.uri, legId: 'l', channel: 0 },
    { name: 'Bob', label: '2', channel: 1, guessed: true },
  ],
  durationMs: 8_000,
  interrupted,
})

export const message = (summary: string): TracedMessage => ({
  atMs: 1_000,
  direction: 'in',
  transport: 'udp',
  local: '192.0.2.9:5060',
  remote: '192.0.2.1:5060',
  sipCallId: 'x@y',
  summary,
  text: `${summary}\r\n\r\n`,
})
