/**
 * The frames of speech in packets of codecs that are stored as they came, in the form of their storage formats.
 *
 *   payload of a packet ── framesOf ─▶  frames, each as it stands in a file  ─▶  placed.ts, storage.ts
 *
 * G.729: RFC 3551 §4.5.6. AMR and AMR-WB: RFC 4867 §4.3 and 4.4, told apart by what fits the length; files §5. EVS: 3GPP
 * TS 26.445 Annex A.2.1 (compact by its length, else header-full), files A.2.6.
 * Missing: EVS AMR-WB IO in the compact format, interleaving, checksums and several channels; a packet with one of them
 * has no frames here, and stays what it is in the `.rtpdump`.
 */

export interface Frame {
  /** As in a file: with its table-of-contents byte for AMR and EVS. */
  readonly bytes: Uint8Array
  /** Speech, and not a description of silence, or nothing at all. */
  readonly speech: boolean
}

export interface Form {
  readonly clockRateHz: number
  /** Of one frame. */
  readonly frameTicks: number
  /** What its decoder is to give: 16-bit samples of one channel. */
  readonly sampleRateHz: number
  /** What a file begins with. */
  readonly head: Uint8Array
  /** A file's ending, where there is a storage format. */
  readonly ending?: string
  /** Stands in a file where nothing came. */
  readonly noData?: Uint8Array
  /** Undefined for what cannot be read. */
  readonly framesOf: (payload: Uint8Array) => readonly Frame[] | undefined
}

const g729FrameBytes = 10
const g729SilenceBytes = 2

function g729Frames(payload: Uint8Array): readonly Frame[] | undefined {
  const rest = payload.length % g729FrameBytes
  if (rest !== 0 && rest !== g729SilenceBytes) return undefined
  const frames: Frame[] = []
  for (let at = 0; at + g729FrameBytes <= payload.length; at += g729FrameBytes)
    frames.push({ bytes: payload.subarray(at, at + g729FrameBytes), speech: true })
  // A frame of silence stands last (RFC 3551 §4.5.6); a file of bare frames has no room for it.
  if (rest > 0) frames.push({ bytes: new Uint8Array(0), speech: false })
  return frames
}

/** Bits of a frame by its type; the last one is silence (SID). 15 is no data, 14 of AMR-WB speech lost. */
const amrBits = [95, 103, 118, 134, 148, 159, 204, 244, 39] as const
const amrWbBits = [132, 177, 253, 285, 317, 365, 397, 461, 477, 40] as const
const noDataType = 15
const lostType = 14

interface TocEntry {
  readonly type: number
  readonly quality: number
}

const amrEntry = ({ type, quality }: TocEntry): number => (type << 3) | (quality << 2)

const isKnown = (bits: readonly number[], { type }: TocEntry): boolean =>
  bits[type] !== undefined || type === noDataType || (bits === amrWbBits && type === lostType)

function amrFrames(bits: readonly number[]): (payload: Uint8Array) => readonly Frame[] | undefined {
  return (payload) => octetAligned(bits, payload) ?? bandwidthEfficient(bits, payload)
}

const amrFrame = (bits: readonly number[], entry: TocEntry, data: Uint8Array): Frame => ({
  bytes: Uint8Array.of(amrEntry(entry), ...data),
  speech: bits[entry.type] !== undefined && entry.type < bits.length - 1,
})

function octetAligned(bits: readonly number[], payload: Uint8Array): readonly Frame[] | undefined {
  if (((payload[0] ?? 1) & 0x0f) !== 0) return undefined
  const toc: TocEntry[] = []
  let at = 1
  for (let more = true; more; at++) {
    const byte = payload[at]
    if (byte === undefined || (byte & 3) !== 0) return undefined
    more = (byte & 0x80) !== 0
    toc.push({ type: (byte >> 3) & 15, quality: (byte >> 2) & 1 })
  }
  if (!toc.every((entry) => isKnown(bits, entry))) return undefined
  const frames = toc.map((entry) => {
    const length = Math.ceil((bits[entry.type] ?? 0) / 8)
    const data = payload.subarray(at, at + length)
    at += length
    return amrFrame(bits, entry, data)
  })
  return at === payload.length ? frames : undefined
}

