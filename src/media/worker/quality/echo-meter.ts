/**
 * Whether what we send to a party comes back from it: acoustic echo of its loudspeaker, or a gateway that cancels none.
 *
 *   stream-quality.ts  ── packets of G.711, both ways ─▶  here  ── delay and loss of the echo, once it is sure
 *
 * Compares how loud both directions are, in steps of 20 ms: an echo goes up and down as what was sent did, some steps
 * later and some decibels lower. Looks for four and a half seconds in eight, at every fourth sample, and believes what it finds
 * twice at the same delay. While both talk at once nothing is found, for then nothing is alike. Costs nothing for ports
 * that do not both send and receive G.711.
 */
import { decodeG711, type G711Law } from '../../../codec/g711.ts'
import { overload } from '../../../codec/level.ts'

export interface Echo {
  /** From when we send to when it comes back. */
  readonly delayMs: number
  /** How much quieter it comes back. */
  readonly lossDb: number
}

const stepMs = 20
/** Steps that are compared, and how much later an echo may come: from the next step up to half a second. */
const comparedSteps = 200
const latestSteps = 25
const measureMs = (comparedSteps + latestSteps) * stepMs
const everyMs = 8000
/** A power of two, more than all steps of a measurement. */
const kept = 256
/** One sample in so many tells how loud a packet is. */
const stride = 4
/** Quieter is as good as nothing: noise of the line. */
const floorDbov = -60
/** Levels are kept in a byte each: half decibels above the floor. */
const perDb = 2
/** Speech of one party and that of another are alike by 0.5 at most. */
const leastAlike = 0.8
/** What we send has to be loud for so many steps, louder than this, or there is nothing to come back. */
const leastLoudSteps = 40
const loudDbov = -40
/** Two measurements agree when their delays differ by no more. */
const agreeSteps = 2

function powersOf(law: G711Law): Float64Array {
  const levels = decodeG711(
    law,
    Uint8Array.from({ length: 256 }, (_, code) => code),
  )
  return Float64Array.from(levels, (level) => level ** 2 / overload ** 2)
}

const powers: Readonly<Record<G711Law, Float64Array>> = { PCMU: powersOf('PCMU'), PCMA: powersOf('PCMA') }

/** How loud one direction is, step by step. */
class Envelope {
  readonly levels = new Uint8Array(kept)
  #step = 0
  #energy = 0
  #samples = 0

  add(law: G711Law, bytes: Uint8Array, from: number, count: number, step: number): void {
    this.settle(step)
    const power = powers[law]
    for (let i = from; i < from + count; i += stride) {
      this.#energy += power[bytes[i] ?? 0] ?? 0
      this.#samples++
    }
  }

  /** Steps before this one are over. */
  settle(step: number): void {
    if (step <= this.#step) return
    const level = this.#samples === 0 ? floorDbov : 10 * Math.log10(this.#energy / this.#samples)
    this.levels[this.#step % kept] = Math.max(0, Math.round((level - floorDbov) * perDb))
    const skippedTo = Math.min(step, this.#step + kept)
    for (let skipped = this.#step + 1; skipped < skippedTo; skipped++) this.levels[skipped % kept] = 0
    this.#step = step
    this.#energy = 0
    this.#samples = 0
  }
}

export class EchoMeter {
  /** Packets are wanted now. */
  measuring = false
  #sent: Envelope | undefined
  #heard: Envelope | undefined
  #startAtMs: number
  #candidate: Echo | undefined
  #echo: Echo | undefined

  constructor(nowMs: number) {
    this.#startAtMs = nowMs
  }

  /** What was found in the last two measurements; undefined when it was not the same in both. */
  get echo(): Echo | undefined {
    return this.#echo
  }

  sent(law: G711Law, bytes: Uint8Array, from: number, count: number, nowMs: number): void {
    this.#sent ??= new Envelope()
    this.#sent.add(law, bytes, from, count, Math.floor(nowMs / stepMs))
  }

  heard(law: G711Law, bytes: Uint8Array, from: number, count: number, nowMs: number): void {
    this.#heard ??= new Envelope()
    this.#heard.add(law, bytes, from, count, Math.floor(nowMs / stepMs))
  }

  /** Time went by: begin to measure, or look at what was measured. */
  tick(nowMs: number): void {
    if (!this.measuring) {
      this.measuring = nowMs >= this.#startAtMs
      if (this.measuring) this.#startAtMs = nowMs
      return
    }
    if (nowMs < this.#startAtMs + measureMs) return
    this.measuring = false
    this.#startAtMs += everyMs
    this.#judge(Math.floor(nowMs / stepMs))
  }

  #judge(endStep: number): void {
    if (!this.#sent || !this.#heard) return
    this.#sent.settle(endStep)
    this.#heard.settle(endStep)
    const found = findEcho(this.#sent.levels, this.#heard.levels, endStep)
    const before = this.#candidate
    this.#candidate = found
    const agrees = found && before && Math.abs(found.delayMs - before.delayMs) <= agreeSteps * stepMs
    this.#echo = agrees ? found : undefined
  }
}

/** The delay at which both are most alike, if they are alike enough. */
function findEcho(sent: Uint8Array, heard: Uint8Array, endStep: number): Echo | undefined {
  let best = leastAlike
  let bestSteps = 0
  for (let steps = 1; steps <= latestSteps; steps++) {
    const alike = likeness(sent, heard, endStep, steps)
    if (alike > best) {
      best = alike
      bestSteps = steps
    }
  }
  return bestSteps === 0 ? undefined : lossAt(sent, heard, endStep, bestSteps)
}

/** Correlation of the two levels, -1 to 1, with what was heard taken so many steps later. */
function likeness(sent: Uint8Array, heard: Uint8Array, endStep: number, steps: number): number {
  let [sumX, sumY, sumXx, sumYy, sumXy] = [0, 0, 0, 0, 0]
  for (let step = endStep - comparedSteps; step < endStep; step++) {
    const x = sent[(step - steps) % kept] ?? 0
    const y = heard[step % kept] ?? 0
    sumX += x
    sumY += y
    sumXx += x * x
    sumYy += y * y
    sumXy += x * y
  }
  const spread = Math.sqrt((comparedSteps * sumXx - sumX ** 2) * (comparedSteps * sumYy - sumY ** 2))
  return spread === 0 ? 0 : (comparedSteps * sumXy - sumX * sumY) / spread
}

/** How much quieter the loud parts come back; undefined when we sent too little. */
function lossAt(sent: Uint8Array, heard: Uint8Array, endStep: number, steps: number): Echo | undefined {
  let loud = 0
  let loss = 0
  for (let step = endStep - comparedSteps; step < endStep; step++) {
    const x = sent[(step - steps) % kept] ?? 0
    if (x < (loudDbov - floorDbov) * perDb) continue
    loud++
    loss += x - (heard[step % kept] ?? 0)
  }
  return loud < leastLoudSteps ? undefined : { delayMs: steps * stepMs, lossDb: Math.max(0, loss / loud / perDb) }
}
