/** Keys and sealed files for tests. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { CipherName } from './container/layout.ts'
import type { OpenKey } from './container/reader.ts'
import { type Seal, Sealer } from './container/sealer.ts'
import { unwrapDataKey, wrapDataKey } from './keys/data-key.ts'
import type { MasterKey } from './keys/master-keys.ts'

export const testMaster = (id = 'test:1'): MasterKey => ({ id, key: randomBytes(32) })

export function testSeal(master: MasterKey, cipher: CipherName = 'AES-256-GCM', recordingId = 'recording-1'): Seal {
  const dataKey = randomBytes(32)
  return { cipher, recordingId, dataKey, key: wrapDataKey(master, dataKey, recordingId) }
}

export const opensWith =
  (master: MasterKey): OpenKey =>
  async (key, recordingId) =>
    unwrapDataKey(master, key, recordingId)

export interface Write {
  readonly position: number
  readonly bytes: Buffer
}

/** The file, and where each record begins, the end's last. */
export function sealedBytes(
  seal: Seal,
  writes: readonly Write[],
  name = 'x.wav',
): { bytes: Buffer; records: Buffer[] } {
  const sealer = new Sealer(seal, name, 1_700_000_000_000)
  const records = [...writes.map(({ bytes, position }) => sealer.write(bytes, position)), sealer.end()]
  return { bytes: Buffer.concat([sealer.start, ...records]), records }
}

export async function writeSealed(path: string, seal: Seal, writes: readonly Write[]): Promise<void> {
  await writeFile(path, sealedBytes(seal, writes).bytes)
}
