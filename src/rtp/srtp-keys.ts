/**
 * The keys of a session out of the master key (RFC 3711 §4.3, with the longer keys of RFC 6188 and RFC 7714 §11).
 *
 * The key derivation rate is zero, as everywhere: keys are derived once.
 */
import { createCipheriv } from 'node:crypto'
import { type SrtpKey, srtpSuites } from '../core/srtp.ts'

/** Of one direction, and either of RTP or of RTCP. */
export interface SessionKeys {
  readonly cipherKey: Uint8Array
  readonly salt: Uint8Array
  /** Empty with GCM. */
  readonly authKey: Uint8Array
}

/** The first label of three: cipher key, authentication key, salt (RFC 3711 §4.3.1, §4.3.2). */
const firstLabel = { rtp: 0, rtcp: 3 }
const authKeyBytes = 20

export function deriveKeys({ suite, master }: SrtpKey, of: 'rtp' | 'rtcp'): SessionKeys {
  const { keyBytes, saltBytes, kind } = srtpSuites[suite]
  const label = firstLabel[of]
  const derive = (offset: number, length: number): Uint8Array =>
    deriveKey(master.subarray(0, keyBytes), master.subarray(keyBytes, keyBytes + saltBytes), label + offset, length)
  return {
    cipherKey: derive(0, keyBytes),
    authKey: derive(1, kind === 'gcm' ? 0 : authKeyBytes),
    salt: derive(2, saltBytes),
  }
}

/** A salt of GCM is two bytes short of what the derivation takes: zeros follow it (RFC 7714 §11). */
export function deriveKey(key: Uint8Array, salt: Uint8Array, label: number, length: number): Uint8Array {
  const counter = Buffer.alloc(16)
  counter.set(salt)
  counter.writeUInt8(counter.readUInt8(7) ^ label, 7)
  const cipher = createCipheriv(key.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr', key, counter)
  return cipher.update(Buffer.alloc(length))
}
