/** What all parts of the server stand on: settings, log, facts, the database, and the list of what to close. */
import { dirname, resolve } from 'node:path'
import { databasePath, takeFromFile } from './administration.ts'
import type { Archive } from './archive/archive.ts'
import { Audit } from './audit/audit.ts'
import { claimFolder } from './claim-folder.ts'
import { type Clock, systemClock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { LiveSettings } from './core/settings/live.ts'
import type { Settings } from './core/settings/schema.ts'
import { type Database, openDatabase } from './database/open.ts'
import { FactBus } from './events/bus.ts'
import type { Jobs } from './jobs/runner.ts'
import { joinJobs } from './join-jobs.ts'
import { joinLife, type LifeSide } from './join-life.ts'
import { joinProofs } from './join-proof.ts'
import { keyRingOf, recordingKeysOf } from './join-sealing.ts'
import { type KeptSessions, openKeptSessions } from './join-siprec.ts'
import { folderIsWritable, type HealthCheck } from './ops/health.ts'
import type { Proofs } from './proof/proofs.ts'
import type { RecordingKeys } from './recording/sealing.ts'

export interface Foundation {
  /** Of the start. */
  readonly settings: Settings
  /** In force: for what is read when it is needed (core/settings/live.ts). */
  readonly live: LiveSettings
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  readonly database: Database
  /** What still has to be done; started when all handlers are named. */
  readonly jobs: Jobs
  readonly audit: Audit
  /** Copies of finished recordings in stores. */
  readonly archive: Archive
  readonly life: LifeSide
  readonly recordingDir: string
  /** What recordings are sealed with, and read again. */
  readonly keys: RecordingKeys
  readonly proofs: Proofs
  readonly sessions: KeptSessions
  readonly recordingsWritable: HealthCheck
  /** Closed in reverse: who opens something pushes how to close it. */
  readonly closing: (() => Promise<unknown>)[]
}

/** @throws {DatabaseError | StartError} and what the file system throws. */
export async function layFoundation(
  live: LiveSettings,
  log: Logger,
  closing: Foundation['closing'],
): Promise<Foundation> {
  const settings = live.now
  const clock = systemClock
  const bus = new FactBus((error) => log.error('A listener of facts failed', { error: String(error) }))
  const recordingDir = resolve(settings.recording.dir)
  // A call whose recording has nowhere to go is found out now, not when it is lost.
  const recordingsWritable = folderIsWritable(recordingDir)
  await recordingsWritable()
  const ring = keyRingOf(settings, clock, log)
  closing.push(async () => ring.close())
  const keys = await recordingKeysOf(ring, settings)
  const path = databasePath(settings)
  const giveBack = claimFolder(resolve(dirname(path)))
  closing.push(async () => giveBack())
  const database = await openDatabase({ path, log })
  closing.push(() => database.close())
  const proofs = await joinProofs({ settings, database, openKey: keys.openKey, clock, bus })
  const { jobs, archive, work } = await joinJobs({ settings, clock, log, bus, database, recordingDir, keys, proofs })
  database.keep(bus, clock, work)
  closing.push(() => jobs.close())
  await takeFromFile(database.directory, settings.sip.realm, settings.extensions)
  const sessions = await openKeptSessions({ settings, clock, log, database })
  closing.push(() => sessions.keeper.close())
  await database.markInterrupted(
    clock.wallMs(),
    sessions.goingOn.map(({ id }) => id),
  )
  const audit = new Audit({ store: database.audit, clock, log })
  closing.push(async () => audit.close())
  const life = joinLife({
    settings: {
      get cleanupDays() {
        return live.now.recording.cleanupDays
      },
      cleanupEvery: settings.recording.cleanupEvery,
      exportDir: settings.recording.exportDir,
      exportKeepDays: settings.recording.exportKeepDays,
    },
    dataDir: settings.data.dir,
    clock,
    log,
    bus,
    database,
    jobs,
    archive,
    recordingDir,
    openKey: keys.openKey,
  })
  closing.push(() => life.retention.close())
  return {
    settings,
    live,
    clock,
    log,
    bus,
    database,
    jobs,
    archive,
    audit,
    life,
    recordingDir,
    keys,
    proofs,
    sessions,
    recordingsWritable,
    closing,
  }
}
