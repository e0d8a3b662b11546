/**
 * The stream a port sends: one SSRC of our own, whoever is heard through it.
 *
 *   port A  ── packet from its peer ─▶  here (port B)  ── header rewritten in place ─▶  B's peer
 *
 * Sequence numbers and timestamps go on when the source behind changes; a loss or a swap on the way in stays one on
 * the way out, so that the receiver's jitter buffer can do its work. What is not sent (hold, no common codec) leaves
 * no hole in the sequence. The payload is not touched here.
 */
import { type RtpPacket, rtpHeaderBytes, writeRtpHeader } from '../../rtp/packet.ts'
import { sequenceDistance, uint16, uint32 } from '../../rtp/sequence.ts'

/** Packets of the source before that come so soon after a change are stragglers, ms. */
const stragglerMs = 200

export class Outgoing {
  #ssrc: number
  packets = 0
  /** Of payload, as sender reports count (RFC 3550 §6.4.1). */
  bytes = 0
  /** Sent under the SSRC before. */
  #packetsBefore = 0
  #bytesBefore = 0
  readonly #ticksPerMs: number
  /** Of the newest packet sent. */
  #sequence: number
  #timestamp: number
  #sentAtMs = 0
  #source: number | undefined
  #sourceBefore: number | undefined
  #changedAtMs = 0
  /** Newest sequence number of the source. */
  #sourceSequence = 0
  /** What to add to the source's numbers. */
  #sequenceOffset = 0
  #timestampOffset = 0

  /** First values are random (RFC 3550 §5.1), so that they are handed in. */
  constructor(ssrc: number, firstSequence: number, firstTimestamp: number, clockRateHz: number) {
    this.#ssrc = ssrc
    this.#sequence = uint16(firstSequence - 1)
    this.#timestamp = firstTimestamp
    this.#ticksPerMs = clockRateHz / 1000
  }

  get ssrc(): number {
    return this.#ssrc
  }

  /** Since this SSRC was ours, for sender reports (RFC 3550 §6.4.1). */
  get reported(): { readonly packets: number; readonly bytes: number } {
    return { packets: this.packets - this.#packetsBefore, bytes: this.bytes - this.#bytesBefore }
  }

  /** Somebody else has ours: the stream goes on under another one. */
  changeSsrc(ssrc: number): void {
    this.#ssrc = ssrc
    this.#packetsBefore = this.packets
    this.#bytesBefore = this.bytes
  }

  /**
   * Give the packet a header of ours, in place, straight before its payload.
   * @returns Where it now begins in its bytes; undefined when it is not to be sent.
   */
  rewrite(packet: RtpPacket, payloadType: number, nowMs: number): number | undefined {
    const changed = packet.ssrc !== this.#source
    if (changed && !this.#changeSource(packet, nowMs)) return undefined
    const sequence = uint16(packet.sequence + this.#sequenceOffset)
    const timestamp = uint32(packet.timestamp + this.#timestampOffset)
    const start = packet.payloadStart - rtpHeaderBytes
    const marker = packet.marker || (changed && this.packets > 0)
    writeRtpHeader(packet.bytes, start, { marker, payloadType, sequence, timestamp, ssrc: this.#ssrc })
    if (sequenceDistance(this.#sequence, sequence) > 0) {
      this.#sequence = sequence
      this.#timestamp = timestamp
      this.#sourceSequence = packet.sequence
    }
    this.#sentAtMs = nowMs
    this.packets++
    this.bytes += packet.payloadEnd - packet.payloadStart
    return start
  }

  /** A packet of the source that is not sent: what follows it closes up. */
  skip(packet: RtpPacket): void {
    const steps = sequenceDistance(this.#sourceSequence, packet.sequence)
    if (packet.ssrc !== this.#source || steps <= 0) return
    this.#sourceSequence = packet.sequence
    this.#sequenceOffset -= steps
  }

  /** Our timestamp at a moment, for sender reports. */
  timestampAt(nowMs: number): number {
    return uint32(this.#timestamp + Math.round((nowMs - this.#sentAtMs) * this.#ticksPerMs))
  }

  #changeSource(packet: RtpPacket, nowMs: number): boolean {
    if (packet.ssrc === this.#sourceBefore && nowMs - this.#changedAtMs < stragglerMs) return false
    const elapsed = this.packets === 0 ? 0 : Math.max(1, Math.round((nowMs - this.#sentAtMs) * this.#ticksPerMs))
    this.#sequenceOffset = this.#sequence + 1 - packet.sequence
    this.#timestampOffset = this.#timestamp + elapsed - packet.timestamp
    this.#sourceBefore = this.#source
    this.#source = packet.ssrc
    this.#sourceSequence = packet.sequence
    this.#changedAtMs = nowMs
    return true
  }
}
