/** Joins the jobs to the facts they come from: what happens after a recording was stored. */
import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import type { WorkOfFacts } from './database/journal.ts'
import type { Database } from './database/open.ts'
import type { FactBus } from './events/bus.ts'
import { Jobs } from './jobs/runner.ts'
import { proofStep } from './join-proof.ts'
import type { Proofs } from './proof/proofs.ts'
import { AfterRecording, type AfterStep } from './recording/after.ts'

export interface JobSide {
  readonly jobs: Jobs
  readonly work: WorkOfFacts
}

export function joinJobs({
  clock,
  log,
  bus,
  database,
  proofs,
  settings,
}: {
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  readonly database: Database
  readonly proofs: Proofs
}): JobSide {
  const jobs = new Jobs({ store: database.jobs, clock, log, bus })
  // In the order in which they are done.
  const steps: readonly AfterStep[] = [proofStep(proofs, settings.sealing.proof)]
  const after = new AfterRecording(steps)
  after.joinTo(jobs)
  return { jobs, work: { jobsOf: (fact) => after.jobsOf(fact), added: () => jobs.wake() } }
}
