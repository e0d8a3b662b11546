/**
 * Deletes recordings whose time is over: rules, holds, the sweep.
 *
 *   API, CLI ── rules, preview, delete ─▶  here  ── begin ─▶  RetentionStore: mark, audit, job in one transaction
 *   Clock ── every hour ─▶ sweep ─▶                                              │
 *                                     delete-files.ts  ◀── job `recording.delete` ┘
 *
 * The sweep walks through finished recordings, oldest first, some at a time with a pause between, so that neither a
 * million of them nor a wrong rule holds up calls. It keeps nothing: after a restart it begins anew.
 */
import type { Asker } from '../audit/types.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import { type Decision, dayMs, decide, shortestDays } from './decide.ts'
import { RetentionError } from './failures.ts'
import type { Hold, HoldStore, NewRetentionRule, RetentionCase, RetentionRule, RetentionStore } from './types.ts'

/** Looked at between two pauses: some 10 ms of the main thread. */
const atATime = 100
const pauseMs = 20
/** The first sweep leaves a start the time to take up calls. */
const firstAfterMs = 60_000
/** A preview looks at so many recordings and then says that it is not complete. */
const mostPreviewed = 20_000

export interface RetentionDeps {
  readonly store: RetentionStore
  readonly holds: HoldStore
  readonly clock: Clock
  readonly log: Logger
  /** RECORDING_CLEANUP_DAYS as it is now; 0: for ever. */
  readonly settingDays: () => number
  /** Between two sweeps; 0: none by itself. */
  readonly everyMs: number
  /** Jobs were added. */
  readonly wake: () => void
}

const server: Asker = { who: 'server', via: 'server' }

export interface SweepResult {
  readonly looked: number
  readonly deleted: number
  readonly held: number
}

export interface Due {
  readonly recording: RetentionCase
  readonly decision: Decision
  readonly holds: readonly Hold[]
}

export interface Preview {
  /** What would go now, oldest first, as many as were asked for. */
  readonly items: readonly Due[]
  /** How many would go, and how many of them a hold keeps. */
  readonly due: number
  readonly held: number
  /** False: there are more recordings than a preview looks at. */
  readonly complete: boolean
}

export class Retention {
  readonly #deps: RetentionDeps
  #timer: Timer | undefined
  #sweeping: Promise<SweepResult> | undefined
  #closed = false

  constructor(deps: RetentionDeps) {
    this.#deps = deps
  }

