/**
 * What happens to a recording after `recording.stored`: the steps, in order, each a job that is tried until it is done.
 *
 *   recording.stored ── kept with its rows ─▶  first step ─▶ … ─▶ last step
 *
 * A step that is not wanted by the settings has no parts and is passed over. One with several parts (a copy in each
 * archive) runs them beside each other; the step behind it is begun after each of them, and does nothing until all are
 * done. Steps find out themselves what was done before: after a crash they are begun again. Jobs of a step that is switched
 * off meanwhile wait until it is switched on again, or somebody cancels them.
 */
import type { Fact } from '../events/catalogue.ts'
import type { JobContext, Jobs } from '../jobs/runner.ts'
import type { NewJob, Payload } from '../jobs/types.ts'

export interface AfterStep {
  /** The kind of its jobs: `recording.archive`, with the part behind it where there are several: `recording.archive.s3`. */
  readonly kind: string
  /** Names of what runs beside each other; `['']` when there is only one thing to do, none when there is nothing. */
  readonly parts: readonly string[]
  /** As `JobKind` has them. */
  readonly atATime?: number
  readonly attempts?: number
  readonly limitMs?: number
  run(what: StepRun, context: JobContext): Promise<void>
}

export interface StepRun {
  readonly recordingId: string
  /** One of the parts. */
  readonly part: string
  /** 1 the first time. */
  readonly attempt: number
  /** What an attempt before this one left with `remember`. */
  readonly payload: Payload
}

export class AfterRecording {
  readonly #steps: readonly AfterStep[]

  constructor(steps: readonly AfterStep[]) {
    this.#steps = steps
  }

  /** Of a fact: the first step that is wanted, when a recording was stored. */
  jobsOf(fact: Fact): readonly NewJob[] {
    return fact.name === 'recording.stored' ? this.#from(0, fact.recordingId) : []
  }

  /** Have the steps run. Before the jobs are started. */
  joinTo(jobs: Pick<Jobs, 'handle'>): void {
    this.#steps.forEach((step, index) => {
      const { kind, parts, atATime, attempts, limitMs } = step
      for (const part of parts)
        jobs.handle(kindOf(kind, part), {
          ...(atATime !== undefined && { atATime }),
          ...(attempts !== undefined && { attempts }),
          ...(limitMs !== undefined && { limitMs }),
          handler: async ({ key, payload, attempts: attempt }, context) => {
            await step.run({ recordingId: key, part, attempt, payload }, context)
            return this.#from(index + 1, key)
          },
        })
    })
  }

  #from(index: number, recordingId: string): NewJob[] {
    const step = this.#steps.slice(index).find(({ parts }) => parts.length > 0)
    if (!step) return []
    return step.parts.map((part) => ({
      kind: kindOf(step.kind, part),
      key: recordingId,
      subject: recordingId,
    }))
  }
}

/** Each part is a kind of its own: a store that is down holds up no other. */
const kindOf = (kind: string, part: string): string => (part === '' ? kind : `${kind}.${part}`)
