/**
 * Erasure: everything of a call or a person is taken out of files, database, archives, jobs and exports, and what was
 * done is proved by a report that names nobody.
 *
 *   API, CLI ── preview ─▶ what would go, and why it would be refused
 *            ── begin ──▶  ErasureStore: row, audit, job in one transaction
 *   Jobs ── run ─▶  call by call: jobs, copies elsewhere, files, rows; then mentions, exports, the scan, the report
 *
 * What is done is gone, so a run that a crash cut off begins again with what is left. A legal hold that comes meanwhile
 * keeps what has not gone yet.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Asker } from '../audit/types.ts'
import type { Clock } from '../core/clock.ts'
import { newId } from '../core/random.ts'
import type { FactBus } from '../events/bus.ts'
import { belongings } from '../recording/belongings.ts'
import { removeLocal } from '../retention/delete-files.ts'
import { withItsFiles } from '../retention/never-finished.ts'
import { whyHeld } from '../retention/retention.ts'
import type { Deletion, HoldStore } from '../retention/types.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import { removeExportFile } from './exports.ts'
import { ComplianceError } from './failures.ts'
import { codeOf } from './fault-code.ts'
import { subjectOf, textsOf, type WantedSubject } from './subject.ts'
import type {
  ErasedCall,
  ErasureCounts,
  ErasurePreview,
  ErasureRecord,
  ErasureReport,
  ErasureStore,
  Remainder,
  Subject,
} from './types.ts'

const callsAtATime = 50
/** Calls that a preview names. */
const mostNamed = 100

export interface ErasureDeps {
  readonly store: ErasureStore
  readonly holds: HoldStore
  readonly recordingDir: string
  readonly openKey: OpenKey
  readonly exportDir: string
  readonly clock: Clock
  readonly bus: FactBus
  readonly wake: () => void
  /** As in `DeleteFilesDeps`. */
  readonly removeCopies: (deletion: Deletion) => Promise<unknown>
  readonly cancelJobs: (recordingId: string) => Promise<number>
  /** Stores that have a file of the recording, once for each file. */
  readonly copiesOf: (recordingId: string) => Promise<readonly string[]>
  /** Messages in memory that name one of the texts are forgotten. */
  readonly forgetTraces: (texts: readonly string[]) => void
}

export class Erasures {
  readonly #deps: ErasureDeps

  constructor(deps: ErasureDeps) {
    this.#deps = deps
  }

