/**
 * What every codec looks like to the media plane: payload bytes to 16-bit samples and back.
 *
 *   jitter buffer ── payload ─▶ Decoder ── samples ─▶ mixer, player, tap ── samples ─▶ Encoder ── payload ─▶ packet
 *
 * One decoder for each stream that comes, one encoder for each that goes: they remember what was before. The table of
 * codecs is in codecs.ts. Nothing allocates after construction; the caller owns all buffers.
 */

/** Encodings that can be decoded, as SDP names them (in any case). */
export type SoundEncoding = 'PCMU' | 'PCMA' | 'G722' | 'L16'

export interface Decoder {
  /**
   * Decode one payload.
   *
   * @param fromByte First byte of the payload in `bytes`, `byteCount` long.
   * @param toSample Where the first sample goes in `samples`.
   * @returns Samples written; 0 when the payload is malformed or its samples do not fit: nothing was written then.
   */
  decode(bytes: Uint8Array, fromByte: number, byteCount: number, samples: Int16Array, toSample: number): number

  /** Write `count` samples in place of a packet that did not come; the next `decode` is joined on smoothly. */
  conceal(samples: Int16Array, toSample: number, count: number): void
}

export interface Encoder {
  /**
   * Encode `count` samples as one payload.
   *
   * @param count A multiple of the codec's `samplesTogether`.
   * @returns Bytes written from `toByte`; 0 when they do not fit or `count` is none of the codec's.
   */
  encode(samples: Int16Array, fromSample: number, count: number, bytes: Uint8Array, toByte: number): number
}

export interface Codec {
  readonly encoding: SoundEncoding
  /** Counts the RTP timestamps; for G.722 half of the true rate (RFC 3551 §4.5.2). */
  readonly clockRateHz: number
  readonly sampleRateHz: number
  /** Samples that can only be encoded together. */
  readonly samplesTogether: number
  /** Most bytes that so many samples encode to. */
  payloadBytes(samples: number): number
  createDecoder(): Decoder
  createEncoder(): Encoder
}
