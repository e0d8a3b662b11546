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

test('between late and calm the share grows slowly and is not whole; calm it is, and the end is told with what was refused', () => {
  now = late
  clock.advance(2_000)
  now = { lagMs: 200, busy: 0.9 }
  const before = comeIn(1_000)
  const after = comeIn(2_000)
  assert.ok(after > before && after < 2 * before, `${before}, then ${after}`)
  comeIn(60_000)
  assert.equal(load.overloaded, true)
  now = calm
  comeIn(1_000)
  assert.equal(load.overloaded, false)
  assert.equal(comeIn(1_000), 1)
  assert.deepEqual(told.slice(1), [`{"name":"server.recovered","refused":${load.refused}}`])
})

test('a queue that grows shorter is not cured twice', () => {
  now = { lagMs: 1_000, busy: 1 }
  clock.advance(800)
  const shares = [800, 600, 450, 330].map((lagMs) => {
    now = { lagMs, busy: 1 }
    return comeIn(200)
  })
  assert.deepEqual(new Set(shares).size, 1, shares.join(' '))
})

test('a thread that is late without work of its own refuses nobody: it would be late all the same', () => {
  now = { lagMs: 400, busy: 0.2 }
  assert.equal(comeIn(10_000), 1)
})

/**
 * A server whose calls cost 2 ms each, offered so many a second for a minute; a refusal costs a twentieth of a call.
 * @param stolen Share of the time that other programs have the processor, up to 60 ms at once.
 * @returns Calls served a second, and how late it was at most once the first ten seconds were over.
 */
function offered(
  callsPerSecond: number,
  { maxLagMs = 300, stolen = 0 } = {},
): { readonly served: number; readonly lateMs: number } {
  const costMs = { served: 2, refused: 0.1 }
  let [backlogMs, workedMs, readMs, admitted, coming, lateMs, goneMs, seed] = [0, 0, 0, 0, 0, 0, 0, 7]
  const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const read = (): LoadReading => {
    const busy = workedMs / Math.max(1, clock.now() - readMs)
    workedMs = 0
    readMs = clock.now()
    return { lagMs: backlogMs + goneMs, busy: Math.min(1, busy) }
  }
  clock = new FakeClock()
  load = new LoadWatch({ clock, bus: new FactBus(), probe: { read, close: () => {} }, maxLagMs })
  for (; clock.now() < 60_000; clock.advance(10)) {
    for (coming += callsPerSecond / 100; coming >= 1; coming--) {
      const served = load.admit()
      if (served) admitted++
      backlogMs += served ? costMs.served : costMs.refused
    }
    if (goneMs <= 0 && random() < stolen / 3) goneMs = 60 * random()
    const doneMs = Math.min(backlogMs, Math.max(0, 10 - goneMs))
    goneMs = Math.max(0, goneMs - 10)
    backlogMs -= doneMs
    workedMs += doneMs
    if (clock.now() > 10_000) lateMs = Math.max(lateMs, backlogMs)
  }
  return { served: admitted / 60, lateMs }
}

test('a server for 500 calls a second serves all of 480, and of many more most of what it can, in time', () => {
  assert.equal(Math.round(offered(480).served), 480)
  for (const maxLagMs of [300, 30])
    for (const more of [520, 700, 1_000, 2_000]) {
      const { served, lateMs } = offered(more, { maxLagMs })
      // Refusing the others takes of its time.
      const able = 500 - (more - 500) / 19
      assert.ok(
        served > 0.85 * able && lateMs < 400,
        `${more}: ${served.toFixed()} served, ${lateMs.toFixed()} ms late`,
      )
    }
  assert.ok(offered(4_000).served > 250)
})

test('on a machine full of others it serves half of what is left, though it can never be as early as it shall', () => {
  for (const more of [500, 700, 1_000]) {
    const { served, lateMs } = offered(more, { maxLagMs: 30, stolen: 0.3 })
    assert.ok(served > 175 && lateMs < 450, `${more}: ${served.toFixed()} served, ${lateMs.toFixed()} ms late`)
  }
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
