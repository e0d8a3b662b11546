/**
 * What can be agreed in a handshake: cipher suites, groups, signatures, profiles of SRTP. Best first, each with its number.
 *
 * Forward secret and authenticated in one alone, as RFC 8827 §6.5 wants for browsers; what had other ciphers is gone.
 */
import { constants, type KeyObject, sign, verify } from 'node:crypto'
import type { SrtpSuite } from '../core/srtp.ts'

export interface CipherSuite {
  readonly code: number
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm'
  readonly keyBytes: number
  /** Of the pseudo-random function and the transcript. */
  readonly hash: 'sha256' | 'sha384'
  /** What signs the key exchange: the kind of the server's certificate. */
  readonly signedBy: 'ec' | 'rsa'
}

const suite = (code: number, keyBytes: 16 | 32, signedBy: CipherSuite['signedBy']): CipherSuite =>
  keyBytes === 16
    ? { code, cipher: 'aes-128-gcm', keyBytes, hash: 'sha256', signedBy }
    : { code, cipher: 'aes-256-gcm', keyBytes, hash: 'sha384', signedBy }

/** TLS_ECDHE_{ECDSA,RSA}_WITH_AES_{128_GCM_SHA256,256_GCM_SHA384}: RFC 5289 §3.2. */
export const cipherSuites: readonly CipherSuite[] = [
  suite(0xc02b, 16, 'ec'),
  suite(0xc02c, 32, 'ec'),
  suite(0xc02f, 16, 'rsa'),
  suite(0xc030, 32, 'rsa'),
]

/** Groups of the key exchange: X25519 (RFC 8422 §5.1.1), then P-256 and P-384. */
export const groups = [
  { code: 29, name: 'x25519' },
  { code: 23, name: 'P-256' },
  { code: 24, name: 'P-384' },
] as const
export type Group = (typeof groups)[number]

interface SignatureScheme {
  readonly code: number
  readonly keyType: 'ec' | 'rsa'
  readonly hash: string
  readonly pss?: boolean
}

/** RFC 8446 §4.2.3; in TLS 1.2 the hash does not bind the curve. */
export const signatureSchemes: readonly SignatureScheme[] = [
  { code: 0x0403, keyType: 'ec', hash: 'sha256' },
  { code: 0x0503, keyType: 'ec', hash: 'sha384' },
  { code: 0x0603, keyType: 'ec', hash: 'sha512' },
  { code: 0x0804, keyType: 'rsa', hash: 'sha256', pss: true },
  { code: 0x0805, keyType: 'rsa', hash: 'sha384', pss: true },
  { code: 0x0806, keyType: 'rsa', hash: 'sha512', pss: true },
  { code: 0x0401, keyType: 'rsa', hash: 'sha256' },
  { code: 0x0501, keyType: 'rsa', hash: 'sha384' },
  { code: 0x0601, keyType: 'rsa', hash: 'sha512' },
]

/** Ours signs with this one alone: everybody has to take it. */
export const ownScheme = 0x0403

export const signOwn = (data: Uint8Array, key: KeyObject): Buffer => sign('sha256', data, key)

/** Whether the holder of `key` signed this with that scheme; false for schemes that are not known, or not of the key. */
export function isSignedBy(key: KeyObject, code: number, data: Uint8Array, signature: Uint8Array): boolean {
  const scheme = signatureSchemes.find((each) => each.code === code)
  if (!scheme || key.asymmetricKeyType !== scheme.keyType) return false
  const padding = scheme.pss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {}
  try {
    return verify(scheme.hash, data, { key, ...padding }, signature)
  } catch {
    return false
  }
}

/**
 * Of `use_srtp` (RFC 5764 §4.1.2, RFC 7714 §14.2), in the order we choose: first what everybody has, which costs us a
 * third of the others for each packet (docs/performance.md).
 */
export const srtpProfiles: readonly { readonly code: number; readonly suite: SrtpSuite }[] = [
  { code: 0x0001, suite: 'AES_CM_128_HMAC_SHA1_80' },
  { code: 0x0007, suite: 'AEAD_AES_128_GCM' },
  { code: 0x0008, suite: 'AEAD_AES_256_GCM' },
]
