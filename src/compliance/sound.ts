/** Sound for an export: read from the folder, else from an archive; and why it could not be, in words that name nobody. */
import { join } from 'node:path'
import type { RecordingRecord } from '../call/history.ts'
import type { ByteSource } from '../sealing/container/byte-source.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import { findStored, openSource, openStored, plainName, type StoredFile, streamStored } from '../sealing/stored-file.ts'
import { codeOf } from './fault-code.ts'

export interface SoundDeps {
  readonly recordingDir: string
  readonly openKey: OpenKey
  /** Of a file that is not in the folder any more. */
  readonly copyOf: (recordingId: string, name: string) => Promise<ByteSource | undefined>
}

/** A file that the archive does not have, or has only the beginning of. */
export interface MissingFile {
  readonly file: string
  readonly why: string
}

export interface SoundFile {
  /** As it is called when it is decrypted. */
  readonly name: string
  /** @returns undefined when it is neither here nor in an archive. @throws {Error} Also while it is read. */
  readonly open: () => Promise<AsyncIterable<Buffer> | undefined>
}

export const nowhere = 'it is neither on the disk nor in an archive that is switched on'

export function soundOf({ id, files }: RecordingRecord, deps: SoundDeps): SoundFile[] {
  return files.map(({ name }) => ({
    name: plainName(name.slice(name.lastIndexOf('/') + 1)),
    open: async () => {
      const file = await openSound(id, name, deps)
      return file && streamStored(file)
    },
  }))
}

/** The file here, else its copy in an archive. */
async function openSound(
  recordingId: string,
  name: string,
  { recordingDir, openKey, copyOf }: SoundDeps,
): Promise<StoredFile | undefined> {
  if (name.split('/').includes('..')) return undefined
  const path = await findStored(join(recordingDir, name))
  if (path !== undefined) return openStored(path, { openKey })
  const copy = await copyOf(recordingId, name)
  return copy && openSource(copy, { openKey })
}

/** What no further attempt mends. */
const lasting = new Set([
  'archive.damaged',
  'archive.object-gone',
  'sealing.damaged',
  'sealing.key-missing',
  'sealing.key-refused',
  'sealing.unfinished',
  'sealing.unknown-version',
])

export const isLasting = (error: unknown): boolean => lasting.has(codeOf(error))

export const whyUnread = (error: unknown): string => `it cannot be read (${codeOf(error)})`
