/**
 * The audit record: written by whoever deletes, exports, decrypts, holds, erases or configures.
 *
 *   api/ (each change), retention, compliance  ── record ─▶  here  ── append ─▶  AuditStore (database/life/audit.ts)
 *   `patchbay audit verify`, the API           ── verify ─▶
 *
 * Records are never changed and never deleted.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { type ChainFault, faultOf, noHash } from './chain.ts'
import type { AuditEntry, AuditQuery, AuditRecord, AuditStore } from './types.ts'

/** The log tells the head of the chain so often, when it has moved: that is what a later check is held against. */
const tellHeadMs = 3_600_000
/** Records verified between two turns of the event loop. */
const verifiedAtATime = 500

export interface AuditVerdict {
  readonly intact: boolean
  /** How many were checked. */
  readonly records: number
  /** Hash of the last one. */
  readonly head: string
  /** The first that does not fit. */
  readonly broken?: { readonly sequence: number; readonly fault: ChainFault }
  /** Whether a hash that was noted earlier is still among them; absent when none was given. */
  readonly headFound?: boolean
}

export interface AuditDeps {
  readonly store: AuditStore
  readonly clock: Clock
  readonly log: Logger
}

export class Audit {
  readonly #store: AuditStore
  readonly #clock: Clock
  readonly #log: Logger
  #latest: AuditRecord | undefined
  #telling: Timer | undefined

  constructor({ store, clock, log }: AuditDeps) {
    this.#store = store
    this.#clock = clock
    this.#log = log
  }

  /** Resolves when it is kept. @throws What the database throws: then what was to be recorded must not be done. */
  async record(entry: AuditEntry): Promise<AuditRecord> {
    const record = await this.#store.append(entry, this.#clock.wallMs())
    this.#latest = record
    this.#telling ??= this.#clock.after(tellHeadMs, () => this.#tellHead())
    return record
  }

  /** Newest first. */
  list(query: AuditQuery): Promise<readonly AuditRecord[]> {
    return this.#store.list(query)
  }

  /**
   * Look at every record, oldest first, until one does not fit.
   * @param noted A hash that was the head once, from the log or a report.
   */
  async verify(noted?: string): Promise<AuditVerdict> {
    let before = { sequence: 0, hash: noHash }
    let found = noted === undefined || noted === noHash
    for (;;) {
      const records = await this.#store.after(before.sequence, verifiedAtATime)
      for (const record of records) {
        const fault = faultOf(before, record)
        if (fault) {
          const broken = { sequence: before.sequence + 1, fault }
          return { intact: false, records: before.sequence, head: before.hash, broken }
        }
        found ||= record.hash === noted
        before = record
      }
      if (records.length < verifiedAtATime) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    const { sequence: records, hash: head } = before
    return { intact: found, records, head, ...(noted !== undefined && { headFound: found }) }
  }

  /** Tells the head once more. Twice is fine. */
  close(): void {
    this.#telling?.cancel()
    this.#tellHead()
  }

  #tellHead(): void {
    this.#telling = undefined
    if (!this.#latest) return
    const { sequence, hash } = this.#latest
    this.#latest = undefined
    this.#log.info('The audit record has grown', { sequence, head: hash })
  }
}
