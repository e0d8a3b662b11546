/**
 * Exports: everything of a call or a person as one archive, made in the background, kept for some days.
 *
 *   API, CLI ── request ─▶  ExportStore: row, audit, job in one transaction
 *   Jobs ── make ─▶  archive.ts ─▶ <folder>/<id>.zip, for its owner alone
 *        ── expire ─▶  the file is gone, the row says so
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Asker } from '../audit/types.ts'
import type { Clock } from '../core/clock.ts'
import { newId } from '../core/random.ts'
import type { FactBus } from '../events/bus.ts'
import { type ArchiveDeps, type ArchiveRequest, type WrittenArchive, writeArchive } from './archive.ts'
import { ComplianceError } from './failures.ts'
import { expireJobKind } from './job-kinds.ts'
import type { MissingFile } from './sound.ts'
import { subjectOf, type WantedSubject } from './subject.ts'
import type { ErasureStore, ExportRecord, ExportStore, Subject } from './types.ts'

const dayMs = 86_400_000
const callsAtATime = 200
/** How often a row says how far it is. */
const tellEvery = 20

export interface ExportDeps extends ArchiveDeps {
  readonly store: ExportStore
  readonly calls: ErasureStore['calls']
  readonly folder: string
  readonly keepDays: number
  readonly clock: Clock
  readonly bus: FactBus
  readonly wake: () => void
}

/** What follows from a job. */
interface Follow {
  readonly kind: string
  readonly key: string
  readonly notBeforeMs: number
}

export class Exports {
  readonly #deps: ExportDeps

  constructor(deps: ExportDeps) {
    this.#deps = deps
  }

  /** @throws {ComplianceError} `compliance.bad-person`, `compliance.nobody` */
  async request(wanted: WantedSubject, asker: Asker): Promise<ExportRecord> {
    const { store, calls, clock, wake } = this.#deps
    const subject = subjectOf(wanted)
    if ((await calls(subject, undefined, 1)).length === 0) throw new ComplianceError('compliance.nobody')
    const record: ExportRecord = {
      id: newId(),
      subject,
      state: 'waiting',
      askedBy: asker.who,
      askedAtMs: clock.wallMs(),
      done: 0,
      total: 0,
    }
    const details = subject.kind === 'call' ? subject : { kind: 'person' }
    await store.add(record, { ...asker, action: 'export.requested', subject: `export:${record.id}`, details })
    wake()
    return record
  }

  list(limit: number): Promise<readonly ExportRecord[]> {
    return this.#deps.store.list(limit)
  }

  /** @throws {ComplianceError} `compliance.export-not-found` */
  async find(id: string): Promise<ExportRecord> {
    const record = await this.#deps.store.find(id)
    if (!record) throw new ComplianceError('compliance.export-not-found')
    return record
  }

  /** Where the archive lies. @throws {ComplianceError} `compliance.export-not-found`, `compliance.export-not-ready` */
  async fileOf(id: string): Promise<{ readonly folder: string; readonly name: string }> {
    const { state } = await this.find(id)
    const { folder } = this.#deps
    const there = await stat(this.#path(id)).catch(() => undefined)
    if (state !== 'ready' || !there) throw new ComplianceError('compliance.export-not-ready')
    return { folder, name: `${id}.zip` }
  }

  /** The job. @param last It is not tried again: what cannot be read now is told of in the archive. */
  async make(id: string, signal: AbortSignal, last: boolean): Promise<readonly Follow[]> {
    const { store, clock, bus, folder, keepDays } = this.#deps
    const record = await store.find(id)
    if (!record || record.state === 'ready' || record.state === 'expired') return []
    await store.change(id, { state: 'running' })
    const callIds = await this.#callsOf(record.subject)
    await store.setCalls(id, callIds)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = this.#path(id)
    const about = { exportId: id, subject: record.subject, madeAt: new Date(clock.wallMs()).toISOString() }
    const progress = (done: number, total: number): void => this.#progress(id, done, total)
    const request = { path: `${path}.new`, callIds, about, signal, progress, last }
    const { missing, ...written } = await this.#write(id, request)
    await rename(`${path}.new`, path)
    if (!(await store.find(id))) {
      // Somebody in it was erased meanwhile.
      await removeExportFile(folder, id)
      return []
    }
    const expiresAtMs = clock.wallMs() + keepDays * dayMs
    await store.change(id, {
      state: 'ready',
      expiresAtMs,
      ...written,
      ...(missing.length > 0 && { missing: missing.length }),
    })
    bus.publish({
      name: 'export.ready',
      atMs: clock.wallMs(),
      exportId: id,
      calls: callIds.length,
      bytes: written.bytes,
    })
    return [{ kind: expireJobKind, key: id, notBeforeMs: expiresAtMs }]
  }

  /** Its job was given up. */
  async failed(id: string): Promise<void> {
    await this.#deps.store.change(id, { state: 'failed' })
  }

  /**
   * Straight into a file of whoever asks, without a row; for the command line, which puts it into the audit record.
   * @throws {ComplianceError} `compliance.bad-person`, `compliance.nobody`
   */
  async writeTo(
    path: string,
    wanted: WantedSubject,
    signal: AbortSignal,
  ): Promise<{ readonly calls: number; readonly missing: readonly MissingFile[] }> {
    const subject = subjectOf(wanted)
    const callIds = await this.#callsOf(subject)
    if (callIds.length === 0) throw new ComplianceError('compliance.nobody')
    const about = { subject, madeAt: new Date(this.#deps.clock.wallMs()).toISOString() }
    const request = { path, callIds, about, signal, progress: () => {}, last: true }
    const { missing } = await writeArchive(request, this.#deps)
    return { calls: callIds.length, missing }
  }

  /** The job, and what a person asks for: the file is gone. */
  async expire(id: string): Promise<void> {
    await removeExportFile(this.#deps.folder, id)
    await this.#deps.store.change(id, { state: 'expired' })
  }

  #progress(id: string, done: number, total: number): void {
    if (done % tellEvery !== 0 && done !== total) return
    // How far it is, is no reason to fail.
    this.#deps.store.change(id, { done, total }).catch(() => {})
  }

  async #write(id: string, request: ArchiveRequest): Promise<WrittenArchive> {
    try {
      return await writeArchive(request, this.#deps)
    } catch (error) {
      await rm(request.path, { force: true })
      await this.#deps.store.change(id, { state: 'waiting', error: String(error) })
      throw error
    }
  }

  async #callsOf(subject: Subject): Promise<string[]> {
    const ids: string[] = []
    let behind: string | undefined
    for (;;) {
      const calls = await this.#deps.calls(subject, behind, callsAtATime)
      behind = calls.at(-1)?.callId
      ids.push(...calls.filter(({ live }) => !live).map(({ callId }) => callId))
      if (calls.length < callsAtATime) return ids
    }
  }

  #path(id: string): string {
    return join(this.#deps.folder, `${id}.zip`)
  }
}

/** Twice is fine. */
export async function removeExportFile(folder: string, id: string): Promise<void> {
  await rm(join(folder, `${id}.zip`), { force: true })
  await rm(join(folder, `${id}.zip.new`), { force: true })
}
