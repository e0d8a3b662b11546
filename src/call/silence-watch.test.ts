import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FakeClock } from '../core/fake-clock.ts'
import type { PortStats } from '../media/types.ts'
import { Headers } from '../sip/message/headers.ts'
import { SilenceWatch } from './silence-watch.ts'

function watch(given: { idleMs?: number; answer: number; onHold?: boolean; workerDied?: boolean }) {
  const clock = new FakeClock()
  const asked: string[] = []
  let vanished = 0
  const silence = new SilenceWatch({
    clock,
    rtpTimeoutMs: 30_000,
    port: {
      stats: async () => {
        if (given.workerDied) throw new Error('the media worker died')
        return { idleMs: given.idleMs } as PortStats
      },
    },
    dialog: {
      request: async (method) => {
        asked.push(method)
        return { kind: 'response', status: given.answer, reason: '', headers: new Headers(), body: new Uint8Array() }
      },
    },
    expectsPackets: () => !given.onHold,
    onVanished: () => (vanished += 1),
  })
  /** Each wait is one look: its stats and its request settle before the next. */
  const wait = async (looks: number): Promise<void> => {
    for (let look = 0; look < looks; look += 1) {
      clock.advance(30_000)
      await turn()
    }
  }
  return { clock, asked, silence, wait, vanished: () => vanished }
}

test('a leg that sends is never asked', async () => {
  const { asked, wait } = watch({ idleMs: 20, answer: 200 })
  await wait(3)
  assert.deepEqual(asked, [])
})

test('a silent leg that answers lives, and is asked again while it stays silent', async () => {
  const { asked, wait, vanished } = watch({ idleMs: 40_000, answer: 200 })
  await wait(3)
  assert.deepEqual(asked, ['OPTIONS', 'OPTIONS', 'OPTIONS'])
  assert.equal(vanished(), 0)
})

for (const answer of [408, 481]) {
  test(`a silent leg that answers ${answer} has vanished, told once`, async () => {
    const { clock, wait, vanished } = watch({ idleMs: 40_000, answer })
    await wait(3)
    assert.equal(vanished(), 1)
    assert.equal(clock.pendingTimers, 0)
  })
}

test('a leg that never sent a packet is asked too', async () => {
  const { asked, wait } = watch({ answer: 200 })
  await wait(1)
  assert.deepEqual(asked, ['OPTIONS'])
})

test('a leg on hold need not send', async () => {
  const { asked, wait } = watch({ idleMs: 90_000, answer: 200, onHold: true })
  await wait(2)
  assert.deepEqual(asked, [])
})

test('a stopped watch asks no more and leaves no timer', async () => {
  const { asked, clock, silence, wait } = watch({ idleMs: 40_000, answer: 200 })
  silence.stop()
  await wait(2)
  assert.deepEqual(asked, [])
  assert.equal(clock.pendingTimers, 0)
})

test('a media worker that dies while it is asked ends neither the process nor, from here, the call', async () => {
  const { asked, silence, clock, wait, vanished } = watch({ answer: 481, workerDied: true })
  await wait(2)
  assert.deepEqual(asked, [])
  assert.equal(vanished(), 0)
  silence.stop()
  assert.equal(clock.pendingTimers, 0)
})
