/** Joins what has to do with the life of recordings: retention, holds, labels, records of calls; database, jobs, files. */
import type { LifeDeps } from './api/deps.ts'
import type { Archive } from './archive/archive.ts'
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

export type LifeSide = LifeDeps

export interface LifeParts {
  readonly settings: Pick<Settings['recording'], 'cleanupDays' | 'cleanupEvery'>
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  readonly database: Pick<Database, 'retention' | 'holds' | 'labels' | 'cdr'>
  readonly jobs: Jobs
  readonly archive: Pick<Archive, 'remove'>
  readonly recordingDir: string
}

/** Before the jobs are started. */
export function joinLife({ settings, clock, log, bus, database, jobs, archive, recordingDir }: LifeParts): LifeSide {
  const { retention: store, holds } = database
  const settingDays = (): number => settings.cleanupDays
  const everyMs = settings.cleanupEvery
  const wake = (): void => jobs.wake()
  jobs.handle(deleteJobKind, {
    handler: ({ key }) =>
      deleteFiles(key, {
        store,
        folder: recordingDir,
        bus,
        clock,
        removeCopies: () => archive.remove(key),
        cancelJobs: (recordingId) => jobs.cancelSubject(recordingId),
      }),
    atATime: 2,
    attempts: Infinity,
  })
  return {
    retention: new Retention({ store, holds, clock, log, settingDays, everyMs, wake }),
    holds: new Holds({ store: holds, clock }),
    cdr: database.cdr,
    labels: database.labels,
    orphans: (limit) => findOrphans(recordingDir, store, clock.wallMs(), limit),
    settingDays,
  }
}
