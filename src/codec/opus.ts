/**
 * Opus (RFC 6716, 7587) by libopus, compiled to WebAssembly and handed in.
 *
 *   jitter buffer ── packet ─▶ OpusDecoder ── samples ─▶ mixer          mixer ── samples ─▶ OpusEncoder ── packet ─▶
 *
 * Works at 8, 12, 16, 24 or 48 kHz, mono or stereo (samples interleaved), whatever the other side does: its RTP clock is
 * always 48 kHz (RFC 7587 §4.1). The library's heap holds some 50 KB for an encoder and a decoder; `close` gives them
 * back. It makes one small array for each frame; nothing else allocates. The module libopus-wasm fits `OpusLibrary`.
 */
import type { Decoder, Encoder } from './codec.ts'

/** What is used of the library: its functions and handles as libopus-wasm names them. */
export interface OpusLibrary {
  createEncoder(options: LibraryEncoderOptions): Promise<LibraryEncoder>
  createDecoder(options: { readonly sampleRate: OpusRateHz; readonly channels: 1 | 2 }): Promise<LibraryDecoder>
}

interface LibraryEncoderOptions {
  readonly sampleRate: OpusRateHz
  readonly channels: 1 | 2
  readonly frameSize: number
  readonly application: 2048 | 2049
  readonly bitrate: number | 'auto'
  readonly complexity: number
  readonly fec: boolean
  readonly dtx: boolean
  readonly packetLossPercent: number
}

interface LibraryEncoder {
  encode(pcm: Int16Array, options: { readonly frameSize: number; readonly maxPacketBytes: number }): Uint8Array
  setPacketLossPercent(percent: number): void
  setBitrate(bitsPerSecond: number | 'auto'): void
  free(): void
}

interface LibraryDecoder {
  decode(packet: Uint8Array | null, options?: { readonly decodeFec?: boolean; readonly frameSize?: number }): Int16Array
  free(): void
}

export type OpusRateHz = 8000 | 12_000 | 16_000 | 24_000 | 48_000

export interface OpusOptions {
  readonly sampleRateHz: OpusRateHz
  readonly channels: 1 | 2
}

export interface OpusEncoderOptions extends OpusOptions {
  /** Voice is tuned for being understood, music for being true. */
  readonly sound: 'voice' | 'music'
  /** 6,000 to 510,000 (RFC 7587 §6.1, maxaveragebitrate); absent: what libopus finds right for rate and channels. */
  readonly bitsPerSecond?: number
  /** 0 to 10: more CPU, better sound. */
  readonly complexity: number
  /** Each packet carries a coarse copy of the one before, as far as `lossPercent` makes that worth its bits (useinbandfec). */
  readonly fec: boolean
  /** Hardly anything is sent in silence (usedtx). */
  readonly dtx: boolean
  /** What the other side says it loses, 0 to 100. */
  readonly lossPercent: number
}

/** RFC 6716 §3.2: one frame is 1275 bytes at most, a packet holds up to 48 in 120 ms. RTP over Ethernet holds no more than this. */
export const mostPacketBytes = 1400
const longestPacketMs = 120
/** RFC 6716 §2.1.4, ms times 2: what an encoder takes at once. */
const frameHalfMs = new Set([5, 10, 20, 40, 80, 120])
/** Concealment comes in steps of 2.5 ms. */
const concealStepsPerSecond = 400

export class OpusEncoder implements Encoder {
  readonly #encoder: LibraryEncoder
  readonly #channels: number
  readonly #sampleRateHz: number

  private constructor(encoder: LibraryEncoder, { channels, sampleRateHz }: OpusOptions) {
    this.#encoder = encoder
    this.#channels = channels
    this.#sampleRateHz = sampleRateHz
  }

