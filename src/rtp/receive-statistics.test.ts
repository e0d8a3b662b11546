import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReceiveStatistics, updateJitter } from './receive-statistics.ts'

test('jitter moves a sixteenth of the way to each change of spacing (RFC 3550 §6.4.1)', () => {
  assert.equal(updateJitter(0, 160, 160), 0)
  assert.equal(updateJitter(0, 160, 320), 10)
  assert.equal(updateJitter(10, 160, 160), 9.375)
  assert.equal(updateJitter(0, 159 - 0xffff_ffff, 160), 0, 'across the wrap of the timestamp')
})

test('a loss and a wrap of sequence numbers: expected minus received', () => {
  const stats = new ReceiveStatistics()
  for (let i = 0; i < 100; i++) if (i % 10 !== 5) stats.packet(7, (65_500 + i) & 0xffff, i * 160, i * 160)
  assert.equal(stats.packetsReceived, 90)
  assert.equal(stats.packetsLost, 10)
  assert.equal(stats.jitter, 0)
  assert.deepEqual(stats.report(), {
    fractionLost: Math.floor((10 * 256) / 100),
    cumulativeLost: 10,
    highestSequence: 65_599,
    jitter: 0,
  })
  assert.equal(stats.report()?.fractionLost, 0, 'nothing was lost since the last report')
})

test('reordering at the very start loses nothing; duplicates make the loss smaller', () => {
  const stats = new ReceiveStatistics()
  for (const sequence of [11, 10, 12, 12]) stats.packet(7, sequence, sequence * 160, sequence * 160)
  assert.equal(stats.packetsLost, -1)
})

test('another source counts anew and keeps what was lost before', () => {
  const stats = new ReceiveStatistics()
  for (const sequence of [1, 2, 4]) stats.packet(7, sequence, sequence * 160, sequence * 160)
  for (const sequence of [40_000, 40_002]) stats.packet(8, sequence, 0, 800)
  assert.equal(stats.packetsLost, 2)
  assert.equal(stats.report()?.cumulativeLost, 1)
})

test('the packets of one telephone-event share a timestamp and disturb no jitter', () => {
  const stats = new ReceiveStatistics()
  for (let i = 0; i < 5; i++) stats.packet(7, i, 1000, 1000 + i * 160)
  stats.packet(7, 5, 1800, 1800)
  assert.equal(stats.jitter, 0)
})

test('before the first packet there is nothing to report', () => {
  assert.equal(new ReceiveStatistics().report(), undefined)
})