  /** Sweep from now on. */
  start(): void {
    if (this.#deps.everyMs > 0) this.#sweepIn(Math.min(firstAfterMs, this.#deps.everyMs))
  }

  /** Resolves when nothing is looked at any more. Twice is fine. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#sweeping
  }

  rules(): Promise<readonly RetentionRule[]> {
    return this.#deps.store.rules()
  }

  async addRule(rule: NewRetentionRule): Promise<RetentionRule> {
    const added = { ...rule, id: newId(), createdAtMs: this.#deps.clock.wallMs() }
    await this.#deps.store.addRule(added)
    return added
  }

  /** @throws {RetentionError} `retention.rule-not-found` */
  async replaceRule(id: string, rule: NewRetentionRule): Promise<RetentionRule> {
    const replaced = { ...rule, id, createdAtMs: this.#deps.clock.wallMs() }
    if (!(await this.#deps.store.replaceRule(replaced))) throw new RetentionError('retention.rule-not-found')
    return replaced
  }

  /** @throws {RetentionError} `retention.rule-not-found` */
  async removeRule(id: string): Promise<void> {
    if (!(await this.#deps.store.removeRule(id))) throw new RetentionError('retention.rule-not-found')
  }

  /** Why a recording stays or goes; undefined when there is none, or it is deleted. */
  async why(recordingId: string): Promise<Due | undefined> {
    const { store, holds, settingDays } = this.#deps
    const recording = await store.case(recordingId)
    if (!recording) return undefined
    const decision = decide(recording, await store.rules(), settingDays())
    return { recording, decision, holds: await holds.onRecording(recordingId) }
  }

  /** What a sweep would delete now, with these rules instead of those that are kept. Changes nothing. */
  async preview(limit: number, rules?: readonly NewRetentionRule[]): Promise<Preview> {
    const wanted = rules?.map((rule, index) => ({ ...rule, id: `new-${index + 1}`, createdAtMs: 0 }))
    const items: Due[] = []
    let due = 0
    let held = 0
    const looked = await this.#walk(
      async (recording, decision) => {
        due++
        const holds = await this.#deps.holds.onRecording(recording.recordingId)
        if (holds.length > 0) held++
        if (items.length < limit) items.push({ recording, decision, holds })
      },
      wanted,
      mostPreviewed,
    )
    return { items, due, held, complete: looked < mostPreviewed }
  }

  /** Begin the deletion of all that is due; one sweep at a time. */
  sweep(): Promise<SweepResult> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined
    })
    return this.#sweeping
  }

  /**
   * Delete one recording because a person wants it.
   * @throws {RetentionError} `retention.held`, `retention.not-stored`
   */
  async delete(recordingId: string, why: string, asker: Asker): Promise<void> {
    const { store, holds, clock, wake } = this.#deps
    const entry = {
      ...asker,
      action: 'recording.deleted',
      subject: `recording:${recordingId}`,
      details: { by: 'person', why },
    }
    const begun = await store.beginDeletion(recordingId, entry, clock.wallMs())
    if (begun === 'held') throw new RetentionError('retention.held', whyHeld(await holds.onRecording(recordingId)))
    if (begun === 'gone') throw new RetentionError('retention.not-stored')
    wake()
  }

  #sweepIn(delayMs: number): void {
    this.#timer = this.#deps.clock.after(delayMs, () => void this.#sweepAndGoOn())
  }

  async #sweepAndGoOn(): Promise<void> {
    try {
      await this.sweep()
    } catch (error) {
      this.#deps.log.error('Recordings could not be looked through', { error: String(error) })
    }
    if (!this.#closed) this.#sweepIn(this.#deps.everyMs)
  }

  async #sweep(): Promise<SweepResult> {
    const { store, clock, log, wake } = this.#deps
    if ((await store.resume(clock.wallMs())) > 0) wake()
    let deleted = 0
    let held = 0
    const looked = await this.#walk(async (recording, { counts, keepUntilMs }) => {
      const { recordingId } = recording
      const details = { ...counts, keepUntilMs, endedAtMs: recording.endedAtMs }
      const entry = { ...server, action: 'recording.deleted', subject: `recording:${recordingId}`, details }
      const begun = await store.beginDeletion(recordingId, entry, clock.wallMs())
      if (begun === 'begun') deleted++
      if (begun === 'held') held++
      if (begun === 'begun') wake()
    })
    if (deleted > 0) log.info('Recordings whose time is over are deleted', { looked, deleted, held })
    return { looked, deleted, held }
  }

  /** @returns How many recordings were old enough to be looked at. */
  async #walk(
    take: (recording: RetentionCase, decision: Decision) => Promise<void>,
    given?: readonly RetentionRule[],
    most = Infinity,
  ): Promise<number> {
    const { store, clock, settingDays } = this.#deps
    const rules = given ?? (await store.rules())
    const days = settingDays()
    const shortest = shortestDays(rules, await store.shortestAsked(), days)
    if (shortest === undefined) return 0
    const nowMs = clock.wallMs()
    let behind: RetentionCase | undefined
    let looked = 0
    while (!this.#closed && looked < most) {
      const cases = await store.cases(nowMs - shortest * dayMs, behind, atATime)
      for (const recording of cases) {
        const decision = decide(recording, rules, days)
        if (decision.keepUntilMs !== undefined && decision.keepUntilMs <= nowMs) await take(recording, decision)
      }
      looked += cases.length
      behind = cases.at(-1)
      if (cases.length < atATime) break
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve))
    }
    return looked
  }
}

/** For a refusal: who holds it and why. */
export const whyHeld = (holds: readonly Hold[]): string =>
  holds.map(({ id, placedBy, why }) => `hold ${id} by ${placedBy}: ${why}`).join('; ')
