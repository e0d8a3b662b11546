import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CodecImpairment,
  impairments,
  meanOpinionScore,
  type QualityInputs,
  ratingFactor,
  ratingOf,
  widebandRating,
  widebandScore,
} from './e-model.ts'

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

test('wideband has a scale of its own: 129 at best, G.722 13 below (G.107.1, G.113 appendix IV)', () => {
  const rating = ratingOf('G722', 16_000)
  assert.equal(rating?.scale, 'wideband')
  assert.equal(widebandRating({ delayMs: 50, lossShare: 0, impairment: rating.impairment }), 116)
  assert.equal(widebandScore(129), 4.5)
  assert.equal(widebandScore(116).toFixed(2), meanOpinionScore(116 / 1.29).toFixed(2))
  assert.ok(widebandRating({ delayMs: 400, lossShare: 0.05, impairment: rating.impairment }) < 90)
})

test('codecs are known by name whatever their case; of others nothing is said', () => {
  assert.equal(ratingOf('opus', 48_000)?.scale, 'wideband')
  assert.equal(ratingOf('PCMA', 8000)?.impairment, impairments.g711Concealed)
  assert.equal(ratingOf('L16', 8000)?.scale, 'narrowband')
  assert.equal(ratingOf('l16', 16_000)?.scale, 'wideband')
  assert.equal(ratingOf('EVS', 16_000), undefined)
})
