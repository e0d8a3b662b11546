/** Joins the jobs to the facts they come from: what happens after a recording was stored. */
import type { Archive } from './archive/archive.ts'
import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import type { WorkOfFacts } from './database/journal.ts'
import type { Database } from './database/open.ts'
import type { FactBus } from './events/bus.ts'
import { Jobs } from './jobs/runner.ts'
import { joinArchive } from './join-archive.ts'
import { joinConvert } from './join-convert.ts'
import { proofStep } from './join-proof.ts'
import type { Proofs } from './proof/proofs.ts'
import { AfterRecording } from './recording/after.ts'
import type { RecordingKeys } from './recording/sealing.ts'

export interface JobSide {
  readonly jobs: Jobs
  readonly archive: Archive
  readonly work: WorkOfFacts
}

export async function joinJobs(deps: {
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  readonly database: Database
  readonly recordingDir: string
  readonly keys: RecordingKeys
  readonly proofs: Proofs
}): Promise<JobSide> {
  const { settings, clock, log, bus, database, proofs } = deps
  const jobs = new Jobs({ store: database.jobs, clock, log, bus })
  const { archive, steps } = await joinArchive({ ...deps, jobs })
  // In the order in which they are done: what is proven, and copied, is what is kept.
  const after = new AfterRecording([await joinConvert(deps), proofStep(proofs, settings.sealing.proof), ...steps])
  after.joinTo(jobs)
  return { jobs, archive, work: { jobsOf: (fact) => after.jobsOf(fact), added: () => jobs.wake() } }
}
