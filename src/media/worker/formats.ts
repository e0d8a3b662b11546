/**
 * The payload types of a port: what each is, and what can be done with it.
 *
 *   PortDescription ─▶ here ─▶ port (what came), speaker (as what it goes on)
 */
import type { Codec, EncoderWishes } from '../../codec/codec.ts'
import { findCodec } from '../../codec/codecs.ts'
import type { Encoding, PayloadFormat } from '../types.ts'

export interface Format {
  readonly payloadType: number
  readonly encoding: Encoding
  readonly clockRateHz: number
  readonly channels: number
  readonly kind: 'speech' | 'event' | 'noise'
  /** Undefined for what can only be passed on. */
  readonly codec: Codec | undefined
  /** For the encoder. */
  readonly wishes: EncoderWishes
  /** Its sender says that it is stereo. */
  readonly stereo: boolean
  /** The highest sample rate that is of use to its receiver. */
  readonly playbackRateHz: number
}

const mostPayloadTypes = 128
/** RFC 3551 §6: phones that suppress silence send it without being asked. */
const comfortNoise: PayloadFormat = { payloadType: 13, encoding: 'CN', clockRateHz: 8000 }
const highestRateHz = 48_000
/** Of Opus when its receiver names no bound: speech sounds as well as it will at any rate (RFC 7587 §3.1.1: 28 to 40 for full band). */
const usualBitsPerSecond = 32_000
/** RFC 7587 §6.1: what a peer names beyond is no wish that can be followed. */
const bitsPerSecondBounds = [6000, 510_000] as const

const bounded = (value: number, least: number, most: number): number =>
  Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : most

function formatOf({ payloadType, encoding, clockRateHz, channels = 1, opus }: PayloadFormat): Format {
  const { fec = false, dtx = false, bitsPerSecond = usualBitsPerSecond, playbackRateHz = highestRateHz } = opus ?? {}
  const more = {
    constantBitrate: opus?.cbr ?? false,
    ...(opus?.complexity !== undefined && { complexity: opus.complexity }),
  }
  return {
    payloadType,
    encoding,
    clockRateHz,
    channels,
    kind: encoding === 'telephone-event' ? 'event' : encoding === 'CN' ? 'noise' : 'speech',
    codec: findCodec(encoding, clockRateHz, channels),
    wishes:
      encoding === 'opus' ? { fec, dtx, bitsPerSecond: bounded(bitsPerSecond, ...bitsPerSecondBounds), ...more } : {},
    stereo: opus?.stereo ?? false,
    playbackRateHz: bounded(playbackRateHz, 8000, highestRateHz),
  }
}

const isUsable = ({ payloadType, clockRateHz }: PayloadFormat): boolean =>
  payloadType >= 0 && payloadType < mostPayloadTypes && clockRateHz >= 1000 && clockRateHz <= 192_000

/** Peers say the same over and over: what was made of it is shared by all ports of a worker. */
const known = new Map<string, readonly (Format | undefined)[]>()
const mostKnown = 256

/** What arrives, by payload type. */
export function receivedFormats(described: readonly PayloadFormat[]): readonly (Format | undefined)[] {
  const key = JSON.stringify(described)
  const formats = known.get(key) ?? formatsByType(described)
  if (known.size < mostKnown) known.set(key, formats)
  return formats
}

function formatsByType(described: readonly PayloadFormat[]): readonly (Format | undefined)[] {
  const formats: (Format | undefined)[] = []
  if (described.length > 0) formats[comfortNoise.payloadType] = formatOf(comfortNoise)
  for (const format of described.filter(isUsable)) formats[format.payloadType] = formatOf(format)
  return formats
}

/** What the peer takes, the best first. */
export const sentFormats = (described: readonly PayloadFormat[]): readonly Format[] =>
  described.filter(isUsable).map(formatOf)

/** The same thing under another number. */
export const isSame = (a: Format, b: Format): boolean =>
  a.encoding === b.encoding && a.clockRateHz === b.clockRateHz && a.channels === b.channels
