/**
 * Encrypting and authenticating one packet whose number is known: AES in counter mode with HMAC-SHA1 (RFC 3711 §4) and
 * AES-GCM (RFC 7714 §8, §9). Where header, tag and number stand is the affair of srtp.ts.
 */
import { type CipherGCMTypes, createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { type SrtpKey, srtpSuites } from '../core/srtp.ts'
import { HmacSha1 } from './hmac-sha1.ts'
import { writeUint16, writeUint32 } from './packet.ts'
import { deriveKeys, type SessionKeys } from './srtp-keys.ts'
import { AesCounterKeystream } from './srtp-keystream.ts'

/** Where things are in a packet, for both directions. */
export interface Place {
  readonly ssrc: number
  /** Number of the packet: 48 bits in SRTP, 31 in SRTCP. */
  readonly index: number
  /** What is encrypted: `bytes[bodyStart..bodyEnd)`. What stands before it is authenticated. */
  readonly bodyStart: number
  readonly bodyEnd: number
  readonly tagAt: number
  /** SRTCP: where E and number stand; they are authenticated too. */
  readonly wordAt?: number
}

export interface PacketCipher {
  /** Encrypt in place and write the tag. */
  seal(bytes: Uint8Array, place: Place): void
  /** Decrypt in place; false, and the bytes as they were, when the tag is not right. */
  open(bytes: Uint8Array, place: Place): boolean
}

export function packetCipher(key: SrtpKey, of: 'rtp' | 'rtcp'): PacketCipher {
  const { kind, rtpTagBytes, rtcpTagBytes } = srtpSuites[key.suite]
  const keys = deriveKeys(key, of)
  return kind === 'gcm' ? new GcmCipher(keys) : new CounterCipher(keys, of === 'rtp' ? rtpTagBytes : rtcpTagBytes)
}

class CounterCipher implements PacketCipher {
  readonly #keystream: AesCounterKeystream
  readonly #hmac: HmacSha1
  readonly #tagBytes: number

  constructor({ cipherKey, salt, authKey }: SessionKeys, tagBytes: number) {
    this.#keystream = new AesCounterKeystream(cipherKey, salt)
    this.#hmac = new HmacSha1(authKey)
    this.#tagBytes = tagBytes
  }

  seal(bytes: Uint8Array, place: Place): void {
    this.#keystream.apply(place.ssrc, place.index, bytes, place.bodyStart, place.bodyEnd)
    const tag = this.#tag(bytes, place)
    for (let i = 0; i < this.#tagBytes; i++) bytes[place.tagAt + i] = tag[i] ?? 0
  }

  open(bytes: Uint8Array, place: Place): boolean {
    const tag = this.#tag(bytes, place)
    let different = 0 // all bytes are looked at: how many are right is not to be learned from the time it takes
    for (let i = 0; i < this.#tagBytes; i++) different |= (tag[i] ?? 0) ^ (bytes[place.tagAt + i] ?? 0)
    if (different !== 0) return false
    this.#keystream.apply(place.ssrc, place.index, bytes, place.bodyStart, place.bodyEnd)
    return true
  }

  /** Of header and body, then the roll-over counter in SRTP, E and number in SRTCP, which stand behind the body. */
  #tag(bytes: Uint8Array, { bodyEnd, index, wordAt }: Place): Uint8Array {
    if (wordAt !== undefined) return this.#hmac.digest(bytes, 0, wordAt + 4)
    return this.#hmac.digest(bytes, 0, bodyEnd, Math.floor(index / 0x1_0000))
  }
}

const gcmTag = { authTagLength: 16 }

export class GcmCipher implements PacketCipher {
  readonly #algorithm: CipherGCMTypes
  /** A key as bytes would be made ready by OpenSSL anew for each packet: 15 µs. */
  readonly #key: KeyObject
  readonly #salt: Uint8Array
  readonly #iv = new Uint8Array(12)

  constructor({ cipherKey, salt }: Pick<SessionKeys, 'cipherKey' | 'salt'>) {
    this.#algorithm = cipherKey.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm'
    this.#key = createSecretKey(cipherKey)
    this.#salt = salt
  }

  seal(bytes: Uint8Array, place: Place): void {
    const cipher = createCipheriv(this.#algorithm, this.#key, this.#ivOf(place), gcmTag)
    cipher.setAAD(associated(bytes, place))
    const body = cipher.update(bytes.subarray(place.bodyStart, place.bodyEnd))
    cipher.final()
    bytes.set(body, place.bodyStart)
    bytes.set(cipher.getAuthTag(), place.tagAt)
  }

  open(bytes: Uint8Array, place: Place): boolean {
    const decipher = createDecipheriv(this.#algorithm, this.#key, this.#ivOf(place), gcmTag)
    decipher.setAAD(associated(bytes, place))
    decipher.setAuthTag(bytes.subarray(place.tagAt, place.tagAt + gcmTag.authTagLength))
    const body = decipher.update(bytes.subarray(place.bodyStart, place.bodyEnd))
    try {
      decipher.final()
    } catch {
      return false
    }
    bytes.set(body, place.bodyStart)
    return true
  }

  /** Two zeros, SSRC, 48 bits of number, XOR the salt (RFC 7714 §8.1, §9.1). */
  #ivOf({ ssrc, index }: Place): Uint8Array {
    const iv = this.#iv
    writeUint16(iv, 0, 0)
    writeUint32(iv, 2, ssrc)
    writeUint32(iv, 6, Math.floor(index / 0x1_0000))
    writeUint16(iv, 10, index % 0x1_0000)
    for (let i = 0; i < 12; i++) iv[i] = (iv[i] ?? 0) ^ (this.#salt[i] ?? 0)
    return iv
  }
}

/** What is authenticated but not encrypted: the header, in SRTCP with E and number behind it (RFC 7714 §9.2). */
function associated(bytes: Uint8Array, { bodyStart, wordAt }: Place): Uint8Array {
  const header = bytes.subarray(0, bodyStart)
  return wordAt === undefined ? header : Buffer.concat([header, bytes.subarray(wordAt, wordAt + 4)])
}
