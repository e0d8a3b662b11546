/** What the four machines share: where bytes go and whom they tell. */
import type { Clock } from '../../core/clock.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'

/** Where a transaction's messages go. */
export interface Outlet {
  /** TCP and its kin: nothing is resent. */
  readonly reliable: boolean
  /** `failed` hears later, never within the call, that the host or the connection refused. */
  send(bytes: Uint8Array, failed?: () => void): void
}

export type ClientFailure = 'timeout' | 'transport'

/** Who sent a request. */
export interface ClientUser {
  /** Provisional, then final; more than one 2xx may come to an INVITE (RFC 6026 §7.2). */
  response(response: SipResponse): void
  /** No final response will come. */
  failed(why: ClientFailure): void
}

/** Who answers an INVITE. */
export interface InviteServerUser {
  /** No ACK came to a refusal, or the answer could not be sent. */
  failed(why: 'no-ack' | 'transport'): void
}

export interface ClientOptions {
  readonly clock: Clock
  readonly flow: Outlet
  readonly user: ClientUser
  readonly request: SipRequest
  /** Told once, when nothing of the transaction is left. */
  readonly onEnd?: () => void
}

export interface ServerOptions {
  readonly clock: Clock
  readonly flow: Outlet
  readonly onEnd?: () => void
}
