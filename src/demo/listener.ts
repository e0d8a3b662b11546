/**
 * Keeps what an RTP stream said: samples where their timestamps put them, and the digits that were pressed.
 *
 *   RtpEndpoint  ── packets ─▶  here  ── samples, digits ─▶  whoever compares
 *
 * A new source (SSRC) is put behind what was heard before. For phones that we simulate: it trusts what it gets.
 */
import { decodeG711Into, type G711Law } from '../codec/g711.ts'
import type { Clock } from '../core/clock.ts'
import { emptyRtpPacket, parseRtp } from '../rtp/packet.ts'
import { timestampDistance } from '../rtp/sequence.ts'
import { DigitDetector, parseTelephoneEvent } from '../rtp/telephone-event.ts'

export interface ListenerOptions {
  readonly clock: Clock
  /** Payload type to law. */
  readonly audio: ReadonlyMap<number, G711Law>
  readonly eventPayloadType?: number
}

const clockRateHz = 8_000
/** Ten minutes: a timestamp beyond is not from this call. */
const longestSamples = 600 * clockRateHz

export class Listener {
  readonly #options: ListenerOptions
  readonly #packet = emptyRtpPacket()
  readonly #detector: DigitDetector
  #samples = new Int16Array(80_000)
  #length = 0
  #ssrc: number | undefined
  #firstTimestamp = 0
  /** Where the present source's first sample is. */
  #offset = 0
  #packetsReceived = 0
  #digits = ''

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#detector = new DigitDetector(clockRateHz, ({ digit }) => (this.#digits += digit))
  }

  get packetsReceived(): number {
    return this.#packetsReceived
  }

  get digits(): string {
    return this.#digits
  }

  /** What was heard so far, from the first packet on; silence where nothing came. */
  heard(): Int16Array {
    return this.#samples.slice(0, this.#length)
  }

  receive(bytes: Uint8Array): void {
    const packet = this.#packet
    if (!parseRtp(bytes, packet)) return
    this.#packetsReceived++
    const law = this.#options.audio.get(packet.payloadType)
    if (law) this.#hear(law)
    else if (packet.payloadType === this.#options.eventPayloadType) this.#press()
  }

  #press(): void {
    const { bytes, payloadStart, payloadEnd, timestamp } = this.#packet
    const event = parseTelephoneEvent(bytes, payloadStart, payloadEnd)
    if (event) this.#detector.packet(timestamp, event, this.#options.clock.now())
  }

  #hear(law: G711Law): void {
    const { bytes, payloadStart, payloadEnd, ssrc, timestamp } = this.#packet
    this.#detector.speech(timestamp)
    if (ssrc !== this.#ssrc) {
      this.#ssrc = ssrc
      this.#firstTimestamp = timestamp
      this.#offset = this.#length
    }
    const at = this.#offset + timestampDistance(this.#firstTimestamp, timestamp)
    const end = at + payloadEnd - payloadStart
    if (at < this.#offset || end > longestSamples) return
    this.#makeRoom(end)
    decodeG711Into(law, bytes, payloadStart, payloadEnd - payloadStart, this.#samples, at)
    this.#length = Math.max(this.#length, end)
  }

  #makeRoom(samples: number): void {
    if (samples <= this.#samples.length) return
    const larger = new Int16Array(samples * 2)
    larger.set(this.#samples)
    this.#samples = larger
  }
}
