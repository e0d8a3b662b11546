/**
 * Files of a recording that was never finished: the database does not know them, the notes in `unfinished/` do. Without
 * them it would count as deleted while its legs lie on the disk, and the next start would put them together.
 */
import { findUnfinished } from '../recording/manifest.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import { RetentionError } from './failures.ts'

type Files = { readonly recordingId: string; readonly baseName: string; readonly files: readonly string[] }

/** As it is when the database knows its files. @throws {RetentionError} `retention.files-unknown` */
export async function withItsFiles<Known extends Files>(
  known: Known,
  folder: string,
  openKey: OpenKey,
): Promise<Known> {
  if (known.baseName !== '') return known
  const found = await findUnfinished(folder, known.recordingId, openKey)
  if (found === 'locked') throw new RetentionError('retention.files-unknown')
  if (!found) return known
  return { ...known, baseName: found.name, files: [...known.files, ...found.tracks.map(({ file }) => file)] }
}
