/**
 * Joins what has to do with the life of recordings: retention, holds, exports, erasures, labels, records of calls, with the
 * database, the jobs and the files.
 */
import { join, resolve } from 'node:path'
import type { LifeDeps } from './api/deps.ts'
import type { Archive } from './archive/archive.ts'
import { Erasures } from './compliance/erasures.ts'
import { Exports } from './compliance/exports.ts'
import { eraseJobKind, expireJobKind, exportJobKind } from './compliance/job-kinds.ts'
import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import { deleteJobKind } from './database/life/retention.ts'
import type { Database } from './database/open.ts'
import type { FactBus } from './events/bus.ts'
import type { Jobs } from './jobs/runner.ts'
import { deleteFiles } from './retention/delete-files.ts'
import { Holds } from './retention/holds.ts'
import { findOrphans } from './retention/orphans.ts'
import { Retention } from './retention/retention.ts'
import type { Deletion } from './retention/types.ts'
import type { OpenKey } from './sealing/container/reader.ts'

export interface LifeSide extends LifeDeps {
  /** What is erased is forgotten there too. */
  readonly onErased: (forget: (texts: readonly string[]) => void) => void
}

export type LifeSettings = Pick<Settings['recording'], 'cleanupDays' | 'cleanupEvery' | 'exportDir' | 'exportKeepDays'>

export interface LifeParts {
  readonly settings: LifeSettings
  readonly dataDir: string
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  readonly database: Database
  readonly jobs: Jobs
  readonly archive: Pick<Archive, 'remove' | 'open'>
  readonly recordingDir: string
  readonly openKey: OpenKey
}

/** Archives may be asked for many files, and stores are slow. */
const exportLimitMs = 24 * 3_600_000
const exportAttempts = 5
const mostAuditRecords = 1_000

/** Before the jobs are started. */
export function joinLife(parts: LifeParts): LifeSide {
  const { settings, clock, log, bus, database, jobs, archive, recordingDir, openKey } = parts
  const { retention: store, holds } = database
  const removeCopies = ({ recordingId }: Deletion): Promise<unknown> => archive.remove(recordingId)
  const settingDays = (): number => settings.cleanupDays
  const wake = (): void => jobs.wake()
  const cancelJobs = (recordingId: string): Promise<number> => jobs.cancelSubject(recordingId)
  jobs.handle(deleteJobKind, {
    handler: ({ key }) =>
      deleteFiles(key, { store, folder: recordingDir, openKey, bus, clock, removeCopies, cancelJobs }),
    atATime: 2,
    attempts: Infinity,
  })
  const forgetters: ((texts: readonly string[]) => void)[] = []
  const forgetTraces = (texts: readonly string[]): void => {
    const lower = texts.map((text) => text.toLowerCase())
    for (const forget of forgetters) forget(lower)
  }
  const exportDir = exportDirOf(settings, parts.dataDir)
  const exports = joinExports(parts, exportDir)
  const erasures = new Erasures({
    store: database.erasures,
    holds,
    recordingDir,
    openKey,
    exportDir,
    clock,
    bus,
    wake,
    removeCopies,
    copiesOf: async (recordingId) =>
      (await database.locations.of(recordingId))
        .filter(({ storedAtMs }) => storedAtMs > 0)
        .map(({ store: name }) => name),
    cancelJobs,
    forgetTraces,
  })
  jobs.handle(eraseJobKind, {
    handler: ({ key, payload }, context) =>
      erasures.run(key, context.signal, payload, (counts) => context.remember({ ...counts })),
    attempts: Infinity,
    limitMs: exportLimitMs,
  })
  return {
    retention: new Retention({ store, holds, clock, log, settingDays, everyMs: settings.cleanupEvery, wake }),
    holds: new Holds({ store: holds, clock }),
    exports,
    erasures,
    cdr: database.cdr,
    labels: database.labels,
    orphans: (limit) => findOrphans(recordingDir, store, clock.wallMs(), limit),
    settingDays,
    onErased: (forget) => void forgetters.push(forget),
  }
}

export const exportDirOf = ({ exportDir }: LifeSettings, dataDir: string): string =>
  resolve(exportDir === '' ? join(dataDir, 'exports') : exportDir)

function joinExports(
  { settings, clock, log, bus, database, jobs, archive, recordingDir, openKey }: LifeParts,
  folder: string,
): Exports {
  const exports = new Exports({
    store: database.exports,
    calls: (...asked) => database.erasures.calls(...asked),
    history: database.history,
    cdr: database.cdr,
    labels: database.labels,
    auditOf: (subject) => database.audit.list({ subject, limit: mostAuditRecords }),
    recordingDir,
    openKey,
    copyOf: (recordingId, name) => archive.open(recordingId, name),
    folder,
    keepDays: settings.exportKeepDays,
    clock,
    bus,
    wake: () => jobs.wake(),
  })
  jobs.handle(exportJobKind, {
    handler: ({ key, attempts }, { signal }) => exports.make(key, signal, attempts >= exportAttempts),
    attempts: exportAttempts,
    limitMs: exportLimitMs,
  })
  bus.on('job.failed', ({ kind, key }) => {
    if (kind !== exportJobKind) return
    exports
      .failed(key)
      .catch((error: unknown) => log.error('An export could not be marked as failed', { error: String(error) }))
  })
  jobs.handle(expireJobKind, { handler: ({ key }) => exports.expire(key), attempts: Infinity })
  return exports
}
