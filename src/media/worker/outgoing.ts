/**
 * The stream a port sends: one SSRC of our own, whoever is heard through it.
 *
 *   port A  ── packet from its peer ─▶  here (port B)  ── header rewritten in place ─▶  B's peer
 *   speaker ── payload, digit ───────▶                 ── header of our own ─────────▶
 *
 * Sequence numbers and timestamps go on when the source behind changes; a loss or a swap on the way in stays one on
 * the way out, so that the receiver's jitter buffer can do its work. What is not sent (hold, no common codec) leaves
 * no hole in the sequence. A source that counts anew goes on, too: its old numbers would be taken for late packets, and
 * by receivers of SRTP for repeated ones. The payload is not touched here.
 */
import { type RtpPacket, rtpHeaderBytes, writeRtpHeader } from '../../rtp/packet.ts'
import { sequenceDistance, timestampDistance, uint16, uint32 } from '../../rtp/sequence.ts'

/** Packets of the source before that come so soon after a change are stragglers, ms. */
const stragglerMs = 200
/** Sound in a packet, until two of them have told, ms; and the most that is believed. */
const usualPacketMs = 20
const longestPacketMs = 120
/** RFC 3550 A.1: what is later, or further ahead, than so many packets belongs to a source that counts anew. */
const mostLate = 100
const mostAhead = 3000
/** In place of an SSRC: the payloads are made here. */
const ownSource = -1

/** Used again for each packet of ours. */
const header = { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0 }

export class Outgoing {
  #ssrc: number
  #clockRateHz: number
  packets = 0
  /** Of payload, as sender reports count (RFC 3550 §6.4.1). */
  bytes = 0
  /** Sent under the SSRC before. */
  #packetsBefore = 0
  #bytesBefore = 0
  /** Of the newest packet sent. */
  #sequence: number
  #timestamp: number
  #sentAtMs = 0
  /** How much sound it holds, as far as is known, ticks. */
  #packetTicks: number
  #source: number | undefined
  #sourceBefore: number | undefined
  #changedAtMs = 0
  /** How much further timestamps are than time is: who begins has to begin behind what was sent, ticks. */
  #ahead = 0
  /** Newest sequence number of the source. */
  #sourceSequence = 0
  /** The number that would show that a packet far from the others was the first of a new count. */
  #strayNext = -1
  /** What to add to the source's numbers. */
  #sequenceOffset = 0
  #timestampOffset = 0
  /** Number of the last packet that was not of the source: what the source sent before and comes late must not repeat it. */
  #barrier: number | undefined

  /** First values are random (RFC 3550 §5.1), so that they are handed in. */
  constructor(ssrc: number, firstSequence: number, firstTimestamp: number, clockRateHz: number) {
    this.#ssrc = ssrc
    this.#sequence = uint16(firstSequence - 1)
    this.#timestamp = firstTimestamp
    this.#clockRateHz = clockRateHz
    this.#packetTicks = (clockRateHz / 1000) * usualPacketMs
  }

  get ssrc(): number {
    return this.#ssrc
  }

  /** What timestamps count in. */
  get clockRateHz(): number {
    return this.#clockRateHz
  }

