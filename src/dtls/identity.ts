/**
 * Who we are in DTLS-SRTP: a key and a self-signed certificate, made anew at each start.
 *
 * Nobody has to know the certificate beforehand: its fingerprint stands in our session descriptions, and that is what a
 * peer compares (RFC 5763 §5, RFC 8122). It names nobody, is written to no file, and lives as long as the process.
 */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { der, derName, derSequence, derTime, ecdsaWithSha256 } from '../core/der.ts'
import type { Fingerprint } from '../core/dtls.ts'

/** Secret: it goes from the main thread to the workers and nowhere else. */
export interface DtlsIdentity {
  /** X.509 in DER. */
  readonly certificate: Uint8Array
  /** PKCS #8 in DER: a key object would not pass between threads as part of a message of ours. */
  readonly privateKey: Uint8Array
}

const dayMs = 86_400_000
/** Nobody looks at it: what is believed is the fingerprint in the signalling. */
const validMs = 3_650 * dayMs

/** ECDSA with P-256, as every browser takes (RFC 8827 §6.5). Some 0.2 ms of CPU. */
export function createDtlsIdentity(nowMs: number): DtlsIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = derName('DTLS-SRTP')
  const body = derSequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])), // serial number
    ecdsaWithSha256,
    name,
    derSequence(derTime(nowMs - dayMs), derTime(nowMs + validMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, privateKey)
  return {
    certificate: derSequence(body, ecdsaWithSha256, der(0x03, Buffer.of(0), signature)),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
  }
}

export const privateKeyOf = ({ privateKey }: DtlsIdentity): KeyObject =>
  createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })

/** Best first; SHA-1 is what old gateways have. MD5 is not believed (RFC 8122 §5). */
const hashes: Readonly<Record<string, string>> = {
  'sha-512': 'sha512',
  'sha-384': 'sha384',
  'sha-256': 'sha256',
  'sha-1': 'sha1',
}

export function fingerprintOf(certificate: Uint8Array, hash: 'sha-256' | (string & {}) = 'sha-256'): Fingerprint {
  const digest = createHash(hashes[hash] ?? 'sha256')
    .update(certificate)
    .digest('hex')
  return { hash, value: (digest.toUpperCase().match(/../g) ?? []).join(':') }
}

/** Whether this is the certificate of the description: by the best hash that it was told in (RFC 8122 §6.2). */
export function isCertificateOf(certificate: Uint8Array, told: readonly Fingerprint[]): boolean {
  const best = Object.keys(hashes).find((hash) => told.some((each) => each.hash === hash))
  if (best === undefined) return false
  const { value } = fingerprintOf(certificate, best)
  return told.some((each) => each.hash === best && each.value === value)
}