function bandwidthEfficient(bits: readonly number[], payload: Uint8Array): readonly Frame[] | undefined {
  let at = 4
  const bit = (): number => {
    const value = ((payload[at >> 3] ?? 0) >> (7 - (at & 7))) & 1
    at++
    return value
  }
  const number = (count: number): number => {
    let value = 0
    for (let i = 0; i < count; i++) value = value * 2 + bit()
    return value
  }
  const toc: TocEntry[] = []
  for (let more = true; more; ) {
    if (at + 6 > payload.length * 8) return undefined
    more = bit() === 1
    toc.push({ type: number(4), quality: bit() })
  }
  if (!toc.every((entry) => isKnown(bits, entry))) return undefined
  const all = toc.reduce((sum, { type }) => sum + (bits[type] ?? 0), at)
  if (Math.ceil(all / 8) !== payload.length) return undefined
  return toc.map((entry) => {
    const count = bits[entry.type] ?? 0
    const data = new Uint8Array(Math.ceil(count / 8))
    for (let i = 0; i < count; i++) data[i >> 3] = (data[i >> 3] ?? 0) | (bit() << (7 - (i & 7)))
    return amrFrame(bits, entry, data)
  })
}

/** Bytes of an EVS Primary frame by its type: 2.8 to 128 kbit/s, then silence (SID). */
const evsBytes = [7, 18, 20, 24, 33, 41, 61, 80, 120, 160, 240, 320, 6] as const
const evsSilenceType = 12
/** Of an EVS AMR-WB IO frame. */
const evsIoBytes = amrWbBits.map((bits) => Math.ceil(bits / 8))
const ioMode = 0x20

function evsFrames(payload: Uint8Array): readonly Frame[] | undefined {
  const type = evsBytes.indexOf(payload.length as (typeof evsBytes)[number])
  // 56 bits are Primary at 2.8 kbit/s when the first is 0, else a silence of AMR-WB IO (A.2.1.3).
  if (type < 0 || (payload.length === 7 && ((payload[0] ?? 0) & 0x80) !== 0)) return headerFull(payload)
  return [{ bytes: Uint8Array.of(type, ...payload), speech: type !== evsSilenceType }]
}

function headerFull(payload: Uint8Array): readonly Frame[] | undefined {
  let at = ((payload[0] ?? 0) & 0x80) === 0 ? 0 : 1 // a codec mode request
  const toc: number[] = []
  for (let more = true; more; at++) {
    const byte = payload[at]
    if (byte === undefined || (byte & 0x80) !== 0) return undefined
    more = (byte & 0x40) !== 0
    toc.push(byte & 0x3f)
  }
  const frames: Frame[] = []
  for (const entry of toc) {
    const isIo = (entry & ioMode) !== 0
    const type = entry & 15
    const length = type >= lostType ? 0 : (isIo ? evsIoBytes : evsBytes)[type]
    if (length === undefined || at + length > payload.length) return undefined
    const silence = isIo ? evsIoBytes.length - 1 : evsSilenceType
    frames.push({ bytes: Uint8Array.of(entry, ...payload.subarray(at, at + length)), speech: type < silence })
    at += length
  }
  return frames
}

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** By the name in SDP, lower case. */
export const forms: Readonly<Record<string, Form>> = {
  g729: {
    clockRateHz: 8000,
    frameTicks: 80,
    sampleRateHz: 8000,
    head: new Uint8Array(0),
    framesOf: g729Frames,
  },
  amr: {
    clockRateHz: 8000,
    frameTicks: 160,
    sampleRateHz: 8000,
    head: ascii('#!AMR\n'),
    ending: '.amr',
    noData: Uint8Array.of(amrEntry({ type: noDataType, quality: 1 })),
    framesOf: amrFrames(amrBits),
  },
  'amr-wb': {
    clockRateHz: 16_000,
    frameTicks: 320,
    sampleRateHz: 16_000,
    head: ascii('#!AMR-WB\n'),
    ending: '.awb',
    noData: Uint8Array.of(amrEntry({ type: noDataType, quality: 1 })),
    framesOf: amrFrames(amrWbBits),
  },
  evs: {
    clockRateHz: 16_000,
    frameTicks: 320,
    sampleRateHz: 16_000,
    // One channel, as 32 bits.
    head: Buffer.concat([ascii('#!EVS_MC1.0\n'), Uint8Array.of(0, 0, 0, 1)]),
    ending: '.awb',
    noData: Uint8Array.of(noDataType),
    framesOf: evsFrames,
  },
}

/** What is known of a codec; undefined for those that are packets and nothing else. */
export const formOf = (encoding = ''): Form | undefined => {
  const name = encoding.toLowerCase()
  // A stranger chose it: `constructor` is no codec, though every object has it.
  return Object.hasOwn(forms, name) ? forms[name] : undefined
}
