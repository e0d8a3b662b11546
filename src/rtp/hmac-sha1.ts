/**
 * HMAC-SHA1 of packets, without an object a packet (RFC 2104, FIPS 180-4).
 *
 * The two states that the key leads to are computed once; node:crypto's Hmac starts anew for each packet, which takes
 * longer and leaves a kilobyte of garbage (`npm run bench -- srtp`). No branch and no index depends on key or message.
 */
import { readUint32, writeUint32 } from './packet.ts'

const blockBytes = 64
const firstState = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]

// Shared by all keys: nothing here outlives a call of `digest`.
const schedule = new Int32Array(80)
const state = new Int32Array(5)
const tail = new Uint8Array(2 * blockBytes)
const result = new Uint8Array(20)

export class HmacSha1 {
  readonly #inner: Int32Array
  readonly #outer: Int32Array

  /** @param key At most 64 bytes. */
  constructor(key: Uint8Array) {
    this.#inner = keyed(key, 0x36)
    this.#outer = keyed(key, 0x5c)
  }

  /**
   * Of `bytes[start..end)`, and of `word` as four more bytes when given. The 20 bytes returned are valid until any
   * HmacSha1 is asked again.
   */
  digest(bytes: Uint8Array, start: number, end: number, word?: number): Uint8Array {
    state.set(this.#inner)
    let at = start
    for (; end - at >= blockBytes; at += blockBytes) compress(bytes, at)
    let rest = end - at
    for (let i = 0; i < rest; i++) tail[i] = bytes[at + i] ?? 0
    let length = end - start
    if (word !== undefined) {
      writeUint32(tail, rest, word)
      rest += 4
      length += 4
    }
    finish(rest, blockBytes + length)
    for (let i = 0; i < 5; i++) writeUint32(tail, i * 4, state[i] ?? 0)
    state.set(this.#outer)
    finish(20, blockBytes + 20)
    for (let i = 0; i < 5; i++) writeUint32(result, i * 4, state[i] ?? 0)
    return result
  }
}

function keyed(key: Uint8Array, pad: number): Int32Array {
  const block = new Uint8Array(blockBytes).fill(pad)
  for (let i = 0; i < key.length; i++) block[i] = (key[i] ?? 0) ^ pad
  state.set(firstState)
  compress(block, 0)
  return state.slice()
}

/** Pad the `rest` bytes of `tail`; `length` is that of the whole message in bytes. */
function finish(rest: number, length: number): void {
  const end = rest + 9 <= blockBytes ? blockBytes : 2 * blockBytes
  tail[rest] = 0x80
  tail.fill(0, rest + 1, end)
  writeUint32(tail, end - 4, length * 8)
  compress(tail, 0)
  if (end > blockBytes) compress(tail, blockBytes)
}

/** One block of 64 bytes into `state` (FIPS 180-4 §6.1.2). */
function compress(bytes: Uint8Array, at: number): void {
  const w = schedule
  for (let i = 0; i < 16; i++) w[i] = readUint32(bytes, at + i * 4)
  for (let i = 16; i < 80; i++) {
    const x = w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!
    w[i] = (x << 1) | (x >>> 31)
  }
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  for (let i = 0; i < 80; i++) {
    const round =
      i < 20
        ? ((b & c) | (~b & d)) + 0x5a827999
        : i < 40
          ? (b ^ c ^ d) + 0x6ed9eba1
          : i < 60
            ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
            : (b ^ c ^ d) + 0xca62c1d6
    const next = (((a << 5) | (a >>> 27)) + round + e + w[i]!) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
  state[4]! += e
}
