/**
 * The codecs that a call can carry, and what of them is allowed where.
 *
 *   settings (CODECS, TRANSCODE, OPUS_…; of a trunk) ─▶  CodecRules  ─▶ codec-choice.ts
 *
 * Two kinds. What src/codec decodes can be recorded as sound and converted for the other side. Anything else that is
 * speech (G729, EVS, AMR-WB) is carried as it is between two sides that both have it.
 */
import { isComfortNoise, isTelephoneEvent, pcma, pcmu, sameFormat } from '../sdp/media.ts'
import type { SdpFormat } from '../sdp/types.ts'

/** What of Opus we like to receive, and how we encode it. */
export interface OpusSettings {
  /** At most so much, 6,000 to 510,000; undefined for what libopus finds right. */
  readonly bitsPerSecond?: number
  /** 0 to 10. */
  readonly complexity: number
  /** Copies of the packet before, where the other side takes them. */
  readonly fec: boolean
  /** Hardly anything is sent in silence. */
  readonly dtx: boolean
}

export interface CodecRules {
  /** Names as in SDP, in any case, in our order of preference; `others` allows all that is not named. */
  readonly codecs: readonly string[]
  /** Whether what one side speaks may be converted into what the other one speaks. */
  readonly transcode: boolean
  readonly opus: OpusSettings
}

/** When nobody says otherwise; the settings have the same. */
export const usualRules: CodecRules = {
  codecs: ['opus', 'G722', 'PCMA', 'PCMU', 'others'],
  transcode: true,
  opus: { complexity: 5, fec: true, dtx: false },
}

/** The rules for a leg that has codecs of its own. */
export const rulesFor = (rules: CodecRules, codecs: readonly string[] | undefined): CodecRules =>
  codecs ? { ...rules, codecs } : rules

const othersName = 'others'

const g722: SdpFormat = { payloadType: 9, encoding: 'G722', clockRateHz: 8_000, channels: 1 }
/** 111 is what browsers use; any dynamic number does. */
const opus: SdpFormat = { payloadType: 111, encoding: 'opus', clockRateHz: 48_000, channels: 2 }
const l16: SdpFormat = { payloadType: 112, encoding: 'L16', clockRateHz: 16_000, channels: 1 }

/** RFC 7587 §6.1: what we like to receive. Of stereo we make no use in a call. */
function opusFmtp({ bitsPerSecond, fec, dtx }: OpusSettings): string {
  const rate = bitsPerSecond === undefined ? [] : [`maxaveragebitrate=${bitsPerSecond}`]
  return ['minptime=10', ...rate, ...(fec ? ['useinbandfec=1'] : []), ...(dtx ? ['usedtx=1'] : [])].join(';')
}

/** What we know to offer by ourselves, by lower-case name. */
const offerable: Readonly<Record<string, SdpFormat>> = { pcmu, pcma, g722, opus, l16 }

/** What we offer by ourselves under these rules, in their order. */
export const ownFormats = ({ codecs, opus: settings }: CodecRules): SdpFormat[] =>
  codecs.flatMap((name) => {
    const format = offerable[name.toLowerCase()]
    if (!format) return []
    return [format === opus ? { ...format, fmtp: opusFmtp(settings) } : format]
  })

const l16RatesHz = new Set([8_000, 16_000, 24_000, 32_000, 44_100, 48_000])

/** Whether src/codec decodes and encodes it. */
export function isDecodable(format: SdpFormat): boolean {
  if (format.encoding.toLowerCase() === 'l16') return format.channels === 1 && l16RatesHz.has(format.clockRateHz)
  const known = offerable[format.encoding.toLowerCase()]
  return known?.clockRateHz === format.clockRateHz && known.channels === format.channels
}

/** Not speech by itself: it goes beside a codec of its clock rate. */
export const isCompanion = (format: SdpFormat): boolean => isTelephoneEvent(format) || isComfortNoise(format)

/**
 * Payloads that speak of other payload types by number (RFC 2198, 5109, 8627, 4588): carried as they are, they would
 * name those of the wrong side.
 */
const aboutOthers = new Set(['red', 'ulpfec', 'parityfec', 'flexfec', 'rtx'])

/** Whether these rules let it through. */
export function allows({ codecs }: CodecRules, format: SdpFormat): boolean {
  const name = format.encoding.toLowerCase()
  if (isCompanion(format)) return true
  if (name === '' || aboutOthers.has(name)) return false
  const isNamed = codecs.some((each) => each.toLowerCase() === name)
  return isNamed || codecs.includes(othersName)
}

/** The same codec, whatever the two sides say of its parameters. */
export const sameCodec = (a: SdpFormat, b: SdpFormat): boolean => sameFormat({ ...a, fmtp: '' }, { ...b, fmtp: '' })
