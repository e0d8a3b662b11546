import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figures, presence } from './heard-text.ts'

test('who came and went stands with the channel and each time', () => {
  const heard = [{ fromMs: 13_000, untilMs: 20_000 }, { fromMs: 30_000 }]
  const text = presence({ name: 'Bob', channel: 1, heard }, 10_000)
  assert.equal(text, 'Bob, channel 2: 0:03 to 0:10, from 0:20')
})

test('of a leg that got nothing only what is known is said', () => {
  const leg = {
    legId: 'l',
    verdict: '',
    codes: [],
    packetsReceived: 0,
    packetsLost: 0,
    packetsRefused: 12,
    jitterMs: 0,
  }
  assert.equal(figures(leg), '0 packets, 12 refused, jitter 0 ms')
})

test('loss is a share of what should have come', () => {
  const leg = {
    legId: 'l',
    verdict: '',
    codes: [],
    packetsReceived: 98,
    packetsLost: 2,
    packetsRefused: 0,
    jitterMs: 3.4,
  }
  assert.equal(figures({ ...leg, lossShare: 0.02, mos: 3.96 }), 'MOS 4.0, 98 packets, 2.0 % lost, jitter 3 ms')
})
