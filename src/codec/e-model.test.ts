import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CodecImpairment, impairments, meanOpinionScore, type QualityInputs, ratingFactor } from './e-model.ts'

const ideal = { delayMs: 0, lossShare: 0, impairment: impairments.g711 }

const lost = (impairment: CodecImpairment): number =>
  ratingFactor(ideal) - ratingFactor({ ...ideal, impairment, lossShare: 0.01 })

const score = (more: Partial<QualityInputs>): number =>
  ratingFactor({ ...ideal, delayMs: 50, lossShare: 0.02, ...more })

test('with all defaults the rating is 93.2 and the score 4.41 (ITU-T G.107)', () => {
  assert.ok(Math.abs(ratingFactor(ideal) - 93.2) < 0.05)
  assert.equal(meanOpinionScore(ratingFactor(ideal)).toFixed(2), '4.41')
})

test('scores at the ends of the scale and between (G.107 annex B)', () => {
  assert.equal(meanOpinionScore(-5), 1)
  assert.equal(meanOpinionScore(0), 1)
  assert.equal(meanOpinionScore(100), 4.5)
  for (const [r, mos] of [
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
  ] as const)
    assert.ok(Math.abs(meanOpinionScore(r) - mos) < 0.01)
  for (let r = 0; r < 10; r++) assert.ok(meanOpinionScore(r) >= 1)
})

test('loss costs what G.113 says: 1 % of G.711 18 points without concealment, 3.6 with', () => {
  assert.ok(Math.abs(lost(impairments.g711) - 95 / 5.3) < 1e-9)
  assert.ok(Math.abs(lost(impairments.g711Concealed) - 95 / 26.1) < 1e-9)
})

test('more delay, more loss, longer bursts, more echo: each scores lower', () => {
  assert.ok(score({ delayMs: 150 }) < score({}))
  assert.ok(score({ delayMs: 400 }) < score({ delayMs: 200 }) - 15)
  assert.ok(score({ lossShare: 0.05 }) < score({}))
  assert.ok(score({ burstRatio: 2 }) < score({}))
  assert.ok(score({ echoLossDb: 40 }) < score({}))
  assert.equal(score({ lossShare: 5, impairment: { ie: 90, bpl: 1 } }), 0)
})
