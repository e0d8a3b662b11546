import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pulse } from './pulse.ts'
import { Vitals } from './vitals.ts'

/** A worker that is looked at, each half second of `beat` or silence. */
function watched(limitMs = 20_000) {
  const worker = new Pulse()
  const vitals = new Vitals(new Pulse(worker.memory))
  let nowMs = 0
  let cpuMs = 0
  const look = (parts = 0) => vitals.look({ nowMs: (nowMs += 500), limitMs, parts })
  return {
    vitals,
    /** @param busyMs What it worked in this half second. */
    runs: (busyMs = 0, parts = 0) => {
      worker.beat((cpuMs += busyMs))
      return look(parts)
    },
    stands: (looks: number) => Array.from({ length: looks }, () => look()).filter((change) => change !== undefined),
  }
}

test('a standstill is told after two seconds, and once; its end too', () => {
  const { vitals, runs, stands } = watched()
  runs()
  assert.deepEqual(stands(3), [])
  assert.equal(vitals.stalledMs, 0)
  assert.deepEqual(stands(1), ['stalled'])
  assert.deepEqual(stands(6), [])
  assert.equal(vitals.stalledMs, 5_000)
  assert.equal(runs(), 'runs-again')
  assert.equal(runs(), undefined)
  assert.equal(vitals.stalledMs, 0)
})

test('one that stands still for as long as is waited is hopeless; without a limit never', () => {
  const limited = watched(5_000)
  limited.runs()
  assert.deepEqual(limited.stands(10), ['stalled', 'hopeless'])
  const unlimited = watched(0)
  unlimited.runs()
  assert.deepEqual(unlimited.stands(100), ['stalled'])
})

test('one that has not loaded yet is not stalled', () => {
  const { vitals, stands } = watched()
  assert.deepEqual(stands(100), [])
  assert.equal(vitals.started, false)
})

test('how busy it is follows within two seconds, with the parts that it was for', () => {
  const { vitals, runs } = watched()
  for (let i = 0; i < 10; i++) runs(0)
  for (let i = 0; i < 4; i++) runs(400, 100)
  assert.ok(vitals.busy > 0.55 && vitals.busy < 0.8, `${vitals.busy}`)
  assert.equal(Math.round(vitals.partsThen), Math.round((vitals.busy / 0.8) * 100))
  for (let i = 0; i < 20; i++) runs(400, 100)
  assert.ok(vitals.busy > 0.79, `${vitals.busy}`)
})
