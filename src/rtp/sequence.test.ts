import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extendSequence, extendTimestamp, sequenceDistance, timestampDistance } from './sequence.ts'

test('sequence numbers wrap: 1 is two after 65535, and 65535 two before 1', () => {
  assert.equal(sequenceDistance(65_535, 1), 2)
  assert.equal(sequenceDistance(1, 65_535), -2)
  assert.equal(sequenceDistance(0, 32_767), 32_767)
  assert.equal(sequenceDistance(0, 32_768), -32_768)
})

test('timestamps wrap at 2^32', () => {
  assert.equal(timestampDistance(0xffff_ffff, 159), 160)
  assert.equal(timestampDistance(159, 0xffff_ffff), -160)
})

test('an extended sequence number counts on through each wrap, late ones before it', () => {
  let extended = 65_530
  for (let i = 0; i < 200_000; i++) extended = extendSequence(extended, (65_531 + i) & 0xffff)
  assert.equal(extended, 265_530)
  assert.equal(extendSequence(65_536 + 2, 65_535), 65_535)
})

test('an extended timestamp counts on through a wrap, and goes below zero when the first packet came late', () => {
  assert.equal(extendTimestamp(0xffff_fff0, 0x10), 2 ** 32 + 0x10)
  assert.equal(extendTimestamp(100, 0xffff_ffff), -1)
})
