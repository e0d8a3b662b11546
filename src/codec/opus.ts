/**
 * Opus (RFC 6716, 7587) by libopus.
 *
 *   jitter buffer ── packet ─▶ OpusDecoder ── samples ─▶ mixer          mixer ── samples ─▶ OpusEncoder ── packet ─▶
 *
 * Works at 8, 12, 16, 24 or 48 kHz, mono or stereo (samples interleaved), whatever the other side does: its RTP clock is
 * always 48 kHz (RFC 7587 §4.1). The library's heap holds 20 to 50 KB for an encoder or decoder; `close` gives them back.
 */
import type { Codec, Decoder, Encoder, EncoderWishes } from './codec.ts'
import { libopus } from './libopus.ts'
import { carriesCopy, opusTicks } from './opus-packet.ts'

export type OpusRateHz = 8000 | 12_000 | 16_000 | 24_000 | 48_000

export interface OpusOptions {
  readonly sampleRateHz: OpusRateHz
  readonly channels: 1 | 2
}

/** RFC 6716 §3.2: one frame is 1275 bytes at most, a packet holds up to 48 in 120 ms. RTP over Ethernet holds no more than this. */
const mostPacketBytes = 1400
const longestPacketMs = 120
/** RFC 6716 §2.1.4, ms times 2: what an encoder takes at once. */
const frameHalfMs = new Set([5, 10, 20, 40, 80, 120])
/** Concealment comes in steps of 2.5 ms. */
const concealStepsPerSecond = 400
const usualComplexity = 5

/** Applications and requests of opus_defines.h. */
const application = { voice: 2048, music: 2049 } as const
const request = { bitrate: 4002, vbr: 4006, complexity: 4010, fec: 4012, lossPercent: 4014, dtx: 4016 } as const
const automatic = -1000

/** Where packets and samples pass through the heap: for all encoders and decoders of the thread, one after the other. */
const packetAt = libopus._malloc(mostPacketBytes)
const pcmAt = libopus._malloc(((48_000 * longestPacketMs) / 1000) * 2 * 2)

/** @throws {RangeError} When the library's heap is used up. */
function created(make: (errorAt: number) => number): number {
  const errorAt = libopus._malloc(4)
  const address = make(errorAt)
  const error = libopus.HEAP32[errorAt >> 2] ?? 0
  libopus._free(errorAt)
  if (address === 0 || error !== 0) throw new RangeError(`libopus gives no more room: ${error}`)
  return address
}

export class OpusEncoder implements Encoder {
  readonly #channels: number
  readonly #sampleRateHz: number
  /** 0 once closed. */
  #encoder: number

