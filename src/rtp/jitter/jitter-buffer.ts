/**
 * Jitter buffer: packets as they come in, sound in the order and at the time it was made.
 *
 *   port  ── put, whenever a packet comes ─▶  here  ◀─ next, advance ──  VoiceDecoder, when it runs out of sound
 *
 * Payloads are copied in; a packet may come again, late, in the wrong order, or from a sender that began anew. What to
 * play next is said by the timestamps: what a sender left out on purpose (silence) is told apart from what was lost.
 * How long packets wait is not decided here: `delayMs` tells how long they do now, `wanted.targetMs` how long they should.
 * Opens no socket, reads no clock. The steady path allocates nothing; 128 packets are held, of 1500 bytes at most.
 */

import type { RtpPacket } from '../packet.ts'
import { extendSequence, timestampDistance, uint16 } from '../sequence.ts'
import { DelayEstimate } from './delay-estimate.ts'

/** What a packet is to the listener; `other` (telephone-event) takes a number of the sequence and has no sound. */
export type Carries = 'sound' | 'noise' | 'other'

/** `packet`: decode it. `lost`: it will not come. `gap`: nothing was sent for some time. `none`: not yet here. */
export type Next = 'packet' | 'lost' | 'gap' | 'none'

export interface JitterCounts {
  /** Came after its time and was thrown away. */
  late: number
  duplicate: number
  /** Came after one that was sent later, yet in time. */
  reordered: number
  /** Not there when it was to be played: lost or late. */
  lost: number
  /** Thrown away because too many waited, or waited too long. */
  overflowed: number
  /** One alone, far out of the sequence; or longer than 1500 bytes. */
  stray: number
  /** Began anew: another SSRC, another sequence, timestamps that jumped. */
  restarts: number
}

export interface JitterBufferOptions {
  readonly clockRateHz: number
  /** Bounds of the delay, ms, 0..1000. */
  readonly minMs: number
  readonly maxMs: number
}

/** A power of two: 2.5 s of packets of 20 ms, 0.6 s of those of 5 ms. */
const slots = 128
const mostPayloadBytes = 1500
/** Payloads of G.711 and G.722 at 20 ms; slots get larger when a packet needs it. */
const firstSlotBytes = 192
/** A timestamp that is further ahead than the time that passed by so much is no pause but a new count, ms. */
const jumpMs = 500
/** Of a sender that has not shown its own yet. */
const usualPacketMs = 20

/** Of two sources that send at once the newer one is heard, as long as no more than this lies between its packets, ms. */
const flowsMs = 100
/** A source that was silent for so long may take its place again at once, ms. */
const restedMs = 1000

const free = 0
const waiting = 1
const played = 2

export class JitterBuffer {
  readonly counts: JitterCounts = {
    late: 0,
    duplicate: 0,
    reordered: 0,
    lost: 0,
    overflowed: 0,
    stray: 0,
    restarts: 0,
  }
  readonly wanted: DelayEstimate
  /** The packet that `next` or `following` told of: its payload, valid until the next `put`. */
  bytes = new Uint8Array(slots * firstSlotBytes)
  payloadStart = 0
  payloadBytes = 0
  /** What it carries, never `other`. */
  carries: Carries = 'sound'
  /** Of the loss or gap that `next` told of. */
  ticks = 0

  readonly #ticksPerMs: number
  readonly #maxMs: number
  #slotBytes = firstSlotBytes
  readonly #state = new Uint8Array(slots)
  readonly #sequences = new Float64Array(slots)
  /** On a time line of our own, which neither wraps nor jumps. */
  readonly #times = new Float64Array(slots)
  readonly #lengths = new Uint16Array(slots)
  readonly #kinds: Carries[] = Array.from({ length: slots }, () => 'sound')

