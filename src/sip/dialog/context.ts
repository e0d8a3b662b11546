/** What dialogs and requests of one stack share. */
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { SipRequest } from '../message/types.ts'
import type { Flow, Verdict } from '../stack.types.ts'
import type { Transactions } from '../transaction/transactions.ts'
import type { SipCounters } from '../transport/counters.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { SipTransport } from '../transport/transport.ts'
import type { DialogTable } from './dialog-table.ts'
import type { SessionTerms } from './session-timer.ts'

/** Asked for each request outside dialogs, and for those inside that come from a new place, before any state is made. */
export type Guard = (request: SipRequest, flow: Flow) => Verdict

/** What we say about ourselves. */
export interface Identity {
  /** User-Agent in requests, Server in responses; strangers who are turned away do not see it. */
  readonly userAgent?: string
  /** Methods for Allow. */
  readonly allow: readonly string[]
  /** Option tags that a peer may require of us, told in Supported. */
  readonly supported: readonly string[]
  readonly session: SessionTerms
}

/** A part of the stack that takes all requests of one method, outside dialogs. */
export type Service = (request: SipRequest, flow: WireFlow) => void

export interface Context {
  readonly clock: Clock
  readonly log: Logger
  readonly transport: SipTransport
  readonly transactions: Transactions
  readonly dialogs: DialogTable
  readonly counters: SipCounters
  readonly identity: Identity
  /** By method; what is not here goes to the platform. */
  readonly services: Map<string, Service>
  /** Whether a request inside a dialog may come from elsewhere than its peer; nobody may when there is none to ask. */
  readonly guard: Guard | undefined
}
