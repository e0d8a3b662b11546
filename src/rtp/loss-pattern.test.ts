import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gmin, LossPattern } from './loss-pattern.ts'

/** `.` came, `x` lost, `d` discarded. */
function pattern(fates: string): LossPattern {
  const losses = new LossPattern()
  for (const fate of fates) {
    if (fate === 'x') losses.lost()
    else if (fate === 'd') losses.discarded()
    else losses.received()
  }
  return losses
}

const calm = '.'.repeat(gmin)

test('one missing packet alone belongs to the gap (RFC 3611 §4.7.2)', () => {
  const reading = pattern(`${calm}x${calm}d${calm}`).read()
  assert.deepEqual(reading, {
    expected: 3 * gmin + 2,
    lost: 1,
    discarded: 1,
    bursts: 0,
    burstPackets: 0,
    burstMissing: 0,
    gapPackets: 3 * gmin + 2,
    gapMissing: 2,
    burstRatio: 1,
  })
})

test('fifteen that came between two missing ones keep the burst going, sixteen end it', () => {
  const fifteen = '.'.repeat(gmin - 1)
  const one = pattern(`${calm}x${fifteen}x${calm}`).read()
  assert.deepEqual([one.bursts, one.burstPackets, one.burstMissing, one.gapMissing], [1, gmin + 1, 2, 0])
  const two = pattern(`xx${calm}xdx`).read()
  assert.deepEqual([two.bursts, two.burstPackets, two.burstMissing], [2, 5, 5], 'the second still goes on')
})

test('the burst ratio is 1 for random loss and the run length for long runs (G.107 §3.5)', () => {
  let seed = 7
  const random = Array.from({ length: 50_000 }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32 < 0.05 ? 'x' : '.'
  }).join('')
  assert.ok(Math.abs(pattern(random).read().burstRatio - 1) < 0.05)
  const runs = pattern(`xxxx${'.'.repeat(396)}`.repeat(50)).read().burstRatio
  assert.ok(Math.abs(runs - 4 * 0.99) < 1e-9)
})

test('1,000 random patterns count as a slow search for bursts does', () => {
  let seed = 3
  for (let round = 0; round < 1000; round++) {
    const share = (round % 10) / 20
    const fates = Array.from({ length: 200 }, () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed / 2 ** 32 < share ? 'x' : '.'
    }).join('')
    const { bursts, burstPackets, burstMissing } = pattern(fates).read()
    const found = fates.match(/x(?:\.{0,15}x)+/g) ?? []
    const text = found.join('')
    assert.deepEqual(
      [bursts, burstPackets, burstMissing],
      [found.length, text.length, text.replaceAll('.', '').length],
      fates,
    )
  }
})
