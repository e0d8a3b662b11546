import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../core/logger.ts'
import { openDatabase } from './open.ts'
import { databaseFile, ended, keepFacts, legStarted, started, stored } from './test-support.ts'

test('calls that a killed process left open end at its last sign of life', async (t) => {
  const path = databaseFile(t)
  const first = await keepFacts(t, path)
  const startedAtMs = first.clock.wallMs()
  first.bus.publish(started('open', startedAtMs))
  first.bus.publish(legStarted('open', 'l', startedAtMs))
  first.bus.publish({ name: 'recording.started', atMs: startedAtMs, callId: 'open', recordingId: 'r', folder: '/data' })
  first.bus.publish(started('done', startedAtMs))
  first.bus.publish(ended('done', startedAtMs + 500))
  first.clock.advance(60_000)
  await first.journal.flush()

  // The process is gone: nothing is closed, the file is opened again.
  const next = await openDatabase({ path, log: silentLogger })
  t.after(() => next.close())
  const ids = await next.markInterrupted(startedAtMs + 3_600_000)

  assert.deepEqual(ids, ['open'])
  const call = await next.history.call('open')
  assert.equal(call?.endReason, 'interrupted')
  assert.equal(call?.endedAtMs, startedAtMs + 60_000)
  assert.equal(call?.legs[0]?.endedAtMs, startedAtMs + 60_000)
  assert.equal(call?.recordings[0]?.state, 'interrupted')
  assert.equal((await next.history.call('done'))?.endReason, 'hangup')
  assert.deepEqual(await next.markInterrupted(startedAtMs + 3_600_000), [])
})

test('a repaired recording is told after the restart and gets its files', async (t) => {
  const { bus, database } = await keepFacts(t)
  bus.publish(started('c'))
  await database.history.call('c')
  await database.markInterrupted(50_000)

  bus.publish(stored('c', 'r', true))

  const recording = await database.history.recording('r')
  assert.deepEqual([recording?.state, recording?.startedAtMs, recording?.files.length], ['interrupted', 1_500, 1])
})

test('an interrupted call ends no later than the clock says now', async (t) => {
  const { bus, clock, database, journal } = await keepFacts(t)
  bus.publish(started('c', clock.wallMs()))
  clock.advance(60_000)
  await journal.flush()

  await database.markInterrupted(clock.wallMs() - 30_000)

  assert.equal((await database.history.call('c'))?.endedAtMs, clock.wallMs() - 30_000)
})

test('no sign of life is written while no call lives', async (t) => {
  const { bus, clock, journal } = await keepFacts(t)
  bus.publish(started('c'))
  bus.publish(ended('c'))
  clock.advance(1_000)
  await journal.flush()
  assert.equal(clock.pendingTimers, 1) // the look at other writers
})
