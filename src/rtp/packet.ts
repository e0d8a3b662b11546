/**
 * RTP packets: parse into a structure that is used again for each packet, and write headers.
 *
 *   socket  ── bytes ─▶  parseRtp  ── RtpPacket ─▶  media, recorder
 *
 * Bytes are hostile: whatever they claim is checked against their length. RFC 3550 §5.1, §5.3.1.
 */

/** Bytes of a header without contributing sources and extension. */
export const rtpHeaderBytes = 12

/** A parsed packet. It points into `bytes` and is valid until the next packet is parsed into it. */
export interface RtpPacket {
  bytes: Uint8Array
  marker: boolean
  payloadType: number
  /** uint16 */
  sequence: number
  /** uint32, clock ticks */
  timestamp: number
  /** uint32 */
  ssrc: number
  /** Where the payload starts in `bytes`, after contributing sources and extension. */
  payloadStart: number
  /** Just after the payload, before padding. */
  payloadEnd: number
}

export function emptyRtpPacket(): RtpPacket {
  return {
    bytes: new Uint8Array(0),
    marker: false,
    payloadType: 0,
    sequence: 0,
    timestamp: 0,
    ssrc: 0,
    payloadStart: 0,
    payloadEnd: 0,
  }
}

/** A 32-bit number in network order. */
export const readUint32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0

/** A 16-bit number in network order. */
export const readUint16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

/** Parse `bytes` into `packet`; false, and `packet` left as it was, when they are no RTP packet. */
export function parseRtp(bytes: Uint8Array, packet: RtpPacket): boolean {
  const length = bytes.length
  const first = bytes[0] ?? 0
  if (length < rtpHeaderBytes || first >> 6 !== 2) return false
  let start = rtpHeaderBytes + (first & 0x0f) * 4
  if (first & 0x10) {
    if (start + 4 > length) return false
    start += 4 + readUint16(bytes, start + 2) * 4
  }
  let end = length
  if (first & 0x20) {
    const padding = bytes[length - 1] ?? 0
    if (padding === 0) return false
    end -= padding
  }
  if (start > end) return false
  const second = bytes[1] ?? 0
  packet.bytes = bytes
  packet.marker = second >= 0x80
  packet.payloadType = second & 0x7f
  packet.sequence = readUint16(bytes, 2)
  packet.timestamp = readUint32(bytes, 4)
  packet.ssrc = readUint32(bytes, 8)
  packet.payloadStart = start
  packet.payloadEnd = end
  return true
}

export interface RtpHeader {
  readonly marker: boolean
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
}

/** Write a plain 12-byte header at `at`: no padding, extension or contributing sources. */
export function writeRtpHeader(bytes: Uint8Array, at: number, header: RtpHeader): void {
  bytes[at] = 0x80
  bytes[at + 1] = (header.marker ? 0x80 : 0) | header.payloadType
  writeUint16(bytes, at + 2, header.sequence)
  writeUint32(bytes, at + 4, header.timestamp)
  writeUint32(bytes, at + 8, header.ssrc)
}

/** A whole new packet. */
export function printRtp(header: RtpHeader, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(rtpHeaderBytes + payload.length)
  writeRtpHeader(bytes, 0, header)
  bytes.set(payload, rtpHeaderBytes)
  return bytes
}
