/**
 * SRTP and SRTCP of one direction: packets made secret, and read again (RFC 3711, 6188, 7714).
 *
 *   port  ── RTP ──▶  SrtpSender  ── SRTP ─▶  socket
 *   socket ─ SRTP ─▶  SrtpReceiver ─ RTP ──▶  port; undefined for what is forged, repeated or none
 *
 * Each packet has a number of 48 bits: its sequence number and the roll-over counter, which is not sent but counted.
 * A number is never used twice, for it would give the plain text away. Pure: no socket, no clock.
 * Missing: header extensions that are encrypted (RFC 6904), key derivation rates other than zero, F8.
 */
import { type SrtpKey, srtpSuites } from '../core/srtp.ts'
import { readUint16, readUint32, rtpHeaderBytes, writeUint32 } from './packet.ts'
import { ReplayWindow } from './replay-window.ts'
import { extendSequence } from './sequence.ts'
import { type PacketCipher, packetCipher } from './srtp-ciphers.ts'

/** Streams (SSRCs) of one key that are remembered; the one that is longest known makes room. Real peers have one. */
const maxStreams = 64
/** RFC 3711 §3.4: the bit that says that a packet is encrypted; the number has the other 31. */
const encrypted = 0x8000_0000
const rtcpHeaderBytes = 8
const wordBytes = 4

export class SrtpSender {
  readonly #rtp: PacketCipher
  readonly #rtcp: PacketCipher
  readonly #rtpTagBytes: number
  readonly #gcm: boolean
  readonly #windows = new Map<number, ReplayWindow>()
  #rtcpIndex = 0
  readonly #rtcpExtra: number

