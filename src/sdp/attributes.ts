/**
 * Attributes of streams and sessions as values, for what is not about formats: keys, groups, times, bandwidth.
 *
 * All of them are kept and printed whether or not anybody asks here. Undefined or left out of the list when malformed.
 */
import { attributeOf } from './media.ts'
import type { SdpAttribute, SdpMedia, SessionDescription } from './types.ts'

type Place = SdpMedia | SessionDescription

/** Milliseconds of media a packet that its writer would like to get (RFC 8866 §6.4). */
export const ptimeOf = (media: SdpMedia): number | undefined => milliseconds(attributeOf(media, 'ptime'))

/** The most milliseconds of media that its writer takes in a packet (RFC 8866 §6.5). */
export const maxptimeOf = (media: SdpMedia): number | undefined => milliseconds(attributeOf(media, 'maxptime'))

/** Whether its writer, or somebody behind it, records (RFC 7866 §7.1.2). */
export type RecordState = 'on' | 'off' | 'paused'

/** `a=record` of the stream, else of the session. */
export function recordOf(description: SessionDescription, media: SdpMedia): RecordState | undefined {
  const said = (attributeOf(media, 'record') ?? attributeOf(description, 'record'))?.trim().toLowerCase()
  return said === 'on' || said === 'off' || said === 'paused' ? said : undefined
}

/** What its writer would like to become of recording (RFC 7866 §7.1.3). */
export type RecordPreference = 'on' | 'off' | 'pause' | 'nopreference'

/** `a=recordpref` of the stream, else of the session. */
export function recordPreferenceOf(description: SessionDescription, media: SdpMedia): RecordPreference | undefined {
  const said = (attributeOf(media, 'recordpref') ?? attributeOf(description, 'recordpref'))?.trim().toLowerCase()
  return said === 'on' || said === 'off' || said === 'pause' || said === 'nopreference' ? said : undefined
}

/** Some write `20.0`. */
function milliseconds(text: string | undefined): number | undefined {
  const value = /^\s*\d{1,4}(?:\.\d+)?\s*$/.test(text ?? '') ? Number(text) : 0
  return value > 0 ? value : undefined
}

/** `b=AS:64`: kilobits a second for AS and CT, bits a second for TIAS, RS and RR (RFC 8866 §5.8, RFC 3890, RFC 3556). */
export interface Bandwidth {
  readonly type: string
  readonly value: number
}

export const bandwidthsOf = ({ otherLines }: Place): Bandwidth[] =>
  otherLines.flatMap((line) => {
    const [, type, digits] = /^b=([A-Za-z0-9-]+):(\d{1,12})\s*$/.exec(line) ?? []
    return type === undefined ? [] : [{ type, value: Number(digits) }]
  })

/** Keys of SRTP in the clear, one line of `a=crypto` (RFC 4568 §9.1). */
export interface Crypto {
  readonly tag: number
  /** `AES_CM_128_HMAC_SHA1_80` */
  readonly suite: string
  /** Base64 of key and salt, with lifetime and MKI behind bars when given: `inline:` is taken off. */
  readonly keys: readonly string[]
  /** `UNENCRYPTED_SRTCP`, `KDR=1`. */
  readonly sessionParams: readonly string[]
}

/** In the order of preference; what has another key method than `inline` is left out. */
export const cryptosOf = ({ attributes }: SdpMedia): Crypto[] =>
  attributes.flatMap(({ name, value }) => {
    const [, tag, suite, keyText = '', sessionText = ''] =
      name === 'crypto' ? (/^(\d{1,9})[ \t]+(\w+)[ \t]+(\S+)(?:\s+(.*?))?\s*$/.exec(value ?? '') ?? []) : []
    const keys = keyText.split(';')
    if (tag === undefined || suite === undefined || !keys.every((key) => /^inline:./.test(key))) return []
    const sessionParams = sessionText === '' ? [] : sessionText.split(/\s+/)
    return [{ tag: Number(tag), suite, keys: keys.map((key) => key.slice('inline:'.length)), sessionParams }]
  })

/** Streams that belong together, by their `mid` (RFC 5888, RFC 9143 for BUNDLE). */
export interface Group {
  /** `BUNDLE`, `LS` */
  readonly semantics: string
  readonly mids: readonly string[]
}

export const midOf = (media: SdpMedia): string | undefined => attributeOf(media, 'mid')?.trim() || undefined

export const groupsOf = ({ attributes }: SessionDescription): Group[] =>
  attributes.flatMap(({ name, value }) => {
    const [semantics = '', ...mids] = name === 'group' ? (value ?? '').trim().split(/\s+/) : []
    return semantics === '' ? [] : [{ semantics, mids }]
  })

/**
 * The groups of an answer: those offered, less the streams that are refused (RFC 5888 §9.2, RFC 9143 §7.3).
 *
 * @param accepted Whether the m-line at this place is accepted.
 */
export function answeredGroups(offer: SessionDescription, accepted: (index: number) => boolean): SdpAttribute[] {
  const kept = new Set(offer.media.flatMap((media, index) => (accepted(index) ? (midOf(media) ?? []) : [])))
  return groupsOf(offer).flatMap(({ semantics, mids }) => {
    const left = mids.filter((mid) => kept.has(mid))
    return left.length === 0 ? [] : [{ name: 'group', value: [semantics, ...left].join(' ') }]
  })
}