  #begun = false
  #playing = false
  #ssrc = 0
  /** The source before, and when it was last heard of. */
  #ssrcBefore: number | undefined
  #beforeAtMs = 0
  /** Highest sequence number, extended; time and timestamp of the highest with sound. */
  #newest = 0
  #newestTime = 0
  #newestTimestamp = 0
  #newestAtMs = 0
  #newestSound = 0
  /** What is to be played next: its number, and its place on the time line. */
  #head = 0
  #headTime = 0
  /** Sound that was made up while nothing was there; a loss or a gap found afterwards is shorter by that. */
  #held = 0
  #packetTicks: number
  /** The number that would show that a stray packet was the first of a new sequence. */
  #strayNext = -1
  #told: Next = 'none'

  constructor({ clockRateHz, minMs, maxMs }: JitterBufferOptions) {
    this.#ticksPerMs = clockRateHz / 1000
    this.#maxMs = maxMs
    this.#packetTicks = usualPacketMs * this.#ticksPerMs
    this.wanted = new DelayEstimate(minMs, maxMs)
  }

  /** Whether a packet with sound ever came. */
  get begun(): boolean {
    return this.#begun
  }

  /** Whether `start` was called since the stream began, or began anew. */
  get playing(): boolean {
    return this.#playing
  }

  /** Ticks of one packet, as this sender makes them. */
  get packetTicks(): number {
    return this.#packetTicks
  }

