/**
 * Other ports that send on what a port receives: its voice for recording servers.
 *
 *   port ── packet, before it is relayed ─▶ here ── a copy for each ─▶ Speaker of the port that sends it
 *
 * As it came where the peer over there takes that codec, made over otherwise. A packet is changed in place when it is
 * relayed: so each is sent from a copy of its own.
 */
import { emptyRtpPacket, type RtpPacket } from '../../rtp/packet.ts'
import type { Format } from './formats.ts'
import { maxDatagramBytes } from './io/io.ts'
import type { Speaker } from './voice/speaker.ts'

/** One for all ports of a worker: what is sent is taken before the next is copied. */
const scratch = new Uint8Array(maxDatagramBytes)
const copy: RtpPacket = emptyRtpPacket()

export class Copies {
  readonly #speakers: Speaker[] = []

  get any(): boolean {
    return this.#speakers.length > 0
  }

  add(speaker: Speaker): void {
    this.#speakers.push(speaker)
  }

  remove(speaker: Speaker): void {
    const at = this.#speakers.indexOf(speaker)
    if (at >= 0) this.#speakers.splice(at, 1)
  }

  /** Before the port's ear has the packet: it may have to be woken for who cannot take it as it is. */
  prepare(packet: RtpPacket, format: Format, nowMs: number): void {
    for (const speaker of this.#speakers) speaker.prepare(packet, format, nowMs)
  }

  /** The port closes. */
  end(): void {
    for (const speaker of this.#speakers.splice(0)) speaker.bridge(undefined)
  }

  relay(packet: RtpPacket, format: Format, nowMs: number): void {
    for (const speaker of this.#speakers) {
      for (let i = 0; i < packet.payloadEnd; i++) scratch[i] = packet.bytes[i] ?? 0
      speaker.relay(Object.assign(copy, packet, { bytes: scratch }), format, nowMs)
    }
  }
}
