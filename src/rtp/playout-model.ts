/**
 * What a listener's jitter buffer makes of a stream, or would have made of it: which packets come too late.
 *
 *   port  ── each packet ─▶  here  ── received, lost or discarded, in order ─▶  loss-pattern.ts
 *
 * A relayed or recorded stream is not played here, so nothing discards a late packet; whoever hears it will. While
 * somebody listens, a real buffer says what is late (`discard`); else one is simulated, an adaptive one: as deep as three
 * times the jitter, and as what was late in the last seconds, within bounds, over the fastest packet of the last two seconds,
 * so that a change of route or the drift of clocks passes: of packets that waited for each other the first is late, and those
 * behind it find a deeper buffer. A packet is judged when 64 newer ones were due, for it may still come out of order. Costs a few
 * operations a packet and allocates nothing.
 */
import { LossPattern, type LossReading } from './loss-pattern.ts'
import { extendSequence, timestampDistance } from './sequence.ts'

/** Depth of the buffer, ms; RFC 3611 §4.7.7 calls them nominal and absolute maximum. */
export const leastBufferMs = 40
export const mostBufferMs = 200
/** The depth is so many times the jitter. */
const jitters = 3
/** After a late packet the buffer is as deep as that one needed, and becomes shallower by so many ms a second. */
const shrinkMsPerS = 20
/** Five seconds of packets of 20 ms. */
const averagedPackets = 256
/** How long the fastest packet is remembered: one window or two. */
const windowMs = 1000
/** A power of two: how far packets may be out of order. */
const slots = 64
/** A jump of this size means that the sender started anew, as in receive-statistics.ts. */
const maxDropout = 3000
/** A clock that jumps so far was set, ms. */
const clockJumpMs = 2000

const absent = 0
const inTime = 1
const late = 2

export class PlayoutModel {
  #ticksPerMs: number
  readonly #losses = new LossPattern()
  readonly #fates = new Uint8Array(slots)
  #started = false
  /** False until a packet has set where transit times are counted from. */
  #clockKnown = false
  #ssrc = 0
  /** The next extended sequence number to be judged, and the newest that came. */
  #next = 0
  #highest = 0
  /** Timestamp and arrival that transit times are counted from. */
  #originTimestamp = 0
  #originMs = 0
  /** Least transit of this window and of the one before, ms. */
  #fastest = 0
  #fastestBefore = 0
  #windowEndMs = 0
  #meanMs = leastBufferMs
  /** What late packets needed, and when that was. */
  #neededMs = 0
  #neededAtMs = 0
  #duplicates = 0
  /** The packet that came last had come before. */
  #isTwin = false

  constructor(clockRateHz: number) {
    this.#ticksPerMs = clockRateHz / 1000
  }

  /** Timestamps count with another clock from now on: another codec. */
  useClock(clockRateHz: number): void {
    this.#ticksPerMs = clockRateHz / 1000
    this.#clockKnown = false
  }

  /** Depth of the simulated buffer in the last seconds, on average. */
  get bufferMs(): number {
    return this.#meanMs
  }

  get duplicates(): number {
    return this.#duplicates
  }

  /** Packets that were judged: all but the last 64. */
  read(): LossReading {
    return this.#losses.read()
  }

  /**
   * One packet came.
   * @param jitterMs Interarrival jitter by now (RFC 3550 §6.4.1).
   * @param timed It is to be judged here whether it is late: its timestamp tells when it was sampled, which that of a
   *   telephone-event does not, and no real buffer takes it.
   */
  packet(ssrc: number, sequence: number, timestamp: number, nowMs: number, jitterMs: number, timed: boolean): void {
    let extended = extendSequence(this.#highest, sequence)
    if (!this.#started || ssrc !== this.#ssrc || Math.abs(extended - this.#highest) > maxDropout) {
      this.#start(ssrc, sequence)
      extended = sequence
    }
    if (extended < this.#next) return // it was judged to be lost
    if (extended > this.#highest) this.#highest = extended
    while (extended - this.#next >= slots) this.#judge()
    const slot = extended & (slots - 1)
    this.#isTwin = this.#fates[slot] !== absent
    if (this.#isTwin) this.#duplicates++
    else this.#fates[slot] = timed && this.#isLate(timestamp, nowMs, jitterMs) ? late : inTime
  }

  /** The packet that came last is too late for the buffer that plays this stream. */
  discard(sequence: number): void {
    const extended = extendSequence(this.#highest, sequence)
    if (!this.#isTwin && extended >= this.#next) this.#fates[extended & (slots - 1)] = late
  }

  #start(ssrc: number, sequence: number): void {
    while (this.#started && this.#next <= this.#highest) this.#judge()
    this.#started = true
    this.#ssrc = ssrc
    this.#next = sequence
    this.#highest = sequence
    this.#clockKnown = false
  }

  #setClock(timestamp: number, nowMs: number): void {
    this.#clockKnown = true
    this.#originTimestamp = timestamp
    this.#originMs = nowMs
    this.#fastest = 0
    this.#fastestBefore = 0
    this.#windowEndMs = nowMs + windowMs
  }

  #isLate(timestamp: number, nowMs: number, jitterMs: number): boolean {
    const sampledMs = timestampDistance(this.#originTimestamp, timestamp) / this.#ticksPerMs
    const transitMs = nowMs - this.#originMs - sampledMs
    if (!this.#clockKnown || Math.abs(transitMs - this.#fastest) > clockJumpMs) {
      this.#setClock(timestamp, nowMs)
      return false
    }
    if (nowMs >= this.#windowEndMs) {
      this.#fastestBefore = this.#fastest
      this.#fastest = transitMs
      this.#windowEndMs = nowMs + windowMs
    } else if (transitMs < this.#fastest) this.#fastest = transitMs
    const neededMs = this.#neededMs - ((nowMs - this.#neededAtMs) * shrinkMsPerS) / 1000
    const bufferMs = Math.min(mostBufferMs, Math.max(leastBufferMs, jitters * jitterMs, neededMs))
    this.#meanMs += (bufferMs - this.#meanMs) / averagedPackets
    const waitedMs = transitMs - Math.min(this.#fastest, this.#fastestBefore)
    if (waitedMs <= bufferMs) return false
    this.#neededMs = Math.min(mostBufferMs, waitedMs)
    this.#neededAtMs = nowMs
    return true
  }

  #judge(): void {
    const slot = this.#next++ & (slots - 1)
    const fate = this.#fates[slot]
    this.#fates[slot] = absent
    if (fate === inTime) this.#losses.received()
    else if (fate === late) this.#losses.discarded()
    else this.#losses.lost()
  }

  /** The stream is over: judge the last packets too. */
  end(): void {
    while (this.#started && this.#next <= this.#highest) this.#judge()
    this.#started = false
  }
}
