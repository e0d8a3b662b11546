import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { FrameClock } from './frame-clock.ts'

/** A clock whose timers fire late: as the loop of a busy thread. */
class LateClock extends FakeClock {
  lateMs = 0

  override after(delayMs: number, fire: () => void) {
    return super.after(delayMs + this.lateMs, fire)
  }
}

test('a tick comes each 20 ms, and late wake-ups add up to nothing', () => {
  const clock = new LateClock()
  const frames = new FrameClock(clock)
  let ticks = 0
  frames.add({ tick: () => ticks++ })
  clock.lateMs = 7
  clock.advance(600_000)
  assert.ok(Math.abs(ticks - 30_000) <= 1, `${ticks} ticks in ten minutes`)
  assert.equal(frames.skipped, 0)
  assert.ok(Math.abs(frames.takeLateP99Ms() - 7) < 0.1)
})

test('nobody wants ticks: no timer runs; ticks go on where they would be by now', () => {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const seen: number[] = []
  const sink = { tick: (tick: number) => seen.push(tick) }
  frames.add(sink)
  frames.add(sink)
  clock.advance(40)
  frames.remove(sink)
  frames.remove(sink)
  assert.equal(clock.pendingTimers, 0)
  clock.advance(105)
  frames.add(sink)
  clock.advance(20)
  assert.deepEqual(seen, [1, 2, 8])
})

test('a worker that stood still makes up for 200 ms tick by tick, and leaves out what is older', () => {
  const clock = new LateClock()
  const seen: number[] = []
  const frames = new FrameClock(clock)
  frames.add({ tick: (tick) => seen.push(tick) })
  clock.lateMs = 60 // of the timer that is set next
  clock.advance(20)
  clock.lateMs = 0
  clock.advance(79)
  assert.deepEqual(seen, [1])
  clock.advance(1)
  assert.deepEqual(seen, [1, 2, 3, 4, 5])
  clock.lateMs = 1000
  clock.advance(20)
  clock.lateMs = 0
  clock.advance(1020)
  assert.equal(frames.skipped, 41)
  assert.deepEqual(seen.slice(5), [6, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57])
})

test('who comes in the middle of making up for time takes no tick away from the others', () => {
  const clock = new LateClock()
  const seen: number[] = []
  const late: number[] = []
  const frames = new FrameClock(clock)
  const guest = { tick: (tick: number) => late.push(tick) }
  frames.add({
    tick(tick) {
      seen.push(tick)
      if (tick === 2) frames.add(guest)
    },
  })
  clock.lateMs = 60
  clock.advance(20)
  clock.lateMs = 0
  clock.advance(80)
  assert.deepEqual(seen, [1, 2, 3, 4, 5])
  assert.deepEqual(late, [2, 3, 4, 5])
})

test('what waits in the sockets of a thread that stood still is read before the ticks it missed', () => {
  const clock = new LateClock()
  const frames = new FrameClock(clock)
  const seen: string[] = []
  clock.lateMs = 60
  frames.add({ tick: (tick) => seen.push(`tick ${tick}`) })
  // A loop fires the timers that are due, then it reads
  clock.after(20, () => seen.push('packets'))
  clock.lateMs = 0
  clock.advance(80)
  assert.deepEqual(seen, ['packets', 'tick 1', 'tick 2', 'tick 3', 'tick 4'])
})

test('who is removed in a pass is not called in it any more, and may remove itself', () => {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const seen: string[] = []
  const second = { tick: () => seen.push('second') }
  const first = {
    tick() {
      seen.push('first')
      frames.remove(second)
      frames.remove(first)
    },
  }
  frames.add(first)
  frames.add(second)
  clock.advance(100)
  assert.deepEqual(seen, ['first'])
  assert.equal(clock.pendingTimers, 0)
})
