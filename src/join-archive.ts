/** Joins the archive: stores of the settings, the recordings' files, the jobs that copy them. */
import { Archive, coolKind, present } from './archive/archive.ts'
import { ArchiveError } from './archive/failures.ts'
import { openStores } from './archive/open-stores.ts'
import { type StoreName, storeNames } from './archive/types.ts'
import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Database } from './database/open.ts'
import type { FactBus } from './events/bus.ts'
import { HopelessError } from './jobs/failures.ts'
import type { Jobs } from './jobs/runner.ts'
import type { AfterStep } from './recording/after.ts'
import { belongings } from './recording/belongings.ts'
import { plainName } from './sealing/stored-file.ts'

export interface ArchiveSide {
  readonly archive: Archive
  /** What happens to a recording, in their order. */
  readonly steps: readonly AfterStep[]
}

/** What the archive itself writes beside a recording, and what is half written. */
const ours = /\.(?:locations|new)$/

/** The kind of the jobs that copy, with the store's name behind it. */
export const archiveKind = 'recording.archive'

/** A long recording over a slow line; what is there is not sent again. */
const uploadLimitMs = 6 * 3_600_000

export async function joinArchive(deps: {
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  readonly database: Database
  readonly recordingDir: string
  readonly jobs: Jobs
}): Promise<ArchiveSide> {
  const { settings, clock, log, bus, database, recordingDir: folder, jobs } = deps
  const { keepLocal, verify, uploads, coldAfter } = settings.storage
  const archive = new Archive({
    stores: await openStores(settings.storage, clock),
    locations: database.locations,
    folder,
    filesOf: ({ baseName, files }) =>
      present(
        folder,
        belongings(baseName, files).filter((name) => !ours.test(name)),
      ),
    plainName,
    keepLocal,
    readBack: verify === 'read',
    coldAfterMs: coldAfter,
    addJobs: (added) => jobs.add(added),
    clock,
    bus,
    log,
  })
  bus.on('archive.recovered', ({ store }) => void jobs.hurry(`${archiveKind}.${store}`))
  jobs.handle(coolKind, {
    attempts: Infinity,
    handler: async ({ key }) => {
      const [recordingId = '', store = ''] = key.split('/')
      if (isStore(store)) await archive.cool(recordingId, store)
    },
  })
  return {
    archive,
    steps: [
      {
        kind: archiveKind,
        parts: archive.stores,
        atATime: uploads,
        // A store that is down for a week comes back.
        attempts: Infinity,
        limitMs: uploadLimitMs,
        run: async ({ recordingId, part, payload }, context) => {
          if (isStore(part)) await archive.store(recordingId, part, payload, context).catch(withoutHope)
        },
      },
      {
        kind: 'recording.remove-local',
        parts: keepLocal || archive.stores.length === 0 ? [] : [''],
        attempts: Infinity,
        run: ({ recordingId }) => archive.removeLocal(recordingId),
      },
    ],
  }
}

const isStore = (name: string): name is StoreName => (storeNames as readonly string[]).includes(name)

/** What is gone from the disk does not come back. */
function withoutHope(error: unknown): never {
  if (error instanceof ArchiveError && error.code === 'archive.file-gone')
    throw new HopelessError(error.message, { cause: error })
  throw error
}
