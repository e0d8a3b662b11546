/**
 * Files in the folder of recordings that belong to none: told, never deleted. Somebody may have put them there, or the
 * database may have been restored from a backup that is older than they are.
 */
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { stemOf } from '../recording/belongings.ts'
import type { RetentionStore } from './types.ts'

export interface OrphanFile {
  readonly name: string
  readonly bytes: number
  readonly changedAtMs: number
}

export interface Orphans {
  readonly items: readonly OrphanFile[]
  /** False: there are more. */
  readonly complete: boolean
}

const namesAtATime = 200
/** What was written to lately belongs to a call that lives. */
const quietMs = 3_600_000

export async function findOrphans(
  folder: string,
  store: Pick<RetentionStore, 'known'>,
  nowMs: number,
  limit: number,
): Promise<Orphans> {
  const items: OrphanFile[] = []
  let names: string[] = []
  const look = async (): Promise<void> => {
    for (const name of await unknown(names, store)) {
      const file = await stat(join(folder, name)).catch(() => undefined)
      if (file?.isFile() && nowMs - file.mtimeMs > quietMs)
        items.push({ name, bytes: file.size, changedAtMs: Math.round(file.mtimeMs) })
    }
    names = []
  }
  for await (const entry of await opendir(folder)) {
    if (!entry.isFile()) continue
    names.push(entry.name)
    if (names.length >= namesAtATime) await look()
    if (items.length > limit) break
  }
  await look()
  return { items: items.slice(0, limit), complete: items.length <= limit }
}

/** A sidecar belongs to the file or the recording that it is named after. */
async function unknown(names: readonly string[], store: Pick<RetentionStore, 'known'>): Promise<string[]> {
  const stems = names.map(stemOf)
  const known = await store.known([...new Set([...names, ...stems, ...stems.map((stem) => `${stem}.wav`)])])
  return names.filter((name, index) => {
    const stem = stems[index] ?? name
    return !known.has(name) && !known.has(stem) && !known.has(`${stem}.wav`)
  })
}
