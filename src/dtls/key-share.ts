/** One side of an ephemeral Diffie-Hellman exchange (RFC 8422 §5.4, §5.11): a key pair that is used once. */
import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import type { Group } from './algorithms.ts'

export interface KeyShare {
  /** What the other side gets. */
  readonly point: Buffer
  /** The shared secret; undefined when the other's point is none. */
  agree(point: Uint8Array): Buffer | undefined
}

/** What stands before the 32 bytes of an X25519 key in DER (RFC 8410 §4). */
const x25519Prefix = Buffer.from('302a300506032b656e032100', 'hex')

const curves = { 'P-256': 'prime256v1', 'P-384': 'secp384r1' } as const

export function createKeyShare(group: Group['name']): KeyShare {
  if (group !== 'x25519') {
    const pair = createECDH(curves[group])
    return { point: pair.generateKeys(), agree: (point) => attempt(() => pair.computeSecret(point)) }
  }
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const agree = (point: Uint8Array): Buffer => {
    const key = Buffer.concat([x25519Prefix, point])
    return diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) })
  }
  return {
    point: publicKey.export({ type: 'spki', format: 'der' }).subarray(x25519Prefix.length),
    agree: (point) => (point.length === 32 ? attempt(() => agree(point)) : undefined),
  }
}

/** A point that is not on the curve, or of low order, throws. */
function attempt(make: () => Buffer): Buffer | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
