/** A registration of ours at somebody's registrar, as whoever asked for it sees it. RFC 3261 §10.2. */
import type { Credentials, Flow } from '../stack.types.ts'

export interface RegistrationOptions {
  /** The registrar: `sip:example.com`, found by DNS unless numeric (RFC 3263). */
  readonly registrar: string
  /** Whom we are reached as: `sip:alice@example.com`. */
  readonly aor: string
  readonly credentials?: Credentials
  /** Seconds asked for; 3600 unless given. The registrar decides. */
  readonly expiresS?: number
  /** User part of our Contact; that of the address of record unless given. */
  readonly contactUser?: string
  /** Parameters of the URI in our Contact, to know calls again that come by it: `line=…`. */
  readonly contactUriParams?: Readonly<Record<string, string>>
  /** `urn:uuid:…` of this device: the registrar may give a GRUU (RFC 5627) and keep the flow (RFC 5626). */
  readonly instance?: string
  /** Which flow of the device this is, from 1 (RFC 5626 §4.2). With `instance` only. */
  readonly regId?: number
  /** Send by this proxy: `<sip:proxy.example.com;lr>`. */
  readonly route?: string
  /** Ends the registration. */
  readonly signal?: AbortSignal
}

export interface RegisteredState {
  readonly is: 'registered'
  /** Wall time until which calls reach us without another REGISTER. */
  readonly untilMs: number
  /** Our Contact, without `<>`. */
  readonly contact: string
  /** The flow it went by: a connection is used for calls as well, while it is open. */
  readonly flow: Flow
  /** Routes for our requests (RFC 3608), as values of Route; empty: none asked for. */
  readonly serviceRoute: readonly string[]
  /** Addresses that reach this device alone, when the registrar gives them (RFC 5627). */
  readonly publicGruu?: string
  readonly temporaryGruu?: string
}

export type RegistrationState =
  | { readonly is: 'registering' }
  | RegisteredState
  /** It will be tried again, however often it failed. `status` 408 and 503 also for silence and for nowhere to go. */
  | { readonly is: 'failed'; readonly status: number; readonly reason: string; readonly retryAtMs: number }
  | { readonly is: 'closed' }

/**
 * Kept alive until it is closed: refreshed before it expires, tried again after any failure, by another server when
 * one fails.
 */
export interface OutgoingRegistration extends AsyncIterable<RegistrationState> {
  readonly state: RegistrationState
  /** Each change of state. Iterating gives the state now and each later one; who is slow misses some between. */
  on(name: 'changed', listener: (state: RegistrationState) => void): () => void
  /** The first success. Rejects with `sip.aborted` when it is closed before. */
  readonly registered: Promise<RegisteredState>
  /** Register now: an address changed, or somebody wants to know. */
  refresh(): void
  /** Take our Contact away from the registrar; resolves when that is answered or given up. Twice is fine. */
  close(): Promise<void>
}
