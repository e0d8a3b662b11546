/**
 * What stands in an RTP header behind its twelve bytes: contributing sources and header extensions.
 *
 *   packet's bytes ─▶ here ─▶ audio level (loudest-N, who speaks) · sources of a mix
 *
 * Call these for packets that `parseRtp` took; they read past nothing, and do not allocate but for `contributingSources`.
 * RFC 3550 §5.1 (CSRC), RFC 8285 (one-byte and two-byte elements), RFC 6464 (audio level).
 */
import { readUint16, readUint32, rtpHeaderBytes } from './packet.ts'

/** Name of the audio level in `a=extmap` (RFC 6464 §4). */
export const audioLevelUri = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'

/** RFC 8285 §4.2, §4.3: the profile field says how long the head of an element is. */
const oneByteProfile = 0xbede
const twoByteProfile = 0x1000
/** Its lower four bits are for applications. */
const twoByteMask = 0xfff0
/** RFC 8285 §4.2: what follows this id in one-byte form is to be ignored. */
const stopId = 15

/** Who was mixed into the packet: up to fifteen SSRCs. */
export function contributingSources(bytes: Uint8Array): number[] {
  const count = (bytes[0] ?? 0) & 0x0f
  const fits = Math.max(0, Math.min(count, (bytes.length - rtpHeaderBytes) >> 2))
  return Array.from({ length: fits }, (_, i) => readUint32(bytes, rtpHeaderBytes + i * 4))
}

/**
 * Where the data of a header extension begin.
 * @param id As `a=extmap` gave it, 1 to 14, or to 255 in two-byte form.
 * @param leastLength Bytes the data must have.
 * @returns -1 when the packet does not carry it.
 */
export function extensionAt(bytes: Uint8Array, id: number, leastLength: number): number {
  const first = bytes[0] ?? 0
  if ((first & 0x10) === 0 || id < 1) return -1
  const head = rtpHeaderBytes + (first & 0x0f) * 4
  const end = head + 4 + readUint16(bytes, head + 2) * 4
  if (end > bytes.length) return -1
  const profile = readUint16(bytes, head)
  if (profile === oneByteProfile) return oneByteAt(bytes, head + 4, end, id, leastLength)
  if ((profile & twoByteMask) === twoByteProfile) return twoByteAt(bytes, head + 4, end, id, leastLength)
  return -1
}

/** Elements of id (4 bits), length less one (4 bits), data; zero bytes between them are padding. */
function oneByteAt(bytes: Uint8Array, from: number, end: number, id: number, leastLength: number): number {
  for (let at = from; at < end; ) {
    const head = bytes[at] ?? 0
    if (head === 0) {
      at++
      continue
    }
    const length = (head & 0x0f) + 1
    if (head >> 4 === stopId || at + 1 + length > end) return -1
    if (head >> 4 === id) return length >= leastLength ? at + 1 : -1
    at += 1 + length
  }
  return -1
}

/** Elements of id, length, data, the length may be 0; zero ids between them are padding. */
function twoByteAt(bytes: Uint8Array, from: number, end: number, id: number, leastLength: number): number {
  for (let at = from; at < end; ) {
    const found = bytes[at] ?? 0
    if (found === 0) {
      at++
      continue
    }
    const length = bytes[at + 1] ?? 0
    if (at + 2 + length > end) return -1
    if (found === id) return length >= leastLength ? at + 2 : -1
    at += 2 + length
  }
  return -1
}

/**
 * How loud the sender says its sound is, in dBov, -127 (silence) to 0 (RFC 6464 §3).
 * @param id Of `audioLevelUri` in the peer's description.
 * @returns Undefined when the packet does not say.
 */
export function audioLevelDbov(bytes: Uint8Array, id: number): number | undefined {
  const at = extensionAt(bytes, id, 1)
  return at < 0 ? undefined : 0 - ((bytes[at] ?? 0) & 0x7f)
}

/** Whether the sender believes that somebody speaks: the V bit. False when the packet does not say. */
export function saysVoice(bytes: Uint8Array, id: number): boolean {
  const at = extensionAt(bytes, id, 1)
  return at >= 0 && ((bytes[at] ?? 0) & 0x80) !== 0
}
