/**
 * The database as a whole: open it, and every feature finds the stores it asked for.
 *
 *   pbx/ call/ auth/  declare stores ◀── implemented ── here ── SQL ──▶ sqlite/
 *   FactBus ── facts ──▶ journal ──▶ tables ──▶ call history
 */

import type { BackfillStore, LocationStore } from '../archive/locations.ts'
import type { AuditStore } from '../audit/types.ts'
import type { ApiKeyStore, SessionStore, UserStore } from '../auth/stores.ts'
import type { CallHistory } from '../call/history.ts'
import type { LabelStore } from '../call/labels.ts'
import type { CdrStore } from '../cdr/types.ts'
import type { ErasureStore, ExportStore } from '../compliance/types.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import type { JobStore } from '../jobs/types.ts'
import type { Directory } from '../pbx/directory.ts'
import type { ProofStore } from '../proof/types.ts'
import type { SoundFiles } from '../recording/convert/convert.ts'
import type { HoldStore, RetentionStore } from '../retention/types.ts'
import type { PeerStore } from '../siprec/peers/peer.ts'
import type { SessionStore as SiprecSessions } from '../siprec/survival/store.ts'
import { createApiKeyStore, createSessionStore, createUserStore } from './accounts.ts'
import { KeptDirectory } from './directory.ts'
import { createCallHistory } from './history.ts'
import { isKept, markInterrupted, memoriesOf } from './interrupted.ts'
import { KeptJobs } from './jobs.ts'
import { Journal, type WorkOfFacts } from './journal.ts'
import { createAuditStore } from './life/audit.ts'
import { createBackfillStore } from './life/backfill.ts'
import { createCdrStore } from './life/cdr.ts'
import { createErasureStore } from './life/erasures.ts'
import { createExportStore } from './life/exports.ts'
import { createHoldStore } from './life/holds.ts'
import { createLabelStore } from './life/labels.ts'
import { createProofStore } from './life/proofs.ts'
import { createRetentionStore } from './life/retention.ts'
import { createLocationStore } from './locations.ts'
import { migrate } from './migrate.ts'
import { KeptRegistrations } from './registrations.ts'
import { createPeerStore } from './siprec-peers.ts'
import { createSessionStoreOfSiprec } from './siprec-sessions.ts'
import { createSoundFiles } from './sound-files.ts'
import type { Checkpoints } from './sqlite/checkpoints.ts'
import { openSqlite } from './sqlite/open.ts'

export interface Database {
  readonly directory: Directory
  readonly registrations: KeptRegistrations
  readonly history: CallHistory
  readonly siprecPeers: PeerStore
  readonly siprecSessions: SiprecSessions
  readonly users: UserStore
  readonly apiKeys: ApiKeyStore
  readonly sessions: SessionStore
  readonly jobs: JobStore
  readonly locations: LocationStore
  readonly backfill: BackfillStore
  readonly soundFiles: SoundFiles
  readonly audit: AuditStore
  readonly proofs: ProofStore
  readonly retention: RetentionStore
  readonly holds: HoldStore
  readonly labels: LabelStore
  readonly cdr: CdrStore
  readonly exports: ExportStore
  readonly erasures: ErasureStore
  /**
   * Write the facts of `bus` from now on, and notice within a second when the command line changed the extensions.
   * Once. History then waits for what was told before it was asked.
   * @param work What has to be done because of facts; its jobs are kept with them.
   */
  keep(bus: FactBus, clock: Clock, work?: WorkOfFacts): Journal
  /**
   * Close calls that the last process left open; their ids. Before the first new call.
   * @param goingOn Ids of calls that are taken up: their facts go on where they stopped.
   */
  markInterrupted(nowMs: number, goingOn?: readonly string[]): Promise<readonly string[]>
  /** The rows of this recording's `recording.stored` are written, or it was deleted since. Waits for facts told so far. */
  isKept(recordingId: string): Promise<boolean>
  /** When the last process was seen last, to a second while calls lived; undefined in a new database. */
  lastSeenMs(): Promise<number | undefined>
  /** A cheap read, for the health check. */
  ping(): Promise<void>
  /** Write what is left, then close. Twice is fine. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** A file, or `:memory:`. */
  readonly path: string
  readonly log: Logger
}

const lookEveryMs = 1_000

/** @throws {DatabaseError} `database.cannot-open`, `database.newer-schema`, `database.migration-failed` */
export async function openDatabase({ path, log }: DatabaseOptions): Promise<Database> {
  const { db, foreignVersion, scrub, startCheckpoints } = openSqlite(path)
  try {
    await migrate(db)
    const directory = new KeptDirectory(db)
    await directory.reload()
    const registrations = new KeptRegistrations(db, log)
    let journal: Journal | undefined
    const settled = async (): Promise<void> => journal?.flush()
    let looking: Timer | undefined
    let checkpoints: Checkpoints | undefined
    let seenVersion = foreignVersion()
    const look = (clock: Clock): Timer =>
      clock.after(lookEveryMs, () => {
        looking = look(clock)
        const version = foreignVersion()
        if (version === seenVersion) return
        seenVersion = version
        directory.reload().catch((error: unknown) => log.error('The extensions could not be read', { error }))
      })
    return {
      directory,
      registrations,
      history: createCallHistory(db, settled),
      siprecPeers: createPeerStore(db),
      siprecSessions: createSessionStoreOfSiprec(db),
      users: createUserStore(db),
      apiKeys: createApiKeyStore(db),
      sessions: createSessionStore(db),
      audit: createAuditStore(db),
      retention: createRetentionStore(db, settled),
      holds: createHoldStore(db, settled),
      proofs: createProofStore(db, settled),
      labels: createLabelStore(db, settled),
      cdr: createCdrStore(db, settled),
      exports: createExportStore(db),
      erasures: createErasureStore(db, settled, scrub),
      jobs: new KeptJobs(db, settled),
      locations: createLocationStore(db, settled),
      backfill: createBackfillStore(db),
      soundFiles: createSoundFiles(db, settled),
      keep(bus, clock, work) {
        journal = new Journal({ db, bus, clock, log, work })
        registrations.keep(clock)
        looking = look(clock)
        checkpoints = startCheckpoints(clock, log)
        return journal
      },
      async markInterrupted(nowMs, goingOn = []) {
        for (const [callId, memory] of await memoriesOf(db, goingOn)) journal?.goOn(callId, memory)
        return markInterrupted(db, nowMs, goingOn)
      },
      async isKept(recordingId) {
        await settled()
        return isKept(db, recordingId)
      },
      async lastSeenMs() {
        const sign = await db.selectFrom('life_signs').select('at_ms').executeTakeFirst()
        return sign?.at_ms
      },
      async ping() {
        await db.selectFrom('life_signs').select('id').execute()
      },
      async close() {
        looking?.cancel()
        await journal?.close()
        await registrations.flush()
        // Before the one that writes: the last to close it writes the log back whole and removes it.
        await checkpoints?.close()
        await db.destroy()
      },
    }
  } catch (error) {
    await db.destroy()
    throw error
  }
}
