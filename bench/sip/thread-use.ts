/** CPU time of the threads of a process, from /proc; Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of CPU since the process began. Threads that have ended are in `all` only. */
export interface ThreadUse {
  readonly all: number
  /** The thread that speaks SIP. */
  readonly main: number
  readonly media: number
  /** V8's own threads: garbage collection, compilation. */
  readonly v8: number
}

export function threadUse(pid: number): ThreadUse {
  const use = { all: cpuMs(`/proc/${pid}`), main: 0, media: 0, v8: 0 }
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const task = `/proc/${pid}/task/${id}`
    const name = readFileSync(`${task}/comm`, 'utf8').trim()
    const kind =
      id === String(pid) ? 'main' : name.startsWith('media') ? 'media' : name.startsWith('V8') ? 'v8' : undefined
    if (kind) use[kind] += cpuMs(task)
  }
  return use
}

/** User and system time; the 14th and 15th field, in ticks of 10 ms. */
function cpuMs(folder: string): number {
  const stat = readFileSync(`${folder}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** @param scale Divide by it: calls. */
export const useBetween = (from: ThreadUse, to: ThreadUse, scale: number): ThreadUse => ({
  all: (to.all - from.all) / scale,
  main: (to.main - from.main) / scale,
  media: (to.media - from.media) / scale,
  v8: (to.v8 - from.v8) / scale,
})

export const residentMib = (pid: number): number =>
  (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 2 ** 20