  /** What would go. Changes nothing. @throws {ComplianceError} `compliance.bad-person` */
  async preview(wanted: WantedSubject): Promise<ErasurePreview> {
    const subject = subjectOf(wanted)
    const items: { callId: string; startedAtMs: number; recordings: number }[] = []
    const counts = emptyCounts()
    const ids: string[] = []
    for await (const call of this.#calls(subject)) {
      await this.#count(call, counts)
      ids.push(call.callId)
      const { callId, startedAtMs, recordings } = call
      if (items.length < mostNamed) items.push({ callId, startedAtMs, recordings: recordings.length })
    }
    counts.mentions = await this.#deps.store.mentions(textsOf(subject), false, new Set(ids))
    counts.exports = (await this.#deps.store.exportsOf(subject, ids)).length
    const refused = await this.#refusal(subject)
    return { ...counts, items, ...(refused && { refused }) }
  }

  /** @throws {ComplianceError} `compliance.bad-person`, `compliance.nobody`, `compliance.held`, `compliance.call-live` */
  async begin(wanted: WantedSubject, why: string, asker: Asker): Promise<ErasureRecord> {
    const { store, clock, wake } = this.#deps
    const subject = subjectOf(wanted)
    const refused = await this.#refusal(subject)
    if (refused) throw new ComplianceError(refused.code, refused.detail)
    const [first] = await store.calls(subject, undefined, 1)
    if (!first && (await store.mentions(textsOf(subject), false)) === 0) throw new ComplianceError('compliance.nobody')
    const record: ErasureRecord = {
      id: newId(),
      kind: subject.kind,
      subject,
      state: 'running',
      askedBy: asker.who,
      askedAtMs: clock.wallMs(),
    }
    const details = { kind: subject.kind, why }
    await store.add(record, { ...asker, action: 'erasure.begun', subject: `erasure:${record.id}`, details })
    wake()
    return record
  }

  /** At the start, when the jobs of the last process wait again: what was promised is done, whoever cancelled its job. */
  async resume(): Promise<void> {
    await this.#deps.store.resume(this.#deps.clock.wallMs())
    this.#deps.wake()
  }

  list(limit: number): Promise<readonly ErasureRecord[]> {
    return this.#deps.store.list(limit)
  }

  /** @throws {ComplianceError} `compliance.erasure-not-found` */
  async find(id: string): Promise<ErasureRecord> {
    const record = await this.#deps.store.find(id)
    if (!record) throw new ComplianceError('compliance.erasure-not-found')
    return record
  }

  /**
   * The job.
   * @param before What the attempts before it took away, as `remember` was given it.
   * @throws When copies of a recording could not be removed; everything else is gone then.
   */
  async run(
    id: string,
    signal: AbortSignal,
    before: Partial<ErasureCounts>,
    remember: (counts: ErasureCounts) => Promise<void>,
  ): Promise<void> {
    const { store, clock, bus } = this.#deps
    const record = await store.find(id)
    if (!record?.subject || record.state !== 'running') return
    const { subject } = record
    const counts = { ...emptyCounts(), ...before }
    const gone: ErasedCall[] = []
    const failures: unknown[] = []
    let kept = 0
    for await (const found of this.#calls(subject)) {
      signal.throwIfAborted()
      if (found.live || !(await store.claim(found.callId))) {
        kept++
        continue
      }
      const after = { ...counts }
      let call = found
      const copies = await this.#copiesOf(found)
      try {
        call = await this.#withItsFiles(found)
        after.exports += await this.#removeExports(await store.exportsOf(subject, [call.callId]))
        await this.#count(call, after)
        await this.#removeCall(call, after)
        // Of those that were begun meanwhile. From now on none is made with it.
        after.exports += await this.#removeExports(await store.exportsOf(subject, [call.callId]))
      } catch (error) {
        // A store that does not answer keeps this one: the others need not wait for it.
        failures.push(error)
        counts.copies = sum(counts.copies, minus(copies, await this.#copiesOf(call)))
        await remember(counts)
        continue
      }
      Object.assign(counts, after)
      gone.push(call)
      await remember(counts)
    }
    if (failures.length > 0) {
      const why = `a file or copy could not be removed (${codeOf(failures[0])})`
      await store.setWaits(id, `${failures.length} calls are still there: ${why}`)
      throw new Error(`${failures.length} calls are still there`, { cause: failures[0] })
    }
    const texts = kept === 0 ? textsOf(subject) : []
    counts.mentions += texts.length > 0 ? await store.mentions(texts, true) : 0
    counts.exports += await this.#removeExports(await store.exportsOf(subject, []))
    if (subject.kind === 'person' && kept === 0) await store.forgetLiftedHolds(subject.keys)
    this.#deps.forgetTraces([...texts, ...gone.flatMap(({ sipCallIds }) => sipCallIds)])
    const left = await this.#remainders(subject, gone, kept)
    const report: ErasureReport = { ...counts, left, verified: left.length === 0 }
    const atMs = clock.wallMs()
    const details = { kind: subject.kind, report }
    const entry = { who: 'server', via: 'server', action: 'erasure.done', subject: `erasure:${id}`, details } as const
    await store.finish(id, left.length === 0 ? 'done' : 'incomplete', report, entry, atMs)
    // The subject stood in the row until now.
    const verified = (await this.#scrub(id, texts, report)) && report.verified
    bus.publish({ name: 'erasure.done', atMs, erasureId: id, calls: counts.calls, verified })
  }

  /** The bytes of the database file are the last that is looked at. @returns False when they still name the person. */
  async #scrub(id: string, texts: readonly string[], report: ErasureReport): Promise<boolean> {
    const { store, clock } = this.#deps
    const count = await store.scrub(texts)
    if (count === 0) return true
    const why = 'its bytes still hold the text: other data of yours that is like it, or pages that were not made anew'
    const left = [...report.left, { where: 'database file', count, why }]
    const details = { left }
    const entry = {
      who: 'server',
      via: 'server',
      action: 'erasure.remainder',
      subject: `erasure:${id}`,
      details,
    } as const
    await store.finish(id, 'incomplete', { ...report, left, verified: false }, entry, clock.wallMs())
    return false
  }

  /** All calls, also when those that were given are taken away meanwhile. */
  async *#calls(subject: Subject): AsyncGenerator<ErasedCall> {
    let behind: string | undefined
    for (;;) {
      const calls = await this.#deps.store.calls(subject, behind, callsAtATime)
      yield* calls
      behind = calls.at(-1)?.callId
      if (calls.length < callsAtATime) return
    }
  }

  async #refusal(subject: Subject) {
    for await (const { callId, live } of this.#calls(subject)) {
      const holds = await this.#deps.holds.onCalls([callId])
      if (holds.length > 0) {
        const detail = whyHeld(holds)
        return { code: 'compliance.held', detail, text: detail } as const
      }
      if (live) return { code: 'compliance.call-live', detail: undefined, text: 'a call lives' } as const
    }
    const keys = subject.kind === 'person' ? subject.keys : []
    const standing = (await this.#deps.holds.list(false)).filter((hold) => keys.includes(hold.subject))
    if (standing.length === 0) return undefined
    return { code: 'compliance.held', detail: whyHeld(standing), text: whyHeld(standing) } as const
  }

  async #count(call: ErasedCall, counts: Mutable<ErasureCounts>): Promise<void> {
    counts.calls++
    counts.recordings += call.recordings.length
    for (const { baseName, files } of call.recordings) counts.files += (await this.#filesOf(baseName, files)).length
    counts.copies = sum(counts.copies, await this.#copiesOf(call))
    counts.rows = sum(counts.rows, await this.#deps.store.rowsOf(call.callId))
  }

  async #copiesOf({ recordings }: ErasedCall): Promise<Numbers> {
    let copies: Numbers = {}
    for (const { recordingId } of recordings)
      for (const store of await this.#deps.copiesOf(recordingId)) copies = sum(copies, { [store]: 1 })
    return copies
  }

  /** Files first: as long as one is left, the database knows of it. */
  async #removeCall(call: ErasedCall, counts: Mutable<ErasureCounts>): Promise<void> {
    const { store, recordingDir, cancelJobs, removeCopies } = this.#deps
    const { callId } = call
    for (const recording of call.recordings) {
      counts.jobs += await cancelJobs(recording.recordingId)
      await removeCopies({ callId, ...recording })
      await removeLocal(recordingDir, recording)
    }
    await store.removeCall(callId)
  }

  async #withItsFiles(call: ErasedCall): Promise<ErasedCall> {
    const { recordingDir, openKey } = this.#deps
    const recordings: ErasedCall['recordings'][number][] = []
    for (const recording of call.recordings) recordings.push(await withItsFiles(recording, recordingDir, openKey))
    return { ...call, recordings }
  }

  async #removeExports(ids: readonly string[]): Promise<number> {
    const { exportDir, store } = this.#deps
    for (const id of ids) {
      await removeExportFile(exportDir, id)
      await store.removeExport(id)
      // Whoever made it meanwhile looked for its row before that was gone.
      await removeExportFile(exportDir, id)
    }
    return ids.length
  }

  async #filesOf(baseName: string, files: readonly string[]): Promise<string[]> {
    const there: string[] = []
    for (const name of new Set([...files, ...belongings(baseName, files)]))
      if (await stat(join(this.#deps.recordingDir, name)).catch(() => undefined)) there.push(name)
    return there
  }

  /** Looks everywhere once more. */
  async #remainders(subject: Subject, gone: readonly ErasedCall[], kept: number): Promise<Remainder[]> {
    const { store, recordingDir, exportDir } = this.#deps
    const left: Remainder[] = []
    const tell = (where: string, count: number, why: string): void => {
      if (count > 0) left.push({ where, count, why })
    }
    tell('calls', kept, 'a legal hold came meanwhile, or the call lives')
    let rows = 0
    let files = 0
    let copies = 0
    for (const call of gone) {
      const { callId, recordings } = call
      rows += inAll(await store.rowsOf(callId))
      copies += inAll(await this.#copiesOf(call))
      for (const { baseName, files: names } of recordings) files += (await this.#filesOf(baseName, names)).length
    }
    tell('database', rows, 'rows of erased calls are there again')
    tell('files', files, 'files of erased recordings are there again')
    tell('archive', copies, 'copies of erased recordings are there again')
    if (kept > 0) return left
    const texts = textsOf(subject)
    tell('database', await store.mentions(texts, false), 'messages of other calls that came meanwhile')
    for (const folder of [recordingDir, exportDir])
      tell(
        folder === recordingDir ? 'recordings' : 'exports',
        await countNames(folder, texts),
        'files named after the person belong to nothing that is known',
      )
    return left
  }
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }

/** By name of table or store. */
type Numbers = Readonly<Record<string, number>>

function sum(one: Numbers, other: Numbers): Numbers {
  const all = { ...one }
  for (const [name, number] of Object.entries(other)) all[name] = (all[name] ?? 0) + number
  return all
}

const minus = (one: Numbers, other: Numbers): Numbers =>
  Object.fromEntries(
    Object.entries(one)
      .map(([name, number]) => [name, number - (other[name] ?? 0)] as const)
      .filter(([, number]) => number > 0),
  )

const inAll = (numbers: Numbers): number => Object.values(numbers).reduce((all, number) => all + number, 0)

const emptyCounts = (): Mutable<ErasureCounts> => ({
  calls: 0,
  recordings: 0,
  files: 0,
  copies: {},
  rows: {},
  mentions: 0,
  exports: 0,
  jobs: 0,
})

async function countNames(folder: string, texts: readonly string[]): Promise<number> {
  if (texts.length === 0) return 0
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => texts.some((text) => name.toLowerCase().includes(text))).length
}
