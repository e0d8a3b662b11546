/**
 * What both sides of a handshake have: the messages said and heard so far, and what a message leads to.
 */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import type { Fingerprint } from '../core/dtls.ts'
import type { SrtpKey, SrtpSuite } from '../core/srtp.ts'
import type { AlertName } from './alerts.ts'
import type { CipherSuite } from './algorithms.ts'
import type { Part } from './flight.ts'
import { isCertificateOf } from './identity.ts'
import { type HandshakeMessage, printMessage } from './messages.ts'
import type { RecordKey, Secrets } from './secrets.ts'

export interface OwnCertificate {
  readonly certificate: Uint8Array
  readonly key: KeyObject
}

/** What was agreed. Secret. */
export interface DtlsKeys {
  readonly send: SrtpKey
  readonly receive: SrtpKey
}

/** What follows from a message; nothing but waiting for the next one when it is undefined. */
export type Step =
  | { readonly alert: AlertName }
  | {
      /** Our answer, in the place of what we said before. */
      readonly flight?: readonly Part[]
      /** For epoch 1. */
      readonly keys?: { readonly suite: CipherSuite; readonly write: RecordKey; readonly read: RecordKey }
      /** The handshake is over. */
      readonly agreed?: DtlsKeys
    }
  | undefined

/** One side of a handshake: what it says to what it hears. */
export interface Side {
  /** In order, each once. */
  message(message: HandshakeMessage): Step
}

export class Conversation {
  #messages: Buffer[] = []
  #next: number

  /** @param first The number of our first message. */
  constructor(first = 0) {
    this.#next = first
  }

  /** Add a message of ours. */
  say(type: number, body: Buffer, epoch: 0 | 1 = 0): Part {
    const message = { type, sequence: this.#next++, body }
    this.#messages.push(printMessage(message))
    return { epoch, message }
  }

  hear(message: HandshakeMessage): void {
    this.#messages.push(printMessage(message))
  }

  /** Hellos before the cookie do not count (RFC 6347 §4.2.1). */
  forget(): void {
    this.#messages = []
  }

  /** All so far, as a signature covers them. */
  text(): Buffer {
    return Buffer.concat(this.#messages)
  }

  hash(name: CipherSuite['hash']): Buffer {
    const hash = createHash(name)
    for (const message of this.#messages) hash.update(message)
    return hash.digest()
  }
}

/**
 * The key of the peer's certificate.
 * @param told Fingerprints of its session description: it is that certificate or none.
 */
export function peerKey(certificate: Buffer, told: readonly Fingerprint[]): KeyObject | undefined {
  if (!isCertificateOf(certificate, told)) return undefined
  try {
    return new X509Certificate(certificate).publicKey
  } catch {
    return undefined
  }
}

/** RFC 5764 §4.2: each side encrypts with the key of its role. */
export function srtpKeysFor(role: 'client' | 'server', secrets: Secrets, suite: SrtpSuite): DtlsKeys {
  const { client, server } = secrets.srtpKeys(suite)
  return role === 'client' ? { send: client, receive: server } : { send: server, receive: client }
}
