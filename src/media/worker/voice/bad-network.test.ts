/**
 * A call over bad networks, from the packet to what the other side hears: PCMU comes in, G.722 goes out, so that all of it
 * is decoded. Each network is what `tc netem` makes of `loss P% delay 20ms 15ms` and the like, from a seed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { impairments, meanOpinionScore, ratingFactor } from '../../../codec/e-model.ts'
import { encodeG711Into } from '../../../codec/g711.ts'
import { Chance, resampled, speech16k } from '../../../codec/test-support.ts'
import { callOf, g722, pcmu } from './test-support.ts'

interface Network {
  /** Of packets, lost one by one. */
  readonly loss: number
  /** Packets are late by up to this, each by chance: beyond 20 ms they overtake each other. */
  readonly jitterMs: number
  /** Share of quarters of a second of speech that must be heard nearly as they were said, and so nearly. */
  readonly heardShare: number
  readonly likeness: number
}

/** What is said, again and again, and the same as it is heard: in telephone quality, at the rate of G.722. */
const speech = resampled(speech16k, 16_000, 8000)
const wanted = resampled(speech, 8000, 16_000)
const packets = 2000
const pieceSamples = 4000

const energy = (sound: Int16Array): number => sound.reduce((sum, sample) => sum + sample * sample, 0)

/**
 * How alike a piece that begins at `at` is to the speech, where it is most like it: so many samples earlier, near the
 * expected delay; between two samples as a parabola says.
 */
function compare(piece: Int16Array, at: number, expected: number, reach: number): { likeness: number; delay: number } {
  const own = energy(piece)
  const scores = Array.from({ length: 2 * reach + 1 }, (_, index) => {
    const from = at - (expected - reach + index) + 2 * wanted.length
    let product = 0
    let other = 0
    for (let i = 0; i < piece.length; i++) {
      const said = wanted[(from + i) % wanted.length] ?? 0
      product += said * (piece[i] ?? 0)
      other += said * said
    }
    return product / Math.sqrt(own * other)
  })
  const best = scores.indexOf(Math.max(...scores))
  const [before = 0, here = 0, after = 0] = scores.slice(Math.max(0, best - 1), best + 2)
  const curve = before - 2 * here + after
  return { likeness: here - (curve < 0 ? (before - after) ** 2 / (8 * curve) : 0), delay: expected - reach + best }
}

/** Likeness of each quarter of a second in which somebody speaks. */
function likenesses(heard: Int16Array): readonly number[] {
  const found: number[] = []
  let delay: number | undefined
  for (let at = 8000; at + pieceSamples < heard.length - 8000; at += 3 * pieceSamples) {
    const piece = heard.subarray(at, at + pieceSamples)
    if (energy(piece) / pieceSamples < 300 ** 2) continue
    // Filters, a packet, the buffer: the delay changes by what the network does, hardly ever by much at once
    let one = compare(piece, at, delay ?? 0, delay === undefined ? 3200 : 160)
    if (one.likeness < 0.9 && delay !== undefined) one = compare(piece, at, delay, 1200)
    if (one.likeness > 0.9) delay = one.delay
    found.push(one.likeness)
  }
  return found
}

/** Half a minute and more of speech over this network: what was heard, what was sent, what is told of it. */
function talk({ loss, jitterMs }: Network, seed: number) {
  const { clock, a, b } = callOf({ formats: [pcmu] }, { formats: [g722] })
  const chance = new Chance(seed)
  const { sequence, timestamp } = a
  let dropped = 0
  for (let index = 0; index < packets; index++) {
    const isLost = chance.next() < loss
    // The last must come: of what is lost behind it nobody knows
    if (isLost && index < packets - 1) dropped++
    else {
      clock.after(20 + jitterMs * chance.next(), () => {
        const payload = new Uint8Array(160)
        const said = Int16Array.from({ length: 160 }, (_, i) => speech[(index * 160 + i) % speech.length] ?? 0)
        encodeG711Into('PCMU', said, 0, 160, payload, 0)
        a.sequence = sequence + index
        a.timestamp = timestamp + index * 160
        a.send(payload, 160)
      })
    }
    clock.advance(20)
    a.port.tick(clock.now())
  }
  clock.advance(200)
  const stats = a.port.stats()
  return { heard: b.sound(g722), dropped, stats }
}

const networks: Readonly<Record<string, Network>> = {
  'no loss': { loss: 0, jitterMs: 0, heardShare: 1, likeness: 0.95 },
  '1 % lost': { loss: 0.01, jitterMs: 0, heardShare: 0.9, likeness: 0.95 },
  '5 % lost': { loss: 0.05, jitterMs: 0, heardShare: 0.8, likeness: 0.9 },
  '20 % lost': { loss: 0.2, jitterMs: 0, heardShare: 0.7, likeness: 0.8 },
  '30 ms of jitter': { loss: 0, jitterMs: 30, heardShare: 0.97, likeness: 0.95 },
  '5 % lost, 60 ms of jitter, out of order': { loss: 0.05, jitterMs: 60, heardShare: 0.85, likeness: 0.88 },
}

for (const [name, network] of Object.entries(networks)) {
  test(`speech over a network with ${name}: what is heard, what is counted, and the score that G.107 predicts`, () => {
    const { heard, dropped, stats } = talk(network, 11)
    const { quality } = stats
    assert.ok(quality)
    // What was lost is what is told, and by the binomial distribution what was wished for
    assert.equal(stats.packetsLost, dropped)
    assert.ok(Math.abs(quality.lossShare - dropped / packets) < 0.005, `${quality.lossShare}`)
    const deviation = Math.sqrt(packets * network.loss * (1 - network.loss))
    assert.ok(Math.abs(dropped - packets * network.loss) <= 4 * deviation, `${dropped} lost`)
    // Losses at random, as predicted before anything was measured
    const predicted = meanOpinionScore(
      ratingFactor({
        delayMs: quality.delayMs,
        lossShare: network.loss + quality.discardShare,
        impairment: impairments.g711Concealed,
      }),
    )
    assert.ok(quality.mos !== undefined && Math.abs(quality.mos - predicted) < 0.15, `${quality.mos}, ${predicted}`)
    assert.ok(quality.discardShare < 0.02, `${quality.discardShare} late`)
    // All of it is heard, nothing twice: as long as what was said, and the voice where it belongs
    assert.ok(Math.abs(heard.length - packets * 320) < 0.5 * 16_000, `${heard.length / 16_000} s`)
    const scores = likenesses(heard)
    const good = scores.filter((score) => score >= network.likeness).length
    const all = scores.map((score) => score.toFixed(2)).join(' ')
    assert.ok(good / scores.length >= network.heardShare, `${good} of ${scores.length}: ${all}`)
  })
}
