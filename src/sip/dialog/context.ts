/** What dialogs and requests of one stack share. */
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Transactions } from '../transaction/transactions.ts'
import type { SipCounters } from '../transport/counters.ts'
import type { SipTransport } from '../transport/transport.ts'
import type { DialogTable } from './dialog-table.ts'
import type { SessionTerms } from './session-timer.ts'

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

export interface Context {
  readonly clock: Clock
  readonly log: Logger
  readonly transport: SipTransport
  readonly transactions: Transactions
  readonly dialogs: DialogTable
  readonly counters: SipCounters
  readonly identity: Identity
}
