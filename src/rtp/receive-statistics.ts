/**
 * What a receiver knows of one stream: how many packets came, how many were lost, how unevenly they came.
 *
 *   port  ── each packet ─▶  here  ── block ─▶  rtcp.ts (receiver report)
 *
 * RFC 3550 §6.4.1, A.1 (extended sequence numbers), A.3 (loss), A.8 (jitter). A new SSRC starts a new count of
 * expected packets and keeps what was received and lost before.
 */
import { extendSequence } from './sequence.ts'

/**
 * Fold the spacing of two packets into the interarrival jitter; all in RTP clock ticks.
 *
 * RFC 3550 §6.4.1: J += (|D| - J) / 16, where D is how far the spacing changed on the way.
 * `| 0` takes D modulo 2^32: timestamps wrap in mid-call.
 *
 * @param sent Ticks between their timestamps.
 * @param came Ticks between their arrivals.
 */
export function updateJitter(jitter: number, sent: number, came: number): number {
  const d = Math.abs((came - sent) | 0)
  return jitter + (d - jitter) / 16
}

/** A jump in sequence numbers of this size means that the sender started anew (RFC 3550 A.1, MAX_DROPOUT). */
const maxDropout = 3000

/** What a receiver report says of a source. */
export interface Reception {
  /** Of the last interval, in 1/256 (RFC 3550 A.3). */
  readonly fractionLost: number
  /** Since the start; duplicates make it smaller, even negative. */
  readonly cumulativeLost: number
  /** Cycles of the sequence number in the upper 16 bits. */
  readonly highestSequence: number
  /** Clock ticks, whole. */
  readonly jitter: number
}

export class ReceiveStatistics {
  packetsReceived = 0
  ssrc = 0
  #started = false
  /** First and highest extended sequence number of the current source. */
  #first = 0
  #highest = 0
  /** Of the current source. */
  #received = 0
  /** Lost of the sources before. */
  #lostBefore = 0
  #jitter = 0
  #arrival = 0
  #timestamp = 0
  #clockChanged = false
  #expectedAtReport = 0
  #receivedAtReport = 0

  /**
   * Count one packet.
   * @param arrival When it came, in ticks of the RTP clock; any origin.
   */
  packet(ssrc: number, sequence: number, timestamp: number, arrival: number): void {
    const extended = extendSequence(this.#highest, sequence)
    const startsAnew = ssrc !== this.ssrc || Math.abs(extended - this.#highest) > maxDropout
    if (!this.#started || startsAnew) this.#start(ssrc, sequence, timestamp, arrival)
    else if (extended > this.#highest) this.#highest = extended
    else if (extended < this.#first) this.#first = extended
    // Packets of one telephone-event share a timestamp: only a new one tells about the spacing.
    if (timestamp !== this.#timestamp) {
      if (this.#clockChanged) this.#jitter = 0
      else this.#jitter = updateJitter(this.#jitter, timestamp - this.#timestamp, arrival - this.#arrival)
      this.#clockChanged = false
      this.#arrival = arrival
      this.#timestamp = timestamp
    }
    this.#received++
    this.packetsReceived++
  }

  /** Timestamps count in another clock from the next packet on: it is compared with none before. */
  changeClock(): void {
    this.#clockChanged = true
  }

  #start(ssrc: number, sequence: number, timestamp: number, arrival: number): void {
    this.#lostBefore = this.packetsLost
    this.#started = true
    this.ssrc = ssrc
    this.#first = sequence
    this.#highest = sequence
    this.#received = 0
    this.#arrival = arrival
    this.#timestamp = timestamp
    this.#expectedAtReport = 0
    this.#receivedAtReport = 0
  }

  get #expected(): number {
    return this.#started ? this.#highest - this.#first + 1 : 0
  }

  /** Expected by sequence number minus received; duplicates make it smaller (RFC 3550 §6.4.1). */
  get packetsLost(): number {
    return this.#lostBefore + this.#expected - this.#received
  }

  /** Interarrival jitter in clock ticks. */
  get jitter(): number {
    return this.#jitter
  }

  /** The block of a receiver report; starts the next interval. Undefined before the first packet. */
  report(): Reception | undefined {
    if (!this.#started) return undefined
    const expected = this.#expected - this.#expectedAtReport
    const lost = expected - (this.#received - this.#receivedAtReport)
    this.#expectedAtReport = this.#expected
    this.#receivedAtReport = this.#received
    return {
      fractionLost: expected > 0 && lost > 0 ? Math.min(255, Math.floor((lost * 256) / expected)) : 0,
      cumulativeLost: this.#expected - this.#received,
      highestSequence: this.#highest >>> 0,
      jitter: Math.floor(this.#jitter),
    }
  }
}
