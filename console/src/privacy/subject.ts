/** What an administrator typed, as the API takes it, and the counts of an erasure in words. Pure. */
import type { ErasurePreview, ErasureRequest } from '../../../src/api/schemas/compliance.ts'

export type Subject = Pick<ErasureRequest, 'callId' | 'person'>

/** Undefined when nothing was typed. */
export function subjectOf(kind: 'person' | 'call', typed: string): Subject | undefined {
  const parts = typed
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const [first] = parts
  if (first === undefined) return undefined
  return kind === 'call' ? { callId: typed.trim() } : { person: parts.length === 1 ? first : parts }
}

type Counts = Pick<
  ErasurePreview,
  'calls' | 'recordings' | 'files' | 'copies' | 'rows' | 'mentions' | 'exports' | 'jobs'
>

const inAll = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

/** `2 calls, 1 recording, 3 files, 40 rows of the database`: what is none is left out, calls stand always. */
export function countsText({ calls, recordings, files, copies, rows, mentions, exports, jobs }: Counts): string {
  const parts: readonly (readonly [number, string, string])[] = [
    [recordings, 'recording', 'recordings'],
    [files, 'file', 'files'],
    [inAll(copies), 'copy in archives', 'copies in archives'],
    [inAll(rows), 'row of the database', 'rows of the database'],
    [mentions, 'mention in calls of others', 'mentions in calls of others'],
    [exports, 'export', 'exports'],
    [jobs, 'job', 'jobs'],
  ]
  const there = parts.filter(([count]) => count > 0)
  return [[calls, 'call', 'calls'] as const, ...there]
    .map(([count, one, many]) => `${count} ${count === 1 ? one : many}`)
    .join(', ')
}
