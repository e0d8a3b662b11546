/**
 * The job that removes what a recording consists of: copies in archives first, then the files here, then the row says
 * that it is deleted. Begun again after a crash it finds the rest.
 */
import { rm } from 'node:fs/promises'
import { join, normalize, sep } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { FactBus } from '../events/bus.ts'
import { belongings } from '../recording/belongings.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import { withItsFiles } from './never-finished.ts'
import type { Deletion, RetentionStore } from './types.ts'

export interface DeleteFilesDeps {
  readonly store: Pick<RetentionStore, 'deletion' | 'endDeletion'>
  readonly folder: string
  readonly openKey: OpenKey
  readonly bus: FactBus
  readonly clock: Clock
  /** Removes its copies elsewhere; throws when one is still there, and is asked again later. */
  readonly removeCopies: (deletion: Deletion) => Promise<unknown>
  /** What else was to be done about it is done no more: archiving, conversion. */
  readonly cancelJobs: (recordingId: string) => Promise<unknown>
}

export async function deleteFiles(recordingId: string, deps: DeleteFilesDeps): Promise<void> {
  const { store, folder, bus, clock } = deps
  const deletion = await store.deletion(recordingId)
  if (!deletion) return
  await deps.cancelJobs(recordingId)
  await deps.removeCopies(deletion)
  await removeLocal(folder, await withItsFiles(deletion, folder, deps.openKey))
  const atMs = clock.wallMs()
  await store.endDeletion(recordingId, atMs)
  bus.publish({ name: 'recording.deleted', atMs, callId: deletion.callId, recordingId })
}

/** What is not there is no fault. @throws What the file system throws otherwise. */
export async function removeLocal(folder: string, { baseName, files }: Omit<Deletion, 'callId'>): Promise<void> {
  for (const name of [...files, ...belongings(baseName, files)]) {
    if (normalize(name).split(sep).includes('..')) continue
    await rm(join(folder, name), { force: true })
    await rm(join(folder, 'unfinished', name), { force: true })
  }
}
