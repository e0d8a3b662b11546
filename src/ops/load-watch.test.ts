import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { FactBus } from '../events/bus.ts'
import { eventLoopProbe, keepsUp, type LoadReading, LoadWatch } from './load-watch.ts'

const calm: LoadReading = { lagMs: 5, busy: 0.3 }
const late: LoadReading = { lagMs: 400, busy: 0.9 }

let clock: FakeClock
let told: string[]
let now: LoadReading
let load: LoadWatch
beforeEach(() => {
  clock = new FakeClock()
  told = []
  now = calm
  const bus = new FactBus()
  bus.onAny((fact) => told.push(JSON.stringify({ ...fact, atMs: undefined })))
  load = new LoadWatch({ clock, bus, probe: { read: () => now, close: () => {} }, maxLagMs: 300 })
})

/** Calls that come in of `perLook`, evenly over this time. */
function comeIn(ms: number, perLook = 100): number {
  let count = 0
  for (let at = 0; at < ms; at += 200) {
    for (let call = 0; call < perLook; call++) if (load.admit()) count++
    clock.advance(200)
  }
  return count / ((ms / 200) * perLook)
}

test('a thread that keeps up takes every call', async () => {
  assert.equal(comeIn(10_000), 1)
  await keepsUp(load)()
})

test('one long pause refuses nobody', () => {
  now = { lagMs: 5_000, busy: 1 }
  clock.advance(200)
  now = calm
  assert.equal(comeIn(2_000), 1)
  assert.deepEqual(told, [])
})

test('a late thread takes fewer and fewer calls, never none, and says so once', async () => {
  now = late
  clock.advance(800)
  const first = comeIn(200)
  comeIn(1_000)
  const later = comeIn(1_000)
  assert.ok(first < 0.8 && later < first / 2 && later >= 0.01, `${first}, then ${later}`)
  assert.deepEqual(told, ['{"name":"server.overloaded","lagMs":400,"busy":0.9}'])
  await assert.rejects(keepsUp(load)(), /400 ms late; new calls are refused/)
})

test('one that has no time left is overloaded without a lag', () => {
  now = { lagMs: 20, busy: 0.99 }
  clock.advance(2_000)
  assert.equal(load.overloaded, true)
})

test('one that stands still takes none', () => {
  now = { lagMs: 2_000, busy: 1 }
  clock.advance(800)
  assert.equal(comeIn(1_000), 0)
})

test('between late and calm the share stays; calm it grows back, and the end is told with what was refused', () => {
  now = late
  clock.advance(2_000)
  now = { lagMs: 200, busy: 0.9 }
  const before = comeIn(1_000)
  assert.equal(comeIn(10_000), before)
  now = calm
  comeIn(10_000)
  assert.equal(load.overloaded, false)
  assert.equal(comeIn(1_000), 1)
  assert.deepEqual(told.slice(1), [`{"name":"server.recovered","refused":${load.refused}}`])
})

/**
 * A server whose calls cost 2 ms each, offered so many a second for a minute; a refusal costs a twentieth of a call.
 * @returns Calls served a second, and how late it was at most once the first ten seconds were over.
 */
function offered(callsPerSecond: number): { readonly served: number; readonly lateMs: number } {
  const costMs = { served: 2, refused: 0.1 }
  let [backlogMs, workedMs, readMs, admitted, coming, lateMs] = [0, 0, 0, 0, 0, 0]
  const read = (): LoadReading => {
    const busy = workedMs / Math.max(1, clock.now() - readMs)
    workedMs = 0
    readMs = clock.now()
    return { lagMs: backlogMs, busy: Math.min(1, busy) }
  }
  clock = new FakeClock()
  load = new LoadWatch({ clock, bus: new FactBus(), probe: { read, close: () => {} }, maxLagMs: 300 })
  for (; clock.now() < 60_000; clock.advance(10)) {
    for (coming += callsPerSecond / 100; coming >= 1; coming--) {
      const served = load.admit()
      if (served) admitted++
      backlogMs += served ? costMs.served : costMs.refused
    }
    const doneMs = Math.min(backlogMs, 10)
    backlogMs -= doneMs
    workedMs += doneMs
    if (clock.now() > 10_000) lateMs = Math.max(lateMs, backlogMs)
  }
  return { served: admitted / 60, lateMs }
}

test('a server for 500 calls a second serves all of 480, and of many more most of what it can, in time', () => {
  assert.equal(Math.round(offered(480).served), 480)
  for (const more of [520, 700, 1_000, 2_000]) {
    const { served, lateMs } = offered(more)
    assert.ok(served > 350 && lateMs < 400, `${more} a second: ${served.toFixed()} served, ${lateMs.toFixed()} ms late`)
  }
  assert.ok(offered(4_000).served > 250)
})

test('without a bound every call comes in', () => {
  load = new LoadWatch({ clock, bus: new FactBus(), probe: { read: () => late, close: () => {} }, maxLagMs: 0 })
  assert.equal(comeIn(10_000), 1)
})

test('closed, it leaves no timer', () => {
  load.close()
  assert.equal(clock.pendingTimers, 0)
})

test('the event loop that is blocked shows how long, also while it is', () => {
  const { probe, block } = blockable()
  clock.advance(1_000)
  assert.equal(probe.read().lagMs, 0)
  block(400)
  assert.ok(probe.read().lagMs >= 350)
  clock.advance(1_000)
  assert.ok(probe.read().lagMs >= 350, 'the timer came late')
  assert.equal(probe.read().lagMs, 0)
  probe.close()
})

/** Time passes without a timer being served. */
function blockable() {
  let blockedMs = 0
  const blocked = { now: () => clock.now() + blockedMs, wallMs: () => 0, after: clock.after.bind(clock) }
  return { probe: eventLoopProbe(blocked), block: (ms: number) => void (blockedMs += ms) }
}