  /** How long ago the sound that is next would have been played with no delay at all, ms; what was made up for a loss. */
  delayMs(nowMs: number): number {
    return nowMs - (this.#headTime + this.#held) / this.#ticksPerMs - this.wanted.baseMs
  }

  /** From now on what is not there is lost. */
  start(): void {
    this.#playing = true
  }

  /** Take a packet in. False when it is of no use and not kept: counted, if it had sound. */
  put(packet: RtpPacket, carries: Carries, nowMs: number): boolean {
    const length = packet.payloadEnd - packet.payloadStart
    if (length > mostPayloadBytes) return this.#refuse('stray')
    const isAnother = !this.#begun || packet.ssrc !== this.#ssrc
    if (isAnother && this.#isOutdone(packet.ssrc, nowMs)) return this.#refuse('stray')
    // Nothing begins with what has no sound
    if (isAnother && carries === 'other') return false
    if (isAnother) this.#restart(packet, nowMs)
    let sequence = extendSequence(this.#newest, packet.sequence)
    if (Math.abs(sequence - this.#newest) >= slots) {
      // RFC 3550 A.1: one packet far out of the sequence is nothing, two in a row are a new one
      if (packet.sequence !== this.#strayNext || carries === 'other') {
        this.#strayNext = uint16(packet.sequence + 1)
        return this.#refuse('stray')
      }
      this.#restart(packet, nowMs)
      sequence = this.#newest
    }
    this.#strayNext = -1
    if (carries === 'other' && sequence < this.#head) return false
    const time = carries === 'other' ? this.#newestTime : this.#timeOf(packet, sequence, nowMs)
    if (sequence < this.#head && !this.#beforeStart(sequence, time)) return this.#refuseOld(sequence)
    const slot = sequence % slots
    if (this.#state[slot] !== free && this.#sequences[slot] === sequence) return this.#refuse('duplicate')
    if (sequence < this.#newest) this.counts.reordered++
    else this.#newest = sequence
    while (sequence - this.#head >= slots) this.#overflow()
    this.#state[slot] = waiting
    this.#sequences[slot] = sequence
    this.#times[slot] = time
    this.#kinds[slot] = carries
    this.#copy(slot, packet, carries === 'other' ? 0 : length)
    return true
  }

  /** What to play next. `packet`, `lost` and `gap` are the same until `advance`, unless a packet comes. */
  next(): Next {
    this.#told = this.#begun ? this.#findNext() : 'none'
    return this.#told
  }

  /** After `lost`: whether the packet just behind it is here, which may carry a copy of it (FEC). */
  following(): boolean {
    if (!this.#has(this.#head + 1)) return false
    this.#point((this.#head + 1) % slots)
    return true
  }

  /** So many ticks of what `next` told of are sound now; of a gap it may be a part. */
  advance(ticks: number): void {
    this.#headTime += ticks
    if (this.#told === 'gap') return
    if (this.#told === 'lost') this.counts.lost++
    else if (ticks > 0) this.#packetTicks = ticks
    this.#held = 0
    this.#release()
  }

  /** Sound of so many ticks was made up because of `none`. */
  hold(ticks: number): void {
    this.#held += ticks
  }

  /** Throw away what waits until the delay is `delayMs` or nothing is left. */
  drop(delayMs: number, nowMs: number): void {
    const until = this.#headTime + this.#held + (this.delayMs(nowMs) - delayMs) * this.#ticksPerMs
    while (this.#head <= this.#newest) {
      const slot = this.#head % slots
      const isHere = this.#has(this.#head)
      if (isHere && (this.#times[slot] ?? 0) + this.#packetTicks > until) break
      if (isHere) this.counts.overflowed++
      this.#release()
    }
    this.#held = 0
    this.#headTime = Math.max(this.#headTime, this.#has(this.#head) ? (this.#times[this.#head % slots] ?? 0) : until)
  }

  #refuse(why: 'stray' | 'duplicate' | 'late'): false {
    this.counts[why]++
    return false
  }

  #refuseOld(sequence: number): false {
    const slot = sequence % slots
    const wasPlayed = this.#state[slot] === played && this.#sequences[slot] === sequence
    return this.#refuse(wasPlayed ? 'duplicate' : 'late')
  }

  /** The source before still sends, beside the one that took its place: to follow each in turn would give nothing at all. */
  #isOutdone(ssrc: number, nowMs: number): boolean {
    if (ssrc !== this.#ssrcBefore) return false
    const rested = nowMs - this.#beforeAtMs >= restedMs
    this.#beforeAtMs = nowMs
    return !rested && nowMs - this.#newestAtMs < flowsMs
  }

  #restart(packet: RtpPacket, nowMs: number): void {
    if (this.#begun) this.counts.restarts++
    this.#state.fill(free)
    // Numbers before the first are not below zero
    this.#newest = 0x1_0000 + packet.sequence
    this.#head = this.#newest
    this.#newestSound = this.#newest
    this.#newestTime = this.#onTime(nowMs)
    this.#newestTimestamp = packet.timestamp
    this.#newestAtMs = nowMs
    this.#headTime = this.#newestTime
    this.#held = 0
    if (packet.ssrc !== this.#ssrc) {
      this.#ssrcBefore = this.#begun ? this.#ssrc : undefined
      this.#beforeAtMs = nowMs
    }
    this.#ssrc = packet.ssrc
    this.#begun = true
    this.#playing = false
  }

  /** Where sound belongs that comes now and was not delayed by the network. */
  #onTime(nowMs: number): number {
    return Math.round((nowMs - this.wanted.baseMs) * this.#ticksPerMs)
  }

  /** Place on our time line; the estimate of the delay learns from it. */
  #timeOf(packet: RtpPacket, sequence: number, nowMs: number): number {
    const moved = timestampDistance(this.#newestTimestamp, packet.timestamp)
    const packets = sequence - this.#newestSound
    let time = this.#newestTime + moved
    if (packets > 0) {
      const elapsed = (nowMs - this.#newestAtMs) * this.#ticksPerMs
      const ahead = Math.max(elapsed, packets * this.#packetTicks)
      if (moved <= 0 || moved > ahead + jumpMs * this.#ticksPerMs) {
        time = this.#newestTime + Math.round(ahead)
        this.counts.restarts++
      }
      // A sender that stood still, its timestamps too, goes on as if it had not: no buffer is to hold that
      const behind = nowMs - time / this.#ticksPerMs - this.wanted.baseMs
      if (behind > this.#maxMs) time = this.#onTime(nowMs)
      this.#newestSound = sequence
      this.#newestTime = time
      this.#newestTimestamp = packet.timestamp
      this.#newestAtMs = nowMs
    }
    this.wanted.packet(nowMs - time / this.#ticksPerMs, nowMs)
    return time
  }

  #has(sequence: number): boolean {
    const slot = sequence % slots
    return this.#state[slot] === waiting && this.#sequences[slot] === sequence
  }

  #hasSound(sequence: number): boolean {
    return this.#has(sequence) && this.#kinds[sequence % slots] !== 'other'
  }

  /** Before anything was played an older packet is a new beginning. */
  #beforeStart(sequence: number, time: number): boolean {
    if (this.#playing || this.#newest - sequence >= slots) return false
    this.#head = sequence
    this.#headTime = time
    return true
  }

  #copy(slot: number, { bytes, payloadStart }: RtpPacket, length: number): void {
    if (length > this.#slotBytes) this.#widen(length)
    this.#lengths[slot] = length
    const to = slot * this.#slotBytes
    for (let i = 0; i < length; i++) this.bytes[to + i] = bytes[payloadStart + i] ?? 0
  }

  /** Larger slots for a sender of larger packets: happens three times at most. */
  #widen(length: number): void {
    let slotBytes = this.#slotBytes
    while (slotBytes < length) slotBytes *= 2
    const wider = new Uint8Array(slots * slotBytes)
    for (let slot = 0; slot < slots; slot++) {
      const from = slot * this.#slotBytes
      wider.set(this.bytes.subarray(from, from + (this.#lengths[slot] ?? 0)), slot * slotBytes)
    }
    this.bytes = wider
    this.#slotBytes = slotBytes
  }

  #findNext(): Next {
    while (this.#head <= this.#newest) {
      if (this.#hasSound(this.#head)) return this.#tellPacket(this.#head % slots)
      if (this.#has(this.#head)) this.#release()
      else {
        const ticks = this.#lostTicks()
        if (ticks === undefined) return 'none'
        if (ticks > 0) {
          this.ticks = ticks
          return 'lost'
        }
        this.counts.lost++
        this.#release()
      }
    }
    return 'none'
  }

  #tellPacket(slot: number): Next {
    const time = this.#times[slot] ?? 0
    const gap = this.#gapUntil(time)
    if (gap > 0) {
      this.ticks = gap
      return 'gap'
    }
    this.#headTime = time
    this.#point(slot)
    return 'packet'
  }

  /** The packet of this slot is the one told of. */
  #point(slot: number): void {
    this.payloadStart = slot * this.#slotBytes
    this.payloadBytes = this.#lengths[slot] ?? 0
    this.carries = this.#kinds[slot] ?? 'sound'
  }

  /** How long the missing packet at the head was, when another that is here shows that it is missing. */
  #lostTicks(): number | undefined {
    let missing = 0
    let after = this.#head
    while (after <= this.#newest && !this.#hasSound(after)) if (!this.#has(after++)) missing++
    if (after > this.#newest) return undefined
    const gap = this.#gapUntil(this.#times[after % slots] ?? 0)
    return Math.min(this.#packetTicks, Math.ceil(gap / missing))
  }

  /** Ticks from the head to there for which no sound was made up yet. */
  #gapUntil(time: number): number {
    const used = Math.max(0, Math.min(this.#held, time - this.#headTime))
    this.#held -= used
    this.#headTime += used
    return time - this.#headTime
  }

  /** On to the next number. */
  #release(): void {
    if (this.#has(this.#head)) this.#state[this.#head % slots] = played
    this.#head++
  }

  #overflow(): void {
    const slot = this.#head % slots
    if (this.#hasSound(this.#head)) {
      this.counts.overflowed++
      this.#headTime = (this.#times[slot] ?? 0) + this.#packetTicks
    }
    this.#release()
  }
}