  /** @param before With the key until now: its roll-over counters go on (RFC 3711 §3.3.1). */
  constructor(key: SrtpKey, before?: SrtpSender) {
    const { rtpTagBytes, rtcpTagBytes, kind } = srtpSuites[key.suite]
    for (const [ssrc, { highest }] of before ? before.#windows : []) this.#windows.set(ssrc, new ReplayWindow(highest))
    this.#rtp = packetCipher(key, 'rtp')
    this.#rtcp = packetCipher(key, 'rtcp')
    this.#rtpTagBytes = rtpTagBytes
    this.#rtcpExtra = rtcpTagBytes + wordBytes
    this.#gcm = kind === 'gcm'
  }

  /**
   * `bytes[from..from + length)`, an RTP packet, as SRTP in bytes of its own.
   * @returns undefined when it is no RTP packet, or one that was sent already.
   */
  rtp(bytes: Uint8Array, from: number, length: number): Uint8Array | undefined {
    const sealed = Buffer.allocUnsafe(length + this.#rtpTagBytes)
    for (let i = 0; i < length; i++) sealed[i] = bytes[from + i] ?? 0
    const bodyStart = headerEnd(sealed, length)
    if (bodyStart === undefined) return undefined
    const ssrc = readUint32(sealed, 8)
    const window = remember(this.#windows, ssrc)
    const index = indexOf(window, readUint16(sealed, 2))
    if (!window.isNew(index)) return undefined
    window.take(index)
    this.#rtp.seal(sealed, { ssrc, index, bodyStart, bodyEnd: length, tagAt: length })
    return sealed
  }

  /** A compound RTCP packet as SRTCP in bytes of its own; undefined when the key has no number left. */
  rtcp(bytes: Uint8Array): Uint8Array | undefined {
    const { length } = bytes
    if (length < rtcpHeaderBytes || this.#rtcpIndex >= encrypted - 1) return undefined
    const index = ++this.#rtcpIndex
    const sealed = Buffer.allocUnsafe(length + this.#rtcpExtra)
    sealed.set(bytes)
    const wordAt = this.#gcm ? sealed.length - wordBytes : length
    const tagAt = this.#gcm ? length : length + wordBytes
    writeUint32(sealed, wordAt, index + encrypted)
    const place = { ssrc: readUint32(bytes, 4), index, bodyStart: rtcpHeaderBytes, bodyEnd: length, tagAt, wordAt }
    this.#rtcp.seal(sealed, place)
    return sealed
  }
}

export class SrtpReceiver {
  readonly #rtp: PacketCipher
  readonly #rtcp: PacketCipher
  readonly #rtpTagBytes: number
  readonly #rtcpTagBytes: number
  readonly #mkiBytes: number
  readonly #gcm: boolean
  readonly #windows = new Map<number, ReplayWindow>()
  readonly #before: ReadonlyMap<number, ReplayWindow> | undefined
  readonly #rtcpWindows = new Map<number, ReplayWindow>()

  readonly #rollOvers: number

  /**
   * @param before With the key until now: its roll-over counters go on, unless the peer begins them anew.
   * @param rollOvers What the counter of a stream may be at most when its first packet comes: we come to it late.
   */
  constructor(key: SrtpKey, before?: SrtpReceiver, rollOvers = 0) {
    const { rtpTagBytes, rtcpTagBytes, kind } = srtpSuites[key.suite]
    this.#before = before && before.#windows
    this.#rollOvers = rollOvers
    this.#rtp = packetCipher(key, 'rtp')
    this.#rtcp = packetCipher(key, 'rtcp')
    this.#rtpTagBytes = rtpTagBytes
    this.#rtcpTagBytes = rtcpTagBytes
    this.#mkiBytes = key.mkiBytes
    this.#gcm = kind === 'gcm'
  }

  /** The RTP packet, decrypted where it stands; undefined for what is not the peer's, or came already. */
  rtp(bytes: Uint8Array): Uint8Array | undefined {
    const bodyEnd = bytes.length - this.#rtpTagBytes - this.#mkiBytes
    const bodyStart = headerEnd(bytes, bodyEnd)
    if (bodyStart === undefined) return undefined
    const ssrc = readUint32(bytes, 8)
    const sequence = readUint16(bytes, 2)
    const tagAt = this.#gcm ? bodyEnd : bodyEnd + this.#mkiBytes
    const known = this.#windows.get(ssrc)
    if (known) {
      const index = indexOf(known, sequence)
      if (!known.isNew(index) || !this.#rtp.open(bytes, { ssrc, index, bodyStart, bodyEnd, tagAt })) return undefined
      known.take(index)
      return bytes.subarray(0, bodyEnd)
    }
    const first = this.#firstIndexes(ssrc, sequence).find((index) =>
      this.#rtp.open(bytes, { ssrc, index, bodyStart, bodyEnd, tagAt }),
    )
    if (first === undefined) return undefined
    remember(this.#windows, ssrc).take(first)
    return bytes.subarray(0, bodyEnd)
  }

  /** What the number of the first packet of a stream may be. */
  #firstIndexes(ssrc: number, sequence: number): number[] {
    const before = this.#before?.get(ssrc)
    const indexes = before ? [indexOf(before, sequence)] : []
    if (!indexes.includes(sequence)) indexes.push(sequence)
    // The packets before the sequence number began anew were lost, or came before the key did.
    if (sequence < 0x8000 && !indexes.includes(sequence + 0x1_0000)) indexes.push(sequence + 0x1_0000)
    for (let counter = 1; counter <= this.#rollOvers; counter++) indexes.push(sequence + counter * 0x1_0000)
    return indexes
  }

  /** The compound RTCP packet, decrypted where it stands; undefined for what is not the peer's, or came already. */
  rtcp(bytes: Uint8Array): Uint8Array | undefined {
    const end = bytes.length - this.#mkiBytes
    const bodyEnd = end - this.#rtcpTagBytes - wordBytes
    if (bodyEnd < rtcpHeaderBytes) return undefined
    const wordAt = this.#gcm ? end - wordBytes : bodyEnd
    const tagAt = this.#gcm ? bodyEnd : bytes.length - this.#rtcpTagBytes
    const word = readUint32(bytes, wordAt)
    if (word < encrypted) return undefined // RTCP in the clear was not agreed
    const index = word - encrypted
    const ssrc = readUint32(bytes, 4)
    const known = this.#rtcpWindows.get(ssrc)
    if (known && !known.isNew(index)) return undefined
    const place = { ssrc, index, bodyStart: rtcpHeaderBytes, bodyEnd, tagAt, wordAt }
    if (!this.#rtcp.open(bytes, place)) return undefined
    remember(this.#rtcpWindows, ssrc, known).take(index)
    return bytes.subarray(0, bodyEnd)
  }
}

/** Where the payload begins; undefined for what is no RTP packet. Padding is part of the payload (RFC 3711 §3.1). */
function headerEnd(bytes: Uint8Array, length: number): number | undefined {
  const first = bytes[0] ?? 0
  if (length < rtpHeaderBytes || first >> 6 !== 2) return undefined
  let end = rtpHeaderBytes + (first & 0x0f) * 4
  if (first & 0x10) end += end + 4 > length ? 4 : 4 + readUint16(bytes, end + 2) * 4
  return end > length ? undefined : end
}

/** RFC 3711 §3.3.1 and appendix A: the number nearest to the highest one that ends in this sequence number. */
function indexOf({ highest }: ReplayWindow, sequence: number): number {
  if (highest < 0) return sequence
  const index = extendSequence(highest, sequence)
  return index < 0 ? index + 0x1_0000 : index
}

function remember(windows: Map<number, ReplayWindow>, ssrc: number, known = windows.get(ssrc)): ReplayWindow {
  if (known) return known
  for (const oldest of windows.keys()) {
    if (windows.size < maxStreams) break
    windows.delete(oldest)
  }
  const window = new ReplayWindow()
  windows.set(ssrc, window)
  return window
}
