/**
 * `patchbay archive backfill`: jobs for recordings that were stored before archiving, or proof, was switched on.
 *
 *   database ── those that lack something, some at a time ─▶  here  ── jobs, behind those of new recordings ─▶ database
 *
 * Where the proof is missing too, its job alone is added: the copies are the step behind it.
 */
import { resolve } from 'node:path'
import { present } from './archive/archive.ts'
import type { Lacking } from './archive/locations.ts'
import { storesOn } from './archive/open-stores.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Database } from './database/open.ts'
import type { NewJob } from './jobs/types.ts'
import { archiveKind } from './join-archive.ts'
import { proveKind } from './join-proof.ts'

export interface Backfilled {
  /** That lack something and are on the disk. */
  readonly recordings: number
  readonly jobs: number
  /** Ids of recordings that lack something, and a file of theirs is not on the disk; the first of them. */
  readonly gone: readonly string[]
  readonly goneInAll: number
}

/** Looked at, and added, in one transaction. */
const batch = 200
const mostNamed = 20

/** @param nowMs Undefined: only look. */
export async function backfill(
  settings: Settings,
  { jobs, backfill: store }: Pick<Database, 'jobs' | 'backfill'>,
  nowMs: number | undefined,
): Promise<Backfilled> {
  const wanted = { stores: storesOn(settings.storage), proof: settings.sealing.proof }
  const folder = resolve(settings.recording.dir)
  const gone: string[] = []
  const sum = { recordings: 0, jobs: 0, goneInAll: 0 }
  for (let behind: string | undefined = ''; behind !== undefined; ) {
    const page = await store.lacking(wanted, behind, batch)
    const added: NewJob[] = []
    for (const recording of page.recordings) {
      const { recordingId, files } = recording
      if ((await present(folder, files)).length < files.length) {
        sum.goneInAll++
        if (gone.length < mostNamed) gone.push(recordingId)
        continue
      }
      sum.recordings++
      added.push(...jobsFor(recording))
    }
    sum.jobs += added.length
    if (nowMs !== undefined) await jobs.add(added, nowMs)
    behind = page.behind
  }
  return { ...sum, gone }
}

function jobsFor({ recordingId, stores, proof }: Lacking): readonly NewJob[] {
  const kinds = proof ? [proveKind] : stores.map((name) => `${archiveKind}.${name}`)
  return kinds.map((kind) => ({ kind, key: recordingId, subject: recordingId, priority: 'idle' }))
}
