/**
 * Recording clients as they are configured: who they are, how they are known, how far they may depart from the RFC, and
 * what holds for their recordings. Declared here, kept by database/.
 */
import type { FailureTable } from '../../core/failures.ts'
import type { DigestHashes } from '../../sip/auth/digest.ts'
import type { Dialect } from './dialects.ts'

/** Whether the streams of recording sessions are encrypted. */
export const siprecSrtpModes = ['none', 'accepted', 'mandatory'] as const
export type SiprecSrtpMode = (typeof siprecSrtpModes)[number]

/** How the sessions of a peer are handled. */
export interface PeerTerms {
  /** The peer's; none for an address that the source list admits without naming it. */
  readonly name?: string
  readonly dialect: Dialect
  /** As the server's setting says when left out. */
  readonly srtp?: SiprecSrtpMode | undefined
  /** Names of the codecs that are taken, best first, `others` for all that are not named; all of them when left out. */
  readonly codecs?: readonly string[] | undefined
  /** How long its recordings are kept; as the server's rules say when left out. */
  readonly retentionDays?: number | undefined
  /** Given to each of its recordings. */
  readonly tags: readonly string[]
}

/** A configured recording client: a session border controller, a telephone system. */
export interface SiprecPeer extends PeerTerms {
  readonly id: string
  /** For people; no two peers have the same. */
  readonly name: string
  /** Off: whoever it is known by is refused. */
  readonly enabled: boolean
  /** `file`: from patchbay.yaml, and changed there alone. */
  readonly origin: 'file' | 'api'
  /** Addresses and networks it sends from. */
  readonly sources: readonly string[]
  /** User name it answers our challenge with. */
  readonly username?: string | undefined
  readonly hashes?: DigestHashes | undefined
  /** Of its TLS certificate: a name in it, or its SHA-256 fingerprint in hexadecimal digits. */
  readonly certificate?: string | undefined
  /** Where it takes orders to record: `sip:sbc.example.com`. */
  readonly contact?: string | undefined
  readonly createdAtMs: number
}

export type PeerChanges = Partial<Omit<SiprecPeer, 'id' | 'origin' | 'createdAtMs'>>

/** Peers that the API manages. A change is seen once it is written. */
export interface PeerStore {
  all(): Promise<readonly SiprecPeer[]>
  add(peer: SiprecPeer): Promise<void>
  change(peer: SiprecPeer): Promise<void>
  remove(id: string): Promise<void>
}

export const peerFailures = {
  'siprec-peer.exists': { fault: 'caller', http: 409, text: 'A SIPREC peer with this name or user name exists' },
  'siprec-peer.not-found': { fault: 'caller', http: 404, text: 'No SIPREC peer has this id' },
  'siprec-peer.from-file': { fault: 'caller', http: 409, text: 'This SIPREC peer is changed in patchbay.yaml' },
  'siprec-peer.unknowable': {
    fault: 'caller',
    http: 400,
    text: 'A SIPREC peer is known by sources, a user name with a password, or a certificate: one of them is needed',
  },
  'siprec-peer.no-contact': {
    fault: 'caller',
    http: 409,
    text: 'The SIPREC peer has no contact, and the order names none',
  },
  'siprec-peer.foreign-contact': {
    fault: 'caller',
    http: 400,
    text: 'The contact of the order is not at the SIPREC peer: neither at the host of its contact, nor an address of its sources',
  },
  'siprec-peer.off': { fault: 'caller', http: 409, text: 'The SIPREC peer is switched off' },
} as const satisfies FailureTable

export class PeerError extends Error {
  override readonly name = 'PeerError'
  readonly code: keyof typeof peerFailures
  constructor(code: keyof typeof peerFailures) {
    super(peerFailures[code].text)
    this.code = code
  }
}
