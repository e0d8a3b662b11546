/**
 * DTLS-SRTP in session descriptions: the certificate of each side and who shakes hands first (RFC 5763 §5, RFC 8122,
 * RFC 8842).
 *
 * The keys are agreed on the media path; what stands here is no secret, but must not be changed on the way: it belongs
 * into TLS all the same.
 */
import type { DtlsSide, Fingerprint } from '../core/dtls.ts'
import { attributeOf } from './media.ts'
import type { SdpAttribute, SdpMedia, SessionDescription } from './types.ts'

/** `UDP/TLS/RTP/SAVP`, with `F` for browsers (RFC 5764 §8). */
export const isDtlsProtocol = ({ protocol }: SdpMedia): boolean => /^UDP\/TLS\/RTP\/SAVPF?$/.test(protocol)

/** What can be compared; MD5 and older are not believed (RFC 8122 §5). */
const hashes: ReadonlySet<string> = new Set(['sha-512', 'sha-384', 'sha-256', 'sha-1'])

/** Of the certificate, in each hash that is known; none when the peer shakes no hands. */
export const fingerprintsOf = ({ attributes }: SdpMedia): Fingerprint[] =>
  attributes.flatMap(({ name, value }) => {
    const [, hash = '', text = ''] =
      name === 'fingerprint' ? (/^\s*([\w-]+)\s+([0-9A-F]{2}(?::[0-9A-F]{2})+)\s*$/i.exec(value ?? '') ?? []) : []
    return hashes.has(hash.toLowerCase()) ? [{ hash: hash.toLowerCase(), value: text.toUpperCase() }] : []
  })

export type Setup = 'active' | 'passive' | 'actpass' | 'holdconn'

/** Who says hello: `active` does (RFC 4145 §4). Undefined when it is not said, or cannot be read. */
export function setupOf(media: SdpMedia): Setup | undefined {
  const text = attributeOf(media, 'setup')?.trim().toLowerCase()
  return setups.find((each) => each === text)
}

const setups: readonly Setup[] = ['active', 'passive', 'actpass', 'holdconn']

export const dtlsAttributes = ({ hash, value }: Fingerprint, setup: Setup): SdpAttribute[] => [
  { name: 'setup', value: setup },
  { name: 'fingerprint', value: `${hash} ${value}` },
]

/** Our side when the peer's answer says this; who offers takes any, and is called when nothing is said (RFC 4145 §4.1). */
export const sideByAnswer = (setup: Setup | undefined): DtlsSide => (setup === 'passive' ? 'client' : 'server')

/**
 * Our side when the peer's offer says this. Of a free choice the server: a peer behind NAT opens the way by its hello.
 * @param now What we are, when hands were shaken already: it stays (RFC 8842 §5.3).
 */
export function sideByOffer(setup: Setup | undefined, now: DtlsSide | undefined): DtlsSide {
  if (setup === 'passive') return 'client'
  return setup === 'active' ? 'server' : (now ?? 'server')
}

/** What may stand for the whole session instead of in the stream (RFC 8122 §5, RFC 4145 §4, RFC 8839 §5.4). */
const ofSession: ReadonlySet<string> = new Set(['fingerprint', 'setup', 'ice-ufrag', 'ice-pwd'])

/** The stream with what the session says of its transport. */
export function withSessionTransport({ attributes }: SessionDescription, media: SdpMedia): SdpMedia {
  const own = new Set(media.attributes.map(({ name }) => name))
  const more = attributes.filter(({ name }) => ofSession.has(name) && !own.has(name))
  return more.length === 0 ? media : { ...media, attributes: [...media.attributes, ...more] }
}
