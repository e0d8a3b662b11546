/**
 * Says something into an RTP stream: 20 ms of G.711 at a time, each packet on its own deadline.
 *
 *   speech  ── samples ─▶  here  ── packets ─▶  RtpEndpoint
 *
 * Deadlines are absolute (start + n * 20 ms), so a late timer delays one packet and not the stream. Speech first, then
 * silence until stopped; while a digit is pressed its events take the place of the audio and the speech waits.
 * Remembers the samples a receiver must end up with. Opens no socket, reads no clock: both are handed in.
 */
import { decodeG711, encodeG711, type G711Law } from '../codec/g711.ts'
import type { Clock, Timer } from '../core/clock.ts'
import { randomUint16, randomUint32 } from '../core/random.ts'
import { printRtp } from '../rtp/packet.ts'
import { uint16, uint32 } from '../rtp/sequence.ts'
import { type DigitPacket, digitPackets } from '../rtp/telephone-event.ts'

/** One packet carries 20 ms: the default of RFC 3551 §4.5 for G.711. */
export const packetMs = 20
export const samplesPerPacket = 160

export interface TalkerOptions {
  readonly clock: Clock
  readonly law: G711Law
  readonly payloadType: number
  /** Payload type of telephone-events, when the peer takes them (RFC 4733). */
  readonly eventPayloadType?: number
  /** 8 kHz. */
  readonly speech: Int16Array
  readonly send: (packet: Uint8Array) => void
}

interface Digit {
  readonly packets: DigitPacket[]
  /** How much of it has been sent. */
  sentMs: number
  /** RTP timestamp of its beginning (RFC 4733 §2.5.1). */
  timestamp: number
  readonly done: () => void
}

/** How long a key is held: receivers need 40 ms (ITU-T Q.24); people take longer. */
const digitMs = 120
/** Packets of audio between two digits; receivers need 40 ms without a tone (ITU-T Q.24). */
const packetsBetweenDigits = 5

export class Talker {
  readonly #options: TalkerOptions
  readonly #ssrc = randomUint32()
  readonly #firstTimestamp = randomUint32()
  readonly #digits: Digit[] = []
  /** What a receiver hears in each 20 ms since the start. */
  readonly #slots: Int16Array[] = []
  #sequence = randomUint16()
  #startedMs = 0
  #timer: Timer | undefined
  /** Slots up to and including the last one that went out as a packet. */
  #slotsSent = 0
  #spoken = 0
  #paused = false
  #talkspurtStarts = true
  #audioUntilNextDigit = 0
  #packetsSent = 0

  constructor(options: TalkerOptions) {
    this.#options = options
  }

  get packetsSent(): number {
    return this.#packetsSent
  }

  /** All of the speech has been said. */
  get spoken(): boolean {
    return this.#spoken >= this.#options.speech.length
  }

  start(): void {
    if (this.#timer) return
    this.#startedMs = this.#options.clock.now()
    this.#sendDue()
  }

  /** Send nothing until `resume`; time goes on, and so do the timestamps. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  /**
   * Press keys one after the other.
   * @param keys 0-9 * # A-D
   * @returns Resolves when the last end packet has left, or the talker was stopped.
   * @throws {Error} when no telephone-events were agreed.
   */
  async press(keys: string): Promise<void> {
    if (this.#options.eventPayloadType === undefined) throw new Error('the peer takes no telephone-events')
    await Promise.all(
      Array.from(
        keys,
        (key) =>
          new Promise<void>((done) => {
            this.#digits.push({ packets: digitPackets(key, digitMs), sentMs: 0, timestamp: 0, done })
          }),
      ),
    )
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const { done } of this.#digits.splice(0)) done()
  }

  /** The samples that went out so far, decoded as a receiver decodes them; silence in pauses and under digits. */
  sent(): Int16Array {
    const samples = new Int16Array(this.#slotsSent * samplesPerPacket)
    this.#slots.slice(0, this.#slotsSent).forEach((slot, index) => samples.set(slot, index * samplesPerPacket))
    return samples
  }

  #sendDue(): void {
    const { clock } = this.#options
    while (this.#nextDueMs() <= clock.now()) this.#fillSlot()
    this.#timer = clock.after(this.#nextDueMs() - clock.now(), () => this.#sendDue())
  }

  #nextDueMs(): number {
    return this.#startedMs + this.#slots.length * packetMs
  }

  #fillSlot(): void {
    const [digit] = this.#digits
    if (this.#paused) {
      this.#talkspurtStarts = true
      this.#slots.push(new Int16Array(samplesPerPacket))
    } else if (digit && this.#audioUntilNextDigit === 0) this.#sendEvent(digit)
    else this.#sendAudio()
  }

  #sendAudio(): void {
    const { law, payloadType, speech } = this.#options
    const samples = new Int16Array(samplesPerPacket)
    samples.set(speech.subarray(this.#spoken, this.#spoken + samplesPerPacket))
    this.#spoken += samplesPerPacket
    this.#audioUntilNextDigit = Math.max(0, this.#audioUntilNextDigit - 1)
    const payload = encodeG711(law, samples)
    this.#send(payloadType, this.#now(), this.#talkspurtStarts, payload)
    this.#talkspurtStarts = false
    this.#push(decodeG711(law, payload))
  }

  #sendEvent(digit: Digit): void {
    if (digit.sentMs === 0) digit.timestamp = this.#now()
    digit.sentMs += packetMs
    for (let next = digit.packets[0]; next && next.atMs <= digit.sentMs; next = digit.packets[0]) {
      digit.packets.shift()
      const timestamp = uint32(digit.timestamp + next.timestampOffset)
      this.#send(this.#options.eventPayloadType ?? 0, timestamp, next.marker, next.payload)
    }
    this.#push(new Int16Array(samplesPerPacket))
    if (digit.packets.length > 0) return
    this.#digits.shift()
    this.#audioUntilNextDigit = packetsBetweenDigits
    this.#talkspurtStarts = true
    digit.done()
  }

  #push(slot: Int16Array): void {
    this.#slots.push(slot)
    this.#slotsSent = this.#slots.length
  }

  /** RTP timestamp of the slot that is filled now. */
  #now(): number {
    return uint32(this.#firstTimestamp + this.#slots.length * samplesPerPacket)
  }

  #send(payloadType: number, timestamp: number, marker: boolean, payload: Uint8Array): void {
    this.#sequence = uint16(this.#sequence + 1)
    this.#packetsSent++
    const header = { payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.#ssrc }
    this.#options.send(printRtp(header, payload))
  }
}