  /** @throws {RangeError} for options out of their bounds. */
  static async create(library: OpusLibrary, options: OpusEncoderOptions): Promise<OpusEncoder> {
    const encoder = await library.createEncoder({
      sampleRate: options.sampleRateHz,
      channels: options.channels,
      frameSize: options.sampleRateHz / 50,
      application: options.sound === 'voice' ? 2048 : 2049,
      bitrate: options.bitsPerSecond ?? 'auto',
      complexity: options.complexity,
      fec: options.fec,
      dtx: options.dtx,
      packetLossPercent: options.lossPercent,
    })
    return new OpusEncoder(encoder, options)
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
    const packet = this.#encoder.encode(samples.subarray(fromSample, fromSample + count), {
      frameSize,
      maxPacketBytes: room,
    })
    bytes.set(packet, toByte)
    return packet.length
  }

  /** Follow what receiver reports say. */
  adapt(lossPercent: number, bitsPerSecond?: number): void {
    this.#encoder.setPacketLossPercent(Math.round(Math.min(100, Math.max(0, lossPercent))))
    if (bitsPerSecond !== undefined) this.#encoder.setBitrate(bitsPerSecond)
  }

  close(): void {
    this.#encoder.free()
  }
}

export class OpusDecoder implements Decoder {
  readonly #decoder: LibraryDecoder
  readonly #channels: number
  readonly #sampleRateHz: number

  private constructor(decoder: LibraryDecoder, { channels, sampleRateHz }: OpusOptions) {
    this.#decoder = decoder
    this.#channels = channels
    this.#sampleRateHz = sampleRateHz
  }

  static async create(library: OpusLibrary, { sampleRateHz, channels }: OpusOptions): Promise<OpusDecoder> {
    return new OpusDecoder(await library.createDecoder({ sampleRate: sampleRateHz, channels }), {
      sampleRateHz,
      channels,
    })
  }

  /** Most samples of one packet, all channels together: what `samples` should have room for. */
  get longestPacket(): number {
    return ((this.#sampleRateHz * longestPacketMs) / 1000) * this.#channels
  }

  decode(bytes: Uint8Array, fromByte: number, byteCount: number, samples: Int16Array, toSample: number): number {
    if (byteCount < 1 || fromByte + byteCount > bytes.length) return 0
    return this.#put(bytes.subarray(fromByte, fromByte + byteCount), undefined, samples, toSample)
  }

  /**
   * Make the `count` samples before a packet out of the copy that it carries; without a copy they are concealed.
   *
   * @param bytes The packet after the lost one, which is decoded as usual afterwards.
   * @returns Samples written.
   */
  recover(
    bytes: Uint8Array,
    fromByte: number,
    byteCount: number,
    samples: Int16Array,
    to: number,
    count: number,
  ): number {
    if (byteCount < 1 || fromByte + byteCount > bytes.length || !this.#isConcealable(count)) return 0
    const options = { decodeFec: true, frameSize: count / this.#channels }
    return this.#put(bytes.subarray(fromByte, fromByte + byteCount), options, samples, to)
  }

  /** Lengths that are no multiple of 2.5 ms, or over 120 ms, become silence. */
  conceal(samples: Int16Array, toSample: number, count: number): void {
    const made = this.#isConcealable(count)
      ? this.#put(null, { frameSize: count / this.#channels }, samples, toSample)
      : 0
    samples.fill(0, toSample + made, toSample + count)
  }

  close(): void {
    this.#decoder.free()
  }

  #isConcealable(count: number): boolean {
    const step = (this.#sampleRateHz / concealStepsPerSecond) * this.#channels
    return count > 0 && count % step === 0 && count <= this.longestPacket
  }

  /** Malformed packets are ordinary: the library throws for them, here they count as nothing. */
  #put(
    packet: Uint8Array | null,
    options: { decodeFec?: boolean; frameSize: number } | undefined,
    samples: Int16Array,
    toSample: number,
  ): number {
    let decoded: Int16Array
    try {
      decoded = this.#decoder.decode(packet, options)
    } catch {
      return 0
    }
    if (toSample + decoded.length > samples.length) return 0
    samples.set(decoded, toSample)
    return decoded.length
  }
}
