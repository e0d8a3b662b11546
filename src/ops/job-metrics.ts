/** Jobs as Prometheus sees them: how many wait, run and have failed, and what became of those that were run. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface JobCount {
  readonly kind: string
  readonly state: 'waiting' | 'running' | 'failed'
  readonly jobs: number
}

export interface JobEnds {
  readonly kind: string
  readonly done: number
  readonly retried: number
  readonly failed: number
}

export interface JobReadings {
  readonly jobs: () => Promise<readonly JobCount[]>
  readonly jobEnds: () => readonly JobEnds[]
}

export function readJobs(registry: Registry, { jobs, jobEnds }: JobReadings): void {
  const registers = [registry]
  const now: Gauge = new Gauge({
    name: 'patchbay_jobs',
    help: 'Jobs that wait, run, or have failed and are kept',
    labelNames: ['kind', 'state'],
    registers,
    async collect() {
      const counts = await jobs()
      now.reset()
      for (const { kind, state, jobs: count } of counts) now.set({ kind, state }, count)
    },
  })
  const ended: Counter = new Counter({
    name: 'patchbay_job_attempts_total',
    help: 'Attempts that ended: the job was done, is tried again (retried), or was given up (failed)',
    labelNames: ['kind', 'end'],
    registers,
    collect() {
      ended.reset()
      for (const { kind, ...ends } of jobEnds())
        for (const end of ['done', 'retried', 'failed'] as const) ended.inc({ kind, end }, ends[end])
    },
  })
}
