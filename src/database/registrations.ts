/**
 * Bindings of devices, written together once a second: a hundred thousand phones refresh thirty times a second, and each
 * refresh would be a transaction of its own. A crash loses that second; the phones concerned register again in time.
 */
import type { Kysely, Selectable } from 'kysely'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { KeptBinding, RegistrationStore } from '../pbx/registration-store.ts'
import type { RegistrationsTable, Tables } from './tables.ts'

const writeEveryMs = 1_000
/** Thirteen parameters each; SQLite takes 32,766 a statement. */
const rowsPerInsert = 1_000
/** Beyond this the database is not keeping up: what is newest then waits for the phone's next REGISTER. */
const maxWaiting = 200_000

export class KeptRegistrations implements RegistrationStore {
  readonly #db: Kysely<Tables>
  readonly #log: Logger
  #clock: Clock | undefined
  /** By id; null: to be removed. */
  #waiting = new Map<string, KeptBinding | null>()
  #timer: Timer | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(db: Kysely<Tables>, log: Logger) {
    this.#db = db
    this.#log = log
  }

  /** From now on what waits is written by itself. */
  keep(clock: Clock): void {
    this.#clock = clock
  }

  /** Oldest refresh first. */
  async all(): Promise<readonly KeptBinding[]> {
    await this.flush()
    const rows = await this.#db.selectFrom('registrations').selectAll().orderBy('expires_at_ms').execute()
    return rows.map(fromRow)
  }

  save(binding: KeptBinding): void {
    this.#put(binding.id, binding)
  }

  remove(id: string): void {
    this.#put(id, null)
  }

  /** Write what waits, now. */
  flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    const batch = this.#waiting
    if (batch.size > 0) {
      this.#waiting = new Map()
      this.#writing = this.#writing.then(() => this.#write(batch))
    }
    return this.#writing
  }

  #put(id: string, binding: KeptBinding | null): void {
    if (this.#waiting.size >= maxWaiting && !this.#waiting.has(id)) return
    this.#waiting.set(id, binding)
    this.#timer ??= this.#clock?.after(writeEveryMs, () => void this.flush())
  }

  async #write(batch: ReadonlyMap<string, KeptBinding | null>): Promise<void> {
    const ids = [...batch.keys()]
    const rows = [...batch.values()].filter((binding) => binding !== null).map(toRow)
    try {
      await this.#db.transaction().execute(async (db) => {
        for (let from = 0; from < ids.length; from += rowsPerInsert)
          await db
            .deleteFrom('registrations')
            .where('id', 'in', ids.slice(from, from + rowsPerInsert))
            .execute()
        for (let from = 0; from < rows.length; from += rowsPerInsert)
          await db
            .insertInto('registrations')
            .values(rows.slice(from, from + rowsPerInsert))
            .execute()
      })
    } catch (error) {
      this.#log.error('Registrations could not be written', { error: String(error), count: batch.size })
    }
  }
}

const toRow = (binding: KeptBinding): RegistrationsTable => ({
  id: binding.id,
  extension: binding.extension,
  contact: binding.contact,
  path: JSON.stringify(binding.path),
  local_ip: binding.local.ip,
  local_port: binding.local.port,
  remote_ip: binding.remote.ip,
  remote_port: binding.remote.port,
  sip_call_id: binding.callId,
  cseq: binding.cseq,
  user_agent: binding.userAgent ?? null,
  expires_at_ms: binding.expiresAtMs,
  proof: binding.proof,
})

const fromRow = (row: Selectable<RegistrationsTable>): KeptBinding => ({
  id: row.id,
  extension: row.extension,
  contact: row.contact,
  path: JSON.parse(row.path) as string[],
  local: { ip: row.local_ip, port: row.local_port },
  remote: { ip: row.remote_ip, port: row.remote_port },
  callId: row.sip_call_id,
  cseq: row.cseq,
  ...(row.user_agent !== null && { userAgent: row.user_agent }),
  expiresAtMs: row.expires_at_ms,
  proof: row.proof,
})
