/**
 * An archive in a folder: another disk, or a share that is mounted there.
 *
 * A file is copied under a name of its own, synced, read back and compared, then renamed: what has its true name is whole.
 */
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { ArchiveError, failureOf, wordsOf } from '../failures.ts'
import { describeFile } from '../local-file.ts'
import type { ArchiveStore, ByteRange, LocalFile, PutOptions, StoredObject } from '../types.ts'

const unfinished = '.unfinished'

export class LocalStore implements ArchiveStore {
  readonly name = 'local'
  readonly #folder: string

  /** @param folder Absolute. It is not made here: where a share is not mounted, its place must not be filled. */
  constructor(folder: string) {
    this.#folder = folder
  }

  uri(key: string): string {
    return pathToFileURL(this.#path(key)).href
  }

  async put(key: string, file: LocalFile, { signal }: PutOptions): Promise<void> {
    const path = this.#path(key)
    await this.#tell(async () => {
      await stat(this.#folder)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const temporary = `${path}${unfinished}`
      await copyFile(file.path, temporary)
      await sync(temporary)
      const copy = await describeFile(temporary, signal)
      if (copy.sha256 !== file.sha256) throw new ArchiveError('archive.damaged', key)
      await rename(temporary, path)
      await sync(dirname(path))
    })
  }

  async head(key: string): Promise<StoredObject | undefined> {
    return this.#tell(async () => {
      await stat(this.#folder)
      const path = this.#path(key)
      if (!(await isFile(path))) return undefined
      const { bytes, sha256 } = await describeFile(path)
      return { key, bytes, sha256 }
    })
  }

  async open(key: string, { from, until }: ByteRange = { from: 0 }): Promise<Readable> {
    return this.#tell(async () => {
      const path = this.#path(key)
      if (!(await isFile(path))) throw new ArchiveError('archive.object-gone', key)
      return createReadStream(path, { start: from, ...(until !== undefined && { end: until - 1 }) })
    })
  }

  async remove(key: string): Promise<void> {
    const path = this.#path(key)
    await this.#tell(async () => {
      await rm(path, { force: true })
      await rm(`${path}${unfinished}`, { force: true })
    })
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const entries = await this.#tell(() => readdir(this.#folder, { recursive: true, withFileTypes: true }))
    for (const entry of entries) {
      if (!entry.isFile() || entry.name.endsWith(unfinished)) continue
      const path = join(entry.parentPath, entry.name)
      const key = relative(this.#folder, path).split(sep).join('/')
      if (key.startsWith(prefix)) yield { key, bytes: (await stat(path)).size }
    }
  }

  #path(key: string): string {
    return join(this.#folder, ...key.split('/'))
  }

  async #tell<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof ArchiveError) throw error
      const { code } = error as NodeJS.ErrnoException
      const failure = code === 'ENOENT' ? 'archive.no-bucket' : failureOf(code, undefined)
      throw new ArchiveError(failure, wordsOf(error), { cause: error })
    }
  }
}

/** Of a folder too: a name survives a power cut only when its folder does. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
