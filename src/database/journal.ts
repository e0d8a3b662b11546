/**
 * Writes the facts of calls into the database, in order, without holding up whoever tells them.
 *
 *   FactBus ── fact ──▶  queue ── one transaction a turn ──▶  tables
 *
 * A turn is `turnMs`: about what a person takes for at once, and long enough that a hundred calls a second share
 * a commit. A fact that cannot be written is logged and left out; those around it are written all the same.
 */
import type { Kysely } from 'kysely'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import type { Fact } from '../events/catalogue.ts'
import type { NewJob } from '../jobs/types.ts'
import { addJobs } from './jobs.ts'
import type { Tables } from './tables.ts'
import { type CallMemory, writers } from './write-fact.ts'

const turnMs = 50
/** How closely the end of an interrupted call is known. */
const lifeSignMs = 1_000

export interface JournalOptions {
  readonly db: Kysely<Tables>
  readonly bus: FactBus
  readonly clock: Clock
  readonly log: Logger
  readonly work?: WorkOfFacts | undefined
}

/** What has to be done because of a fact: kept in the transaction of the fact's rows, so neither is without the other. */
export interface WorkOfFacts {
  jobsOf(fact: Fact): readonly NewJob[]
  /** Some were kept. */
  added(): void
}

export class Journal {
  readonly #db: Kysely<Tables>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #work: WorkOfFacts | undefined
  readonly #stopListening: () => void
  /** Calls that live, as told. */
  readonly #living = new Set<string>()
  /** One entry a call that lives, as written. */
  readonly #memories = new Map<string, CallMemory>()
  #queue: Fact[] = []
  #turn: Timer | undefined
  #lifeSign: Timer | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(options: JournalOptions) {
    this.#db = options.db
    this.#clock = options.clock
    this.#log = options.log
    this.#work = options.work
    this.#stopListening = options.bus.onAny((fact) => this.#take(fact))
  }

  /** A call of the process before this one goes on. */
  goOn(callId: string, memory: CallMemory): void {
    this.#memories.set(callId, memory)
    this.#living.add(callId)
    this.#lifeSign ??= this.#nextLifeSign()
  }

  /** Resolves when every fact told so far is in the tables, or has been logged as impossible to write. */
  flush(): Promise<void> {
    this.#turn?.cancel()
    this.#turn = undefined
    const facts = this.#queue
    this.#queue = []
    if (facts.length > 0) this.#writing = this.#writing.then(() => this.#write(facts))
    return this.#writing
  }

  /** Stop listening and write what is left. Twice is fine. */
  async close(): Promise<void> {
    this.#stopListening()
    this.#lifeSign?.cancel()
    this.#lifeSign = undefined
    await this.flush()
  }

  #take(fact: Fact): void {
    if (!(fact.name in writers)) return
    this.#queue.push(fact)
    this.#turn ??= this.#clock.after(turnMs, () => void this.flush())
    if (fact.name === 'call.ended') this.#living.delete(fact.callId)
    if (fact.name !== 'call.started') return
    this.#living.add(fact.callId)
    this.#lifeSign ??= this.#nextLifeSign()
  }

  /** Facts of a turn in one transaction; when that fails, each in its own, so that one bad fact costs only itself. */
  async #write(facts: readonly Fact[]): Promise<void> {
    try {
      await this.#commit(facts)
    } catch {
      for (const fact of facts) {
        await this.#commit([fact]).catch((error: unknown) => this.#lost(fact, error))
      }
    }
  }

  /** Memories change only when the transaction stands, so that a second try starts from the same place. */
  async #commit(facts: readonly Fact[]): Promise<void> {
    const changed = new Map<string, CallMemory>()
    let added = 0
    await this.#db.transaction().execute(async (transaction) => {
      for (const fact of facts) {
        if (!('callId' in fact)) continue
        const memory = changed.get(fact.callId) ?? copyOf(this.#memories.get(fact.callId))
        changed.set(fact.callId, memory)
        // The table pairs each name with its fact; the compiler cannot follow that through a lookup.
        const write = writers[fact.name] as ((...args: unknown[]) => Promise<unknown>) | undefined
        await write?.(transaction, fact, memory)
        const jobs = this.#work?.jobsOf(fact) ?? []
        await addJobs(transaction, jobs, fact.atMs)
        added += jobs.length
      }
    })
    if (added > 0) this.#work?.added()
    for (const fact of facts) {
      if (fact.name === 'call.started') this.#memories.set(fact.callId, copyOf(undefined))
    }
    for (const [callId, memory] of changed) if (this.#memories.has(callId)) this.#memories.set(callId, memory)
    for (const fact of facts) if (fact.name === 'call.ended') this.#memories.delete(fact.callId)
  }

  #lost(fact: Fact, error: unknown): void {
    this.#log.error('A fact could not be written', {
      fact: fact.name,
      callId: 'callId' in fact ? fact.callId : undefined,
      reason: error instanceof Error ? error.message : String(error),
    })
  }

  #nextLifeSign(): Timer {
    return this.#clock.after(lifeSignMs, () => {
      this.#lifeSign = this.#living.size > 0 ? this.#nextLifeSign() : undefined
      this.#writing = this.#writing.then(() => this.#writeLifeSign())
    })
  }

  async #writeLifeSign(): Promise<void> {
    try {
      await this.#db.updateTable('life_signs').set({ at_ms: this.#clock.wallMs() }).where('id', '=', 1).execute()
    } catch (error) {
      this.#log.warn('The sign of life could not be written', { reason: String(error) })
    }
  }
}

const copyOf = (memory: CallMemory | undefined): CallMemory => ({
  legs: memory?.legs ?? 0,
  documents: memory?.documents ?? 0,
  people: new Set(memory?.people),
  problems: memory?.problems ?? 0,
  digits: new Map(memory?.digits),
})
