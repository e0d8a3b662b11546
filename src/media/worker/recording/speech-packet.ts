/**
 * A packet of speech as recorders take it, whatever its codec.
 *
 *   port  ── speechIn ─▶  one object, used again  ─▶  Recorder, or Preroll, which copies
 */
import type { Codec } from '../../../codec/codec.ts'
import type { RtpPacket } from '../../../rtp/packet.ts'
import type { Encoding } from '../../types.ts'
import type { Sampled } from './timeline.ts'

/** What a payload type stands for. */
export interface SpeechFormat {
  readonly encoding: Encoding
  readonly clockRateHz: number
  /** Undefined for what is stored as it came. */
  readonly codec: Codec | undefined
  /** Opus whose sender says that it is stereo. */
  readonly stereo?: boolean
}

/** Nothing of it is kept after `packet` of a recorder returns. */
export interface SpeechPacket extends Sampled {
  readonly format: SpeechFormat
  readonly payloadType: number
  readonly marker: boolean
  readonly bytes: Uint8Array
  /** The payload in `bytes`. */
  readonly from: number
  readonly to: number
  /** It came while the recording was paused: a place in time without sound. */
  readonly silent?: true
}

type Written<Value> = { -readonly [Name in keyof Value]: Value[Name] }

const noFormat: SpeechFormat = { encoding: '', clockRateHz: 8000, codec: undefined }
const emptySpeech = (): Written<SpeechPacket> => ({
  ssrc: 0,
  sequence: 0,
  timestamp: 0,
  ticks: 0,
  format: noFormat,
  payloadType: 0,
  marker: false,
  bytes: new Uint8Array(0),
  from: 0,
  to: 0,
})

/** One for all ports of a worker: packets are handled one after the other. */
const speech = emptySpeech()

/** The speech in a packet, until the next one is asked for. */
export function speechIn(packet: RtpPacket, format: SpeechFormat): SpeechPacket {
  const { bytes, payloadStart, payloadEnd } = packet
  speech.ssrc = packet.ssrc
  speech.sequence = packet.sequence
  speech.timestamp = packet.timestamp
  speech.ticks = format.codec?.ticksOf(bytes, payloadStart, payloadEnd - payloadStart) ?? 0
  speech.format = format
  speech.payloadType = packet.payloadType
  speech.marker = packet.marker
  speech.bytes = bytes
  speech.from = payloadStart
  speech.to = payloadEnd
  return speech
}

const nothing = new Uint8Array(0)

/** What is left of a packet that must not be kept: when it was, and how long. */
export const withoutSound = (packet: SpeechPacket): SpeechPacket => ({
  ...packet,
  bytes: nothing,
  from: 0,
  to: 0,
  silent: true,
})

/** A packet that outlives its buffer. */
export function copyOf(packet: SpeechPacket): SpeechPacket {
  // Not slice(): that of a Buffer, which is what sockets give, shares its memory.
  const bytes = Uint8Array.from(packet.bytes.subarray(packet.from, packet.to))
  return {
    ssrc: packet.ssrc,
    sequence: packet.sequence,
    timestamp: packet.timestamp,
    ticks: packet.ticks,
    format: packet.format,
    payloadType: packet.payloadType,
    marker: packet.marker,
    bytes,
    from: 0,
    to: bytes.length,
    ...(packet.silent && { silent: true }),
  }
}
