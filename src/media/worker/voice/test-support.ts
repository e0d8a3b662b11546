/** Phones on ports without sockets: they say a sound in a codec, packet by packet, and keep what they are sent. */
import assert from 'node:assert/strict'
import type { Codec, Decoder, Encoder } from '../../../codec/codec.ts'
import { findCodec } from '../../../codec/codecs.ts'
import { FakeClock } from '../../../core/fake-clock.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../../../rtp/packet.ts'
import type { PayloadFormat, PortDescription } from '../../types.ts'
import { FrameClock } from '../frame-clock.ts'
import { Port } from '../port.ts'
import { BlockPool } from '../recording/block-pool.ts'
import { frameSamples, type SoundSource } from '../sound.ts'
import { fakeSockets } from '../test-sockets.ts'

export const pcmu: PayloadFormat = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 }
export const pcma: PayloadFormat = { payloadType: 8, encoding: 'PCMA', clockRateHz: 8000 }
export const g722: PayloadFormat = { payloadType: 9, encoding: 'G722', clockRateHz: 8000 }
export const opus: PayloadFormat = { payloadType: 111, encoding: 'opus', clockRateHz: 48_000, channels: 2 }
export const l16: PayloadFormat = { payloadType: 96, encoding: 'L16', clockRateHz: 16_000 }
export const g729: PayloadFormat = { payloadType: 18, encoding: 'G729', clockRateHz: 8000 }
export const events = (clockRateHz = 8000, payloadType = 101): PayloadFormat => ({
  payloadType,
  encoding: 'telephone-event',
  clockRateHz,
})

export const codecOf = ({ encoding, clockRateHz, channels }: PayloadFormat): Codec => {
  const codec = findCodec(encoding, clockRateHz, channels)
  assert.ok(codec, encoding)
  return codec
}

export interface Heard {
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly marker: boolean
  readonly payload: Uint8Array
  readonly atMs: number
}

export interface PhoneOptions {
  readonly formats: readonly PayloadFormat[]
  readonly ptimeMs?: number
  readonly description?: Partial<PortDescription>
}

let lastAddress = 0

/** Somebody at the other end of a port. */
export class Phone {
  readonly port: Port
  readonly got: Heard[] = []
  readonly rtcp: Uint8Array[] = []
  readonly told: (readonly [string, unknown])[] = []
  sequence = 65_000
  timestamp = 0xffff_0000
  ssrc = 7000 + ++lastAddress
  readonly #clock: FakeClock
  readonly #from = { ip: '192.0.2.9', port: 4000 + 2 * lastAddress }
  #encoder: Encoder | undefined
  #format: PayloadFormat
  readonly #ptimeMs: number

  constructor(clock: FakeClock, frames: FrameClock, { formats, ptimeMs = 20, description }: PhoneOptions) {
    this.#clock = clock
    this.#format = formats[0] ?? pcmu
    this.#ptimeMs = ptimeMs
    this.port = new Port({
      cname: 'call',
      inactiveAfterMs: 0,
      recordedLater: false,
      clock,
      wallAt: (nowMs) => clock.wallMs() - clock.now() + nowMs,
      blocks: new BlockPool(),
      frames,
      jitter: { minMs: 20, maxMs: 200 },
      tell: (name, event) => this.told.push([name, event]),
    })
    this.port.attach(
      fakeSockets({
        sendRtp: (bytes, start, length) => this.#take(bytes.slice(start, start + length)),
        sendRtcp: (bytes) => void this.rtcp.push(bytes),
      }),
    )
    const { ip, port } = this.#from
    const remote = { ip, rtpPort: port, rtcpPort: port + 1 }
    this.port.describe({ remote, receive: formats, send: formats, ptimeMs, ...description })
  }

  #take(bytes: Uint8Array): void {
    const packet = emptyRtpPacket()
    assert.ok(parseRtp(bytes, packet))
    const { payloadType, sequence, timestamp, ssrc, marker, payloadStart, payloadEnd } = packet
    const payload = bytes.slice(payloadStart, payloadEnd)
    this.got.push({ payloadType, sequence, timestamp, ssrc, marker, payload, atMs: this.#clock.now() })
  }

  /** Speak in another format from now on. */
  speakIn(format: PayloadFormat): void {
    this.#format = format
    this.#encoder = undefined
  }

  /** Send one packet of this sound, which is at the codec's rate. */
  say(sound: Int16Array, at: number): void {
    const codec = codecOf(this.#format)
    this.#encoder ??= codec.createEncoder({ bitsPerSecond: 96_000, sound: 'music' })
    const samples = (codec.sampleRateHz * this.#ptimeMs) / 1000
    const payload = new Uint8Array(4000)
    const bytes = this.#encoder.encode(sound, at, samples, payload, 0)
    assert.ok(bytes > 0)
    this.send(payload.subarray(0, bytes), (samples * codec.clockRateHz) / codec.sampleRateHz)
  }

  /** Send a payload that holds so many ticks. */
  send(payload: Uint8Array, ticks: number, { marker = false, payloadType = this.#format.payloadType } = {}): void {
    const { ssrc } = this
    const header = { ssrc, sequence: this.sequence & 0xffff, timestamp: this.timestamp >>> 0, marker, payloadType }
    this.port.rtp(printRtp(header, payload), this.#from)
    this.sequence++
    this.timestamp += ticks
  }

  /** What was sent in this format, decoded one after the other. */
  sound(format: PayloadFormat, from = 0): Int16Array {
    const codec = codecOf(format)
    const decoder: Decoder = codec.createDecoder()
    const all = new Int16Array(this.got.length * codec.sampleRateHz * 0.12)
    let count = 0
    for (const { payloadType, payload } of this.got.slice(from)) {
      if (payloadType === format.payloadType) count += decoder.decode(payload, 0, payload.length, all, count)
    }
    decoder.close()
    return all.slice(0, count)
  }
}

/** A caller's and a callee's phone, bridged, on one clock. */
export function callOf(caller: PhoneOptions, callee: PhoneOptions) {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const a = new Phone(clock, frames, caller)
  const b = new Phone(clock, frames, callee)
  a.port.bridge(b.port)
  return { clock, frames, a, b }
}

/** Let a phone say a sound while time goes by; something may happen before each packet. */
export function speak(
  clock: FakeClock,
  phone: Phone,
  sound: Int16Array,
  samples: number,
  ptimeMs: number,
  before: (index: number) => void = () => {},
): void {
  for (let at = 0; at + samples <= sound.length; at += samples) {
    before(at / samples)
    phone.say(sound, at)
    clock.advance(ptimeMs)
    phone.port.tick(clock.now())
  }
}

/** A source that says a sound once, then nothing. */
export class Sound implements SoundSource {
  readonly sampleRateHz: number
  readonly #samples: Int16Array
  #at = 0
  #tick = Number.NaN
  #frame: Int16Array | undefined

  constructor(samples: Int16Array, sampleRateHz: number) {
    this.#samples = samples
    this.sampleRateHz = sampleRateHz
  }

  read(tick: number): Int16Array | undefined {
    if (tick === this.#tick) return this.#frame
    this.#tick = tick
    const count = frameSamples(this.sampleRateHz)
    this.#frame =
      this.#at + count <= this.#samples.length ? this.#samples.subarray(this.#at, this.#at + count) : undefined
    this.#at += count
    return this.#frame
  }
}
