/**
 * Ends a sealed file that a crash cut off: what can be read stays, something may be written over it, and the end is put to
 * it. Done under a key of its own (see record-cipher.ts). Doing it again after another crash is fine.
 */
import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { saltBytes, tagBytes } from './layout.ts'
import type { SealedReader } from './reader.ts'
import { RecordCipher, recordKey, tagBeforeAll } from './record-cipher.ts'

export interface LastWords {
  /** Written over what is there, such as a header with the lengths. */
  readonly patches?: readonly { readonly bytes: Uint8Array; readonly position: number }[]
  /** How long the plain file is from now on. */
  readonly size: number
}

/**
 * @param file Open for writing; synced when this resolves. What stands behind the last record that can be read is cut off.
 * @param reader Of that file; of no use afterwards.
 */
export async function endSealed(
  file: FileHandle,
  reader: SealedReader,
  { patches = [], size }: LastWords,
): Promise<void> {
  const { head, dataKey, cipher, number, at, ended } = reader.continuation()
  if (ended) return file.truncate(at)
  const before = Buffer.alloc(tagBytes)
  if (number === 0) tagBeforeAll(head).copy(before)
  else await file.read(before, 0, tagBytes, at - tagBytes)
  const salt = randomBytes(saltBytes)
  const key = recordKey(dataKey, salt, head)
  const records = new RecordCipher({ cipher, number, before }, key)
  const parts = [records.resume(salt, key)]
  for (const { bytes, position } of patches) parts.push(records.seal('data', position, bytes))
  parts.push(records.seal('end', size))
  const bytes = Buffer.concat(parts)
  await file.truncate(at)
  await file.write(bytes, 0, bytes.length, at)
  await file.sync()
}
