/**
 * Keys out of a handshake: the pseudo-random function of TLS 1.2 and what is made with it (RFC 5246 §5, §6.3, §7.4.9, §8.1),
 * and the keys of SRTP (RFC 5764 §4.2).
 */
import { createHmac } from 'node:crypto'
import { type SrtpKey, type SrtpSuite, srtpSuites } from '../core/srtp.ts'
import type { CipherSuite } from './algorithms.ts'

/** RFC 5246 §5: as many bytes as asked for. */
export function prf(hash: string, secret: Uint8Array, label: string, seed: Uint8Array, length: number): Buffer {
  const hmac = (...data: readonly Uint8Array[]): Buffer => {
    const keyed = createHmac(hash, secret)
    for (const part of data) keyed.update(part)
    return keyed.digest()
  }
  const full = Buffer.concat([Buffer.from(label), seed])
  const parts: Buffer[] = []
  let a: Buffer = full
  for (let made = 0; made < length; made += parts.at(-1)?.length ?? length) {
    a = hmac(a)
    parts.push(hmac(a, full))
  }
  return Buffer.concat(parts).subarray(0, length)
}

export interface Randoms {
  readonly client: Uint8Array
  readonly server: Uint8Array
}

const masterBytes = 48
const verifyBytes = 12
/** RFC 5288 §3: the salt of a GCM nonce; the other 8 bytes travel. */
export const fixedIvBytes = 4

/** What encrypts one direction. */
export interface RecordKey {
  readonly key: Buffer
  readonly fixedIv: Buffer
}

/** Of one association; dropped with it. */
export class Secrets {
  readonly suite: CipherSuite
  readonly #master: Buffer
  readonly #randoms: Randoms

  /** @param session Hash of all messages up to ClientKeyExchange when extended master secret was agreed (RFC 7627 §4). */
  constructor(suite: CipherSuite, preMaster: Uint8Array, randoms: Randoms, session: Uint8Array | undefined) {
    this.suite = suite
    this.#randoms = randoms
    this.#master = session
      ? prf(suite.hash, preMaster, 'extended master secret', session, masterBytes)
      : prf(suite.hash, preMaster, 'master secret', Buffer.concat([randoms.client, randoms.server]), masterBytes)
  }

  /** RFC 5246 §6.3: AEAD suites have no MAC keys. */
  recordKeys(): { readonly client: RecordKey; readonly server: RecordKey } {
    const { hash, keyBytes } = this.suite
    const seed = Buffer.concat([this.#randoms.server, this.#randoms.client])
    const block = prf(hash, this.#master, 'key expansion', seed, 2 * (keyBytes + fixedIvBytes))
    const ivs = 2 * keyBytes
    return {
      client: { key: block.subarray(0, keyBytes), fixedIv: block.subarray(ivs, ivs + fixedIvBytes) },
      server: { key: block.subarray(keyBytes, ivs), fixedIv: block.subarray(ivs + fixedIvBytes) },
    }
  }

  /** @param transcript Hash of the messages before this Finished. */
  finished(of: 'client' | 'server', transcript: Uint8Array): Buffer {
    return prf(this.suite.hash, this.#master, `${of} finished`, transcript, verifyBytes)
  }

  /** RFC 5764 §4.2: what each side encrypts with, by the exporter of RFC 5705. */
  srtpKeys(suite: SrtpSuite): { readonly client: SrtpKey; readonly server: SrtpKey } {
    const { keyBytes, saltBytes } = srtpSuites[suite]
    const seed = Buffer.concat([this.#randoms.client, this.#randoms.server])
    const all = prf(this.suite.hash, this.#master, 'EXTRACTOR-dtls_srtp', seed, 2 * (keyBytes + saltBytes))
    const salts = 2 * keyBytes
    const key = (keyAt: number, saltAt: number): SrtpKey => ({
      suite,
      master: Uint8Array.from([...all.subarray(keyAt, keyAt + keyBytes), ...all.subarray(saltAt, saltAt + saltBytes)]),
      mkiBytes: 0,
    })
    return { client: key(0, salts), server: key(keyBytes, salts + saltBytes) }
  }
}
