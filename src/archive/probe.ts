/** `patchbay doctor`: whether a store does what a copy of a recording needs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { randomHex } from '../core/random.ts'
import type { StoreInUse } from './archive.ts'
import { ArchiveError } from './failures.ts'
import { describeFile } from './local-file.ts'

const probeMs = 30_000

/** Write an object, read it, delete it. @returns Where it was. @throws {ArchiveError} */
export async function probe({ store, prefix }: StoreInUse): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-probe-'))
  // In the part of the prefix that is the same for all, where a policy may end.
  const fixed = prefix.replace(/(?:^|\/)[^/]*\{.*$/, '')
  const key = [fixed, `patchbay-probe-${randomHex(8)}`].filter(Boolean).join('/')
  const content = `written by patchbay doctor ${randomHex(8)}`
  try {
    const path = join(folder, 'probe')
    await writeFile(path, content)
    const file = await describeFile(path)
    await store.put(key, file, {
      contentType: 'text/plain',
      metadata: { sha256: file.sha256 },
      remember: () => Promise.resolve(),
      signal: AbortSignal.timeout(probeMs),
    })
    const back = await text(await store.open(key))
    await store.remove(key)
    if (back !== content) throw new ArchiveError('archive.damaged', store.uri(key))
    return store.uri(key)
  } finally {
    await rm(folder, { recursive: true })
  }
}
