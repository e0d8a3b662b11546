/**
 * Keys of SRTP in session descriptions (SDES, RFC 4568): those we make, and those of a peer that we can use.
 *
 * Whoever reads the signalling reads the call: it belongs into TLS. Keys are in `a=crypto` alone, which
 * sip/without-secrets.ts takes out of whatever is shown.
 */
import { randomFillSync } from 'node:crypto'
import { isSrtpSuite, type SrtpKey, type SrtpSuite, srtpSuites } from '../core/srtp.ts'
import { cryptosOf } from './attributes.ts'
import type { SdpAttribute, SdpMedia } from './types.ts'

/** A line of `a=crypto`: the tag names it in the answer. */
export interface CryptoLine {
  readonly tag: number
  readonly key: SrtpKey
}

/**
 * In our order of preference: first the one that everybody has (RFC 4568 §6.2.1) and that costs us least (docs/performance.md),
 * then those with longer keys, for who wants them. Not all that we know: each line is a hundred bytes of an INVITE that had
 * better fit into a datagram.
 */
export const offeredSuites: readonly SrtpSuite[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_256_CM_HMAC_SHA1_80',
  'AEAD_AES_256_GCM',
]

/** Some write what RFC 6188 calls `AES_256_CM…` in the order of RFC 4568. */
const spelling = new Map<string, SrtpSuite>([
  ['AES_CM_256_HMAC_SHA1_80', 'AES_256_CM_HMAC_SHA1_80'],
  ['AES_CM_256_HMAC_SHA1_32', 'AES_256_CM_HMAC_SHA1_32'],
])

export function newSrtpKey(suite: SrtpSuite): SrtpKey {
  const { keyBytes, saltBytes } = srtpSuites[suite]
  return { suite, master: randomFillSync(new Uint8Array(keyBytes + saltBytes)), mkiBytes: 0 }
}

/** A key for each suite that we offer. */
export const newCryptoLines = (): CryptoLine[] =>
  offeredSuites.map((suite, index) => ({ tag: index + 1, key: newSrtpKey(suite) }))

export const cryptoAttribute = ({ tag, key }: CryptoLine): SdpAttribute => ({
  name: 'crypto',
  value: `${tag} ${key.suite} inline:${Buffer.from(key.master).toString('base64')}`,
})

/**
 * The lines of a peer that we can use, in its order: a suite we know, one key of the right length, and no session
 * parameter that changes packets (RFC 4568 §6.3: one that is not known makes its line unusable, but for `-…`).
 */
export const usableCryptos = (media: SdpMedia): CryptoLine[] =>
  cryptosOf(media).flatMap(({ tag, suite, keys, sessionParams }) => {
    const [text = '', ...more] = keys
    const known = spelling.get(suite) ?? suite
    if (!isSrtpSuite(known) || more.length > 0 || !sessionParams.every(changesNothing)) return []
    const key = readKey(known, text)
    return key ? [{ tag, key }] : []
  })

/** A window for replays is ours to choose; keys that are derived once are what we do. */
const changesNothing = (param: string): boolean => /^(?:-|WSH=\d+$|KDR=0$)/.test(param)

/** `KEY|LIFETIME|MKI:LENGTH`; the lifetime is for its writer to keep (RFC 4568 §6.1). */
function readKey(suite: SrtpSuite, text: string): SrtpKey | undefined {
  const [base64 = '', ...options] = text.split('|')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  const master = Uint8Array.from(Buffer.from(base64, 'base64'))
  const { keyBytes, saltBytes } = srtpSuites[suite]
  const mki = options.flatMap((option) => /^\d+:(\d{1,3})$/.exec(option)?.[1] ?? []).map(Number)
  const lifetimes = options.filter((option) => /^(?:2\^)?\d+$/.test(option))
  const [mkiBytes = 0] = mki
  if (master.length !== keyBytes + saltBytes || mki.length + lifetimes.length !== options.length) return undefined
  return mki.length > 1 || mkiBytes > 128 ? undefined : { suite, master, mkiBytes }
}

/** Whether a stream is SRTP by its protocol, whatever its keys; DTLS-SRTP is another matter (RFC 5764). */
export const isSecureProtocol = ({ protocol }: SdpMedia): boolean => /^RTP\/SAVPF?$/i.test(protocol)