  /** Since this SSRC was ours, for sender reports (RFC 3550 §6.4.1). */
  get reported(): { readonly packets: number; readonly bytes: number } {
    return { packets: this.packets - this.#packetsBefore, bytes: this.bytes - this.#bytesBefore }
  }

  /**
   * The stream goes on under another SSRC: somebody else has ours, or its clock changes, and a clock of another rate needs
   * one of its own (RFC 7160 §4.1).
   */
  changeSsrc(ssrc: number, clockRateHz = this.#clockRateHz): void {
    this.#ssrc = ssrc
    if (clockRateHz !== this.#clockRateHz) {
      this.#clockRateHz = clockRateHz
      this.#packetTicks = (clockRateHz / 1000) * usualPacketMs
      this.#source = undefined
      this.#sourceBefore = undefined
      this.#ahead = 0
    }
    this.#packetsBefore = this.packets
    this.#bytesBefore = this.bytes
  }

  /**
   * Give the packet a header of ours, in place, straight before its payload.
   * @returns Where it now begins in its bytes; undefined when it is not to be sent.
   */
  rewrite(packet: RtpPacket, payloadType: number, nowMs: number): number | undefined {
    const changed = packet.ssrc !== this.#source || this.#isFar(packet.sequence)
    if (changed && !this.#changeSource(packet, nowMs)) return undefined
    const sequence = uint16(packet.sequence + this.#sequenceOffset)
    if (this.#barrier !== undefined && this.#isBehindBarrier(this.#barrier, sequence)) return undefined
    const timestamp = uint32(packet.timestamp + this.#timestampOffset)
    const start = packet.payloadStart - rtpHeaderBytes
    this.#write(packet.bytes, start, payloadType, packet.marker || (changed && this.packets > 0), sequence, timestamp)
    if (sequenceDistance(this.#sequence, sequence) > 0) {
      if (!changed) this.#measure(sequence, timestamp)
      this.#sequence = sequence
      this.#timestamp = timestamp
      this.#sourceSequence = packet.sequence
    }
    this.#sent(packet.payloadEnd - packet.payloadStart)
    this.#sentAtMs = nowMs
    return start
  }

  /**
   * What `rewrite` does with packets that come as this one, which it was given last: what to add to their numbers.
   * @returns Undefined when that may change soon.
   */
  rule({ ssrc }: RtpPacket): SteadyRewrite | undefined {
    const barrier = this.#barrier
    if (ssrc !== this.#source) return undefined
    if (barrier !== undefined && sequenceDistance(barrier, this.#sequence) <= mostLate) return undefined
    return {
      newest: this.#sourceSequence,
      outSsrc: this.#ssrc,
      sequenceOffset: uint16(this.#sequenceOffset),
      timestampOffset: uint32(this.#timestampOffset),
    }
  }

  /** A packet of the source that is not sent: what follows it closes up. */
  skip(packet: RtpPacket): void {
    const steps = sequenceDistance(this.#sourceSequence, packet.sequence)
    if (packet.ssrc !== this.#source || steps <= 0) return
    this.#sourceSequence = packet.sequence
    this.#sequenceOffset -= steps
  }

  /**
   * Write the header of a packet of our own at `start`, the payload follows it.
   *
   * @param position Of its first sample on a time line of the caller's, in ticks; it runs on as time does.
   * @param ticks Sound in the packet.
   */
  own(
    bytes: Uint8Array,
    start: number,
    payloadType: number,
    payloadBytes: number,
    position: number,
    ticks: number,
    nowMs: number,
  ): void {
    const changed = this.#source !== ownSource
    if (changed) {
      this.#timestampOffset = this.#begin(nowMs) - position
      this.#source = ownSource
      this.#sourceBefore = undefined
    }
    const timestamp = uint32(position + this.#timestampOffset)
    const marker = changed || timestamp !== uint32(this.#timestamp + this.#packetTicks)
    this.#next(bytes, start, payloadType, marker, timestamp, payloadBytes)
    this.#timestamp = timestamp
    this.#packetTicks = ticks
    this.#sentAtMs = nowMs
  }

  /** The same for a telephone-event: it has the time at which the digit began, and speech goes on beside it. */
  ownEvent(bytes: Uint8Array, start: number, payloadType: number, payloadBytes: number, event: EventHeader): void {
    this.#next(bytes, start, payloadType, event.marker, event.timestamp, payloadBytes)
    // The source's next packet comes after it.
    if (this.#source !== ownSource) this.#sequenceOffset++
  }

  /** The timestamp of sound that begins now: never before the end of what was sent. */
  nextTimestamp(nowMs: number): number {
    if (this.packets === 0) return this.#timestamp
    return uint32(this.#timestamp + Math.max(this.#packetTicks, this.#elapsed(nowMs) - this.#ahead))
  }

  /** Our timestamp at a moment, for sender reports. */
  timestampAt(nowMs: number): number {
    return uint32(this.#timestamp + this.#elapsed(nowMs))
  }

  /** Since the last packet, ticks. */
  #elapsed(nowMs: number): number {
    return Math.round((nowMs - this.#sentAtMs) * (this.#clockRateHz / 1000))
  }

  /** Another source begins now: where. A pause takes back what was ahead. */
  #begin(nowMs: number): number {
    const timestamp = this.nextTimestamp(nowMs)
    if (this.packets > 0) this.#ahead = this.#aheadAt(nowMs)
    return timestamp
  }

  /** How far ahead a source would be that begins now. */
  #aheadAt(nowMs: number): number {
    return Math.max(0, this.#ahead + this.#packetTicks - this.#elapsed(nowMs))
  }

  #changeSource(packet: RtpPacket, nowMs: number): boolean {
    const isAnother = packet.ssrc !== this.#source
    if (isAnother ? this.#isStraggler(packet, nowMs) : this.#isStray(packet)) return false
    // A packet is left out before many changes (prompts, digits as tones) add up to a delay at the receiver.
    if (this.packets > 0 && this.#aheadAt(nowMs) > this.#packetTicks) return false
    this.#sequenceOffset = this.#sequence + 1 - packet.sequence
    this.#timestampOffset = this.#begin(nowMs) - packet.timestamp
    if (isAnother) {
      this.#sourceBefore = this.#source
      this.#source = packet.ssrc
      this.#changedAtMs = nowMs
    }
    this.#sourceSequence = packet.sequence
    this.#barrier = this.packets > 0 ? this.#sequence : undefined
    return true
  }

  #isStraggler({ ssrc }: RtpPacket, nowMs: number): boolean {
    return ssrc === this.#sourceBefore && nowMs - this.#changedAtMs < stragglerMs
  }

  /** One packet far out of the sequence is nothing, two in a row are a new one (RFC 3550 A.1). */
  #isStray({ sequence }: RtpPacket): boolean {
    const isFirst = sequence !== this.#strayNext
    this.#strayNext = uint16(sequence + 1)
    return isFirst
  }

  #isFar(sequence: number): boolean {
    const steps = sequenceDistance(this.#sourceSequence, sequence)
    return steps < -mostLate || steps > mostAhead
  }

  #isBehindBarrier(barrier: number, sequence: number): boolean {
    const distance = sequenceDistance(barrier, sequence)
    if (distance > mostLate) this.#barrier = undefined // numbers wrap
    return distance <= 0
  }

  #measure(sequence: number, timestamp: number): void {
    const ticks = timestampDistance(this.#timestamp, timestamp)
    const follows = sequenceDistance(this.#sequence, sequence) === 1
    if (follows && ticks > 0 && ticks <= (this.#clockRateHz / 1000) * longestPacketMs) this.#packetTicks = ticks
  }

  #next(
    bytes: Uint8Array,
    start: number,
    payloadType: number,
    marker: boolean,
    timestamp: number,
    payloadBytes: number,
  ): void {
    this.#sequence = uint16(this.#sequence + 1)
    this.#barrier = this.#sequence
    this.#write(bytes, start, payloadType, marker, this.#sequence, timestamp)
    this.#sent(payloadBytes)
  }

  #write(
    bytes: Uint8Array,
    start: number,
    payloadType: number,
    marker: boolean,
    sequence: number,
    timestamp: number,
  ): void {
    header.marker = marker
    header.payloadType = payloadType
    header.sequence = sequence
    header.timestamp = timestamp
    header.ssrc = this.#ssrc
    writeRtpHeader(bytes, start, header)
  }

  #sent(payloadBytes: number): void {
    this.packets++
    this.bytes += payloadBytes
  }
}

/** Packets from a hundred before the newest of the source to three thousand after it get such headers. */
export interface SteadyRewrite {
  /** Sequence number of the source. */
  readonly newest: number
  readonly outSsrc: number
  readonly sequenceOffset: number
  readonly timestampOffset: number
}

export interface EventHeader {
  /** Of the first packet of a digit. */
  readonly marker: boolean
  /** When it began, as `nextTimestamp` said. */
  readonly timestamp: number
}