  /** @throws {RangeError} for wishes out of their bounds. */
  constructor({ sampleRateHz, channels }: OpusOptions, wishes: EncoderWishes = {}) {
    this.#channels = channels
    this.#sampleRateHz = sampleRateHz
    this.#encoder = created((errorAt) =>
      libopus._oc_create_encoder(sampleRateHz, channels, application[wishes.sound ?? 'voice'], errorAt),
    )
    this.#set(request.bitrate, wishes.bitsPerSecond ?? automatic)
    this.#set(request.complexity, wishes.complexity ?? usualComplexity)
    this.#set(request.fec, wishes.fec ? 1 : 0)
    this.#set(request.lossPercent, wishes.lossPercent ?? 0)
    this.#set(request.dtx, wishes.dtx ? 1 : 0)
    this.#set(request.vbr, wishes.constantBitrate ? 0 : 1)
  }

  #set(what: number, value: number): void {
    if (libopus._oc_encoder_ctl(this.#encoder, what, value) === 0) return
    this.close()
    throw new RangeError(`libopus refuses ${value} for request ${what}`)
  }

  /**
   * Encode `count` samples, of all channels together, as one packet: 2.5, 5, 10, 20, 40 or 60 ms.
   *
   * @returns Bytes written; 0 for other lengths or too little room. With DTX, packets of 1 or 2 bytes need not be sent.
   */
  encode(samples: Int16Array, fromSample: number, count: number, bytes: Uint8Array, toByte: number): number {
    const frameSize = count / this.#channels
    const room = Math.min(mostPacketBytes, bytes.length - toByte)
    if (!frameHalfMs.has((2000 * frameSize) / this.#sampleRateHz) || fromSample + count > samples.length || room < 1)
      return 0
    if (this.#encoder === 0) return 0
    const pcm = libopus.HEAP16
    const first = pcmAt >> 1
    for (let i = 0; i < count; i++) pcm[first + i] = samples[fromSample + i] ?? 0
    const length = libopus._oc_encode(this.#encoder, pcmAt, frameSize, packetAt, room)
    const heap = libopus.HEAPU8
    for (let i = 0; i < length; i++) bytes[toByte + i] = heap[packetAt + i] ?? 0
    return Math.max(0, length)
  }

  /** Follow what receiver reports say. @param lossPercent 0 to 100. */
  adapt(lossPercent: number, bitsPerSecond?: number): void {
    if (this.#encoder === 0) return
    this.#set(request.lossPercent, Math.round(Math.min(100, Math.max(0, lossPercent))))
    if (bitsPerSecond !== undefined) this.#set(request.bitrate, bitsPerSecond)
  }

  close(): void {
    if (this.#encoder !== 0) libopus._oc_destroy_encoder(this.#encoder)
    this.#encoder = 0
  }
}

export class OpusDecoder implements Decoder {
  readonly #channels: number
  readonly #sampleRateHz: number
  /** 0 once closed. */
  #decoder: number

  constructor({ sampleRateHz, channels }: OpusOptions) {
    this.#channels = channels
    this.#sampleRateHz = sampleRateHz
    this.#decoder = created((errorAt) => libopus._oc_create_decoder(sampleRateHz, channels, errorAt))
  }

  /** Most samples of one packet, all channels together: what `samples` should have room for. */
  get longestPacket(): number {
    return ((this.#sampleRateHz * longestPacketMs) / 1000) * this.#channels
  }

  decode(bytes: Uint8Array, fromByte: number, byteCount: number, samples: Int16Array, toSample: number): number {
    if (!this.#takesIn(bytes, fromByte, byteCount)) return 0
    return this.#takeOut(packetAt, byteCount, this.longestPacket, 0, samples, toSample)
  }

  recover(
    bytes: Uint8Array,
    fromByte: number,
    byteCount: number,
    samples: Int16Array,
    toSample: number,
    count: number,
  ): number {
    if (!carriesCopy(bytes, fromByte, byteCount) || !this.#isConcealable(count)) return 0
    if (!this.#takesIn(bytes, fromByte, byteCount)) return 0
    return this.#takeOut(packetAt, byteCount, count, 1, samples, toSample)
  }

  /** Lengths that are no multiple of 2.5 ms, or over 120 ms, become silence. */
  conceal(samples: Int16Array, toSample: number, count: number): void {
    const made = this.#isConcealable(count) ? this.#takeOut(0, 0, count, 0, samples, toSample) : 0
    samples.fill(0, toSample + made, toSample + count)
  }

  close(): void {
    if (this.#decoder !== 0) libopus._oc_destroy_decoder(this.#decoder)
    this.#decoder = 0
  }

  #isConcealable(count: number): boolean {
    const step = (this.#sampleRateHz / concealStepsPerSecond) * this.#channels
    return count > 0 && count % step === 0 && count <= this.longestPacket
  }

  #takesIn(bytes: Uint8Array, fromByte: number, byteCount: number): boolean {
    if (byteCount < 1 || byteCount > mostPacketBytes || fromByte + byteCount > bytes.length) return false
    const heap = libopus.HEAPU8
    for (let i = 0; i < byteCount; i++) heap[packetAt + i] = bytes[fromByte + i] ?? 0
    return true
  }

  /** @param most Samples of all channels. @returns Samples written; 0 for malformed packets, which are ordinary. */
  #takeOut(packet: number, byteCount: number, most: number, fec: 0 | 1, samples: Int16Array, toSample: number): number {
    if (this.#decoder === 0) return 0
    const made = libopus._oc_decode(this.#decoder, packet, byteCount, pcmAt, most / this.#channels, fec)
    const count = made * this.#channels
    if (count <= 0 || toSample + count > samples.length) return 0
    const pcm = libopus.HEAP16
    const first = pcmAt >> 1
    for (let i = 0; i < count; i++) samples[toSample + i] = pcm[first + i] ?? 0
    return count
  }
}

/** Opus at a rate: the sound is the codec's own affair, so each side works at the rate that suits it. */
export const opus = (sampleRateHz: OpusRateHz, channels: 1 | 2 = 1): Codec => ({
  encoding: 'opus',
  clockRateHz: 48_000,
  sampleRateHz,
  channels,
  samplesTogether: (sampleRateHz / concealStepsPerSecond) * channels,
  payloadBytes: () => mostPacketBytes,
  ticksOf: opusTicks,
  createDecoder: () => new OpusDecoder({ sampleRateHz, channels }),
  createEncoder: (wishes) => new OpusEncoder({ sampleRateHz, channels }, wishes),
})
