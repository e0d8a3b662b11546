/**
 * What every codec looks like to the media plane: payload bytes to 16-bit samples and back.
 *
 *   jitter buffer ── payload ─▶ Decoder ── samples ─▶ mixer, player, tap ── samples ─▶ Encoder ── payload ─▶ packet
 *
 * One decoder for each stream that comes, one encoder for each that goes: they remember what was before. The table of
 * codecs is in codecs.ts. Nothing allocates after construction; the caller owns all buffers.
 */

/** Encodings that can be decoded, as SDP names them (in any case). */
export type SoundEncoding = 'PCMU' | 'PCMA' | 'G722' | 'L16' | 'opus'

export interface Decoder {
  /**
   * Decode one payload.
   *
   * @param fromByte First byte of the payload in `bytes`, `byteCount` long.
   * @param toSample Where the first sample goes in `samples`.
   * @returns Samples written, of all channels together; 0 when the payload is malformed or its samples do not fit:
   *   nothing was written then.
   */
  decode(bytes: Uint8Array, fromByte: number, byteCount: number, samples: Int16Array, toSample: number): number

  /** Write `count` samples in place of a packet that did not come; the next `decode` is joined on smoothly. */
  conceal(samples: Int16Array, toSample: number, count: number): void

  /**
   * Make the `count` samples before a packet out of the copy that it carries of the packet before it (FEC of Opus).
   *
   * @param bytes The packet after the lost one; it is decoded as usual afterwards.
   * @returns Samples written; 0 when the packet carries no copy, as in all codecs but Opus.
   */
  recover(
    bytes: Uint8Array,
    fromByte: number,
    byteCount: number,
    samples: Int16Array,
    toSample: number,
    count: number,
  ): number

  /** Give back what it holds of a library; not used afterwards. Twice is fine. */
  close(): void
}

export interface Encoder {
  /**
   * Encode `count` samples as one payload.
   *
   * @param count Of all channels together; a multiple of the codec's `samplesTogether`.
   * @returns Bytes written from `toByte`; 0 when they do not fit or `count` is none of the codec's.
   */
  encode(samples: Int16Array, fromSample: number, count: number, bytes: Uint8Array, toByte: number): number

  /** Follow what the receiver says it loses, 0 to 100 %: of use with Opus and its copies (FEC), others have no such thing. */
  adapt?(lossPercent: number): void

  /** Give back what it holds of a library; not used afterwards. Twice is fine. */
  close(): void
}

/** How to encode, as far as a codec leaves a choice: Opus alone does. What is left out is for the codec to choose. */
export interface EncoderWishes {
  /** 6,000 to 510,000 (RFC 7587 §6.1, maxaveragebitrate). */
  readonly bitsPerSecond?: number
  /** 0 to 10: more CPU, better sound; 5 when left out. */
  readonly complexity?: number
  /** Each packet carries a coarse copy of the one before, as far as `lossPercent` makes that worth its bits (useinbandfec). */
  readonly fec?: boolean
  /** Hardly anything is sent in silence (usedtx). */
  readonly dtx?: boolean
  /** What the other side says it loses, 0 to 100. */
  readonly lossPercent?: number
  /** Packets of one length (cbr). */
  readonly constantBitrate?: boolean
  /** Voice is tuned for being understood, music for being true; voice when left out. */
  readonly sound?: 'voice' | 'music'
}

export interface Codec {
  readonly encoding: SoundEncoding
  /** Counts the RTP timestamps; for G.722 half of the true rate (RFC 3551 §4.5.2), for Opus 48000 at every rate. */
  readonly clockRateHz: number
  readonly sampleRateHz: number
  /** Samples are interleaved; 1 but for what `stereo` gives. */
  readonly channels: 1 | 2
  /** Samples that can only be encoded together. */
  readonly samplesTogether: number
  /** Most bytes that so many samples encode to. */
  payloadBytes(samples: number): number
  /** How much sound a payload holds, in ticks of the RTP clock, before it is decoded; 0 when it is malformed. */
  ticksOf(bytes: Uint8Array, fromByte: number, byteCount: number): number
  createDecoder(): Decoder
  createEncoder(wishes?: EncoderWishes): Encoder
}
