/**
 * Sound as payloads of one codec and one packet time.
 *
 *   source ─▶ atRate ─▶ frames of 20 ms ─▶ here: cut into 10 to 60 ms, encoded ─▶ Speaker (one, or all who hear a shared source)
 *
 * A source that gives nothing is encoded as silence. Nothing allocates in the steady state, but for what Opus makes.
 */
import type { Codec, Encoder, EncoderWishes } from '../../../codec/codec.ts'
import { frameMs, frameSamples, type SoundSource } from '../sound.ts'
import { atRate } from './at-rate.ts'

export interface PayloadShape {
  readonly codec: Codec
  /** A multiple of 10, 10 to 60. */
  readonly packetMs: number
  readonly wishes: EncoderWishes
}

/** Most bytes of a payload: what a packet carries over Ethernet without being cut, beside headers and SRTP's tag. */
export const mostPayloadBytes = 1400
const longestPacketMs = 60
const stepMs = 10

/**
 * The packet time for a peer that wants `ptimeMs`, and takes no more than `maxPtimeMs`: in steps of 10 ms, and no longer
 * than fits into a packet. Opus has no packets of 30 and 50 ms that are one frame.
 */
export function packetMsFor(codec: Codec, ptimeMs = frameMs, maxPtimeMs = longestPacketMs): number {
  let ms = Math.floor(Math.min(ptimeMs, maxPtimeMs, longestPacketMs) / stepMs) * stepMs
  const fits = (): boolean =>
    codec.encoding === 'opus' || codec.payloadBytes(ms * samplesPerMs(codec)) <= mostPayloadBytes
  while (ms > stepMs && !(fits() && isFrame(codec, ms))) ms -= stepMs
  return Math.max(stepMs, ms)
}

const samplesPerMs = (codec: Codec): number => codec.sampleRateHz / 1000
const isFrame = (codec: Codec, ms: number): boolean => codec.encoding !== 'opus' || ms < 30 || ms % 20 === 0

export class Encoded {
  readonly shape: PayloadShape
  /** How many payloads this tick finished: 0 to 2. */
  count = 0
  readonly payloads: readonly [Payload, Payload]
  readonly #source: SoundSource
  readonly #encoder: Encoder
  readonly #packetSamples: number
  /** Samples that do not fill a packet yet, then those of the frame. */
  readonly #pending: Int16Array
  #held = 0
  #tick = Number.NaN
  #users = 1
  #forget: (() => void) | undefined

  /** @param forget When nobody uses it any more. */
  constructor(source: SoundSource, shape: PayloadShape, forget?: () => void) {
    const { codec, packetMs, wishes } = shape
    this.shape = shape
    this.#forget = forget
    this.#source = atRate(source, codec.sampleRateHz)
    this.#encoder = codec.createEncoder(wishes)
    this.#packetSamples = packetMs * samplesPerMs(codec)
    this.#pending = new Int16Array(this.#packetSamples + frameSamples(codec.sampleRateHz))
    const room = codec.encoding === 'opus' ? mostPayloadBytes : codec.payloadBytes(this.#packetSamples)
    this.payloads = [new Payload(room), new Payload(room)]
  }

  /** Encode what this tick brings; the same for all who ask within it. */
  read(tick: number): void {
    if (tick === this.#tick) return
    // What was begun before a pause is not carried over it.
    if (tick !== this.#tick + 1) this.#held = 0
    this.#tick = tick
    const { codec } = this.shape
    const samples = frameSamples(codec.sampleRateHz)
    const frame = this.#source.read(tick)
    if (frame) this.#pending.set(frame, this.#held)
    else this.#pending.fill(0, this.#held, this.#held + samples)
    this.#held += samples
    this.#encode((tick + 1) * samples - this.#held)
  }

  /** @param position Of the first sample held, counted from tick 0. */
  #encode(position: number): void {
    const { codec } = this.shape
    const size = this.#packetSamples
    const ticksPerSample = codec.clockRateHz / codec.sampleRateHz
    let at = 0
    this.count = 0
    for (const payload of this.payloads) {
      if (this.#held - at < size) break
      payload.length = this.#encoder.encode(this.#pending, at, size, payload.bytes, 0)
      payload.position = (position + at) * ticksPerSample
      at += size
      this.count++
    }
    this.#pending.copyWithin(0, at, this.#held)
    this.#held -= at
  }

  /** See Encoder.adapt. */
  adapt(lossPercent: number): void {
    this.#encoder.adapt?.(lossPercent)
  }

  /** One more uses it. */
  join(): this {
    this.#users++
    return this
  }

  /** One less; the last one closes it. */
  leave(): void {
    if (--this.#users > 0) return
    this.#encoder.close()
    this.#forget?.()
    this.#forget = undefined
  }
}

class Payload {
  readonly bytes: Uint8Array
  length = 0
  /** Of its first sample, in ticks of the RTP clock, counted from tick 0. */
  position = 0

  constructor(room: number) {
    this.bytes = new Uint8Array(room)
  }
}

/** Of Opus for many: who takes less gets an encoder of its own. Nobody is asked for copies, for all lose other packets. */
const sharedWishes = { bitsPerSecond: 24_000, sound: 'music' } as const

/** What is encoded for many, by source and by shape. */
const shared = new WeakMap<SoundSource, Map<string, Encoded>>()

/**
 * Encode a source for one, or join those who hear it in the same shape already. A shared source is encoded the same for
 * all: as fits anybody. `leave` it when it is no longer heard.
 */
export function encoded(source: SoundSource, shape: PayloadShape): Encoded {
  const { codec, packetMs, wishes } = shape
  const takesIt = (wishes.bitsPerSecond ?? sharedWishes.bitsPerSecond) >= sharedWishes.bitsPerSecond
  if (!source.shared || !takesIt) return new Encoded(source, shape)
  let ofSource = shared.get(source)
  if (!ofSource) shared.set(source, (ofSource = new Map()))
  const key = `${codec.encoding} ${codec.clockRateHz} ${codec.sampleRateHz} ${packetMs}`
  const known = ofSource.get(key)
  if (known) return known.join()
  const made = new Encoded(source, { codec, packetMs, wishes: sharedWishes }, () => ofSource.delete(key))
  ofSource.set(key, made)
  return made
}
