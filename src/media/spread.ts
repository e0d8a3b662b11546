/** On which media worker the next session goes: the least busy of those that run, as far as can be told. */
import type { WorkerStanding } from './types.ts'

/** What is known of a worker. */
export interface Load {
  readonly state: WorkerStanding['state']
  /** Share of a core, 0 to 1, over the last seconds. */
  readonly busy: number
  /** Sessions and ports on it now, and when that was read. */
  readonly parts: number
  readonly partsThen: number
}

/** Who runs comes first; with none of them, who will run soon. */
const readiness: Readonly<Record<WorkerStanding['state'], number>> = { running: 0, starting: 1, stalled: 2, lost: 3 }

/** Less is nobody's calls: a worker without any wakes up too. */
const idleBusy = 0.02
/** What a part takes at least, as a share of a core: those that came since the reading shall not all go to one worker. */
const leastCost = 0.001

/**
 * The one to take.
 *
 * Compared is how busy each will be: what was read, and for what came since, what a part takes on average. So a conference
 * or transcoded calls weigh what they cost; of workers with nothing to do the one with the fewest parts is taken.
 */
export function leastLoaded<Worker extends Load>(workers: readonly Worker[]): Worker | undefined {
  const sum = (of: (worker: Worker) => number): number => workers.reduce((total, worker) => total + of(worker), 0)
  const cost = Math.max(
    leastCost,
    sum(({ busy }) => busy) /
      Math.max(
        1,
        sum(({ partsThen }) => partsThen),
      ),
  )
  const expected = ({ busy, parts, partsThen }: Worker): number => Math.max(idleBusy, busy + (parts - partsThen) * cost)
  const order = (a: Worker, b: Worker): number =>
    readiness[a.state] - readiness[b.state] || expected(a) - expected(b) || a.parts - b.parts
  return workers.toSorted(order)[0]
}
