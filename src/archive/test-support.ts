/** What every archive has to do, whichever store it is. For tests. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type TestContext, type TestOptions, test } from 'node:test'
import { ArchiveError } from './failures.ts'
import { describeFile } from './local-file.ts'
import type { ArchiveStore, ByteRange, LocalFile, PutOptions, Resume, StoredObject, StoreName } from './types.ts'

/** A file of random bytes in a folder of its own. */
export function someFile(t: TestContext, bytes: number): { readonly path: string; readonly content: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-archive-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const content = randomBytes(bytes)
  const path = join(folder, 'a recording.wav')
  writeFileSync(path, content)
  return { path, content }
}

export interface Puts extends PutOptions {
  /** What the store asked to be remembered last. */
  readonly kept: () => Resume | undefined
}

export function putOptions(file: LocalFile, changes: Partial<PutOptions> = {}): Puts {
  let kept = changes.resume
  return {
    contentType: 'audio/wav',
    metadata: { sha256: file.sha256, recording: 'Xk3v9QbA' },
    remember: (resume) => {
      kept = resume
      return Promise.resolve()
    },
    signal: AbortSignal.timeout(60_000),
    ...changes,
    kept: () => kept,
  }
}

export const hasCode =
  (...codes: readonly ArchiveError['code'][]) =>
  (error: unknown): boolean => {
    assert.ok(codes.includes((error as ArchiveError).code), String((error as Error).stack))
    return true
  }

async function put(
  t: TestContext,
  store: ArchiveStore,
  to: string,
  bytes: number,
): Promise<{ file: LocalFile; content: Buffer }> {
  const { path, content } = someFile(t, bytes)
  const file = await describeFile(path)
  await store.put(to, file, putOptions(file))
  return { file, content }
}

/** Longer than one part. */
const longBytes = (17 << 20) + 12_345

/**
 * @param prefix Keys begin with this.
 * @param open The same store each time; called within a test.
 * @param options Of each test, where the store may be missing.
 */
export function storeContract(
  name: string,
  prefix: string,
  open: (t: TestContext) => Promise<ArchiveStore>,
  options: TestOptions = {},
): void {
  const key = (rest: string): string => `${prefix}${rest}`
  for (const [what, bytes] of [
    ['a short file', 100_000],
    ['a file of no bytes', 0],
    ['a file of several parts', longBytes],
  ] as const)
    test(`${name}: ${what} is there as it was, with its hash`, options, async (t) => {
      const store = await open(t)
      const to = key(`2026/11/20/whole-${bytes}.wav`)
      assert.equal(await store.head(to), undefined)
      const { file, content } = await put(t, store, to, bytes)
      assert.deepEqual(await store.head(to), { key: to, bytes, sha256: file.sha256 })
      const back = await buffer(await store.open(to))
      assert.equal(createHash('sha256').update(back).digest('hex'), file.sha256)
      if (bytes === 0) return
      assert.deepEqual(
        await buffer(await store.open(to, { from: 1_000, until: 1_010 })),
        content.subarray(1_000, 1_010),
      )
      assert.deepEqual(await buffer(await store.open(to, { from: bytes - 5 })), content.subarray(-5))
    })

  test(`${name}: a file that is put again takes the place of the one before`, options, async (t) => {
    const store = await open(t)
    const to = key('twice.wav')
    await put(t, store, to, 2_000)
    const { content } = await put(t, store, to, 1_000)
    assert.deepEqual(await buffer(await store.open(to)), content)
    assert.deepEqual(
      (await all(store.list(to))).map(({ bytes }) => bytes),
      [1_000],
    )
  })

  test(
    `${name}: names with spaces, percent signs and letters of all kinds come back as they are`,
    options,
    async (t) => {
      const store = await open(t)
      const names = ['B2B.160%3A11_0+x.wav', 'Ärmel & Söhne.wav', "it's (1) #2.wav"].map((one) => key(`names/${one}`))
      for (const to of names) await put(t, store, to, 10)
      assert.deepEqual((await all(store.list(key('names/')))).map((found) => found.key).toSorted(), names.toSorted())
      for (const to of names) assert.equal((await buffer(await store.open(to))).length, 10)
    },
  )

  test(`${name}: what is removed is gone, and removing it again is fine`, options, async (t) => {
    const store = await open(t)
    const to = key('gone.wav')
    const beside = key('gone.wav.json')
    await put(t, store, to, 1_000)
    await put(t, store, beside, 10)
    await store.remove(to)
    await store.remove(to)
    assert.equal(await store.head(to), undefined)
    await assert.rejects(async () => buffer(await store.open(to)), hasCode('archive.object-gone'))
    assert.deepEqual(
      (await all(store.list(to))).map((found) => found.key),
      [beside],
    )
  })

  test(
    `${name}: an upload that was aborted leaves no part of an object, and the next attempt ends it`,
    options,
    async (t) => {
      const store = await open(t)
      const to = key('aborted.wav')
      const { path, content } = someFile(t, longBytes)
      const file = await describeFile(path)
      const abort = new AbortController()
      const first = putOptions(file, { signal: abort.signal })
      const sending = store.put(to, file, first)
      setTimeout(() => abort.abort(new Error('stop')), 60)
      await sending.catch(() => {})
      // It may have come in time; what never is there is a part of it.
      const left = await store.head(to)
      if (left) assert.deepEqual([left.bytes, left.sha256], [file.bytes, file.sha256])
      await store.put(to, file, putOptions(file, { resume: first.kept() }))
      assert.ok((await buffer(await store.open(to))).equals(content))
    },
  )

  test(`${name}: removing takes with it what an upload left unfinished`, options, async (t) => {
    const store = await open(t)
    const to = key('left.wav')
    const file = await describeFile(someFile(t, longBytes).path)
    const abort = new AbortController()
    const sending = store.put(to, file, putOptions(file, { signal: abort.signal }))
    setTimeout(() => abort.abort(new Error('stop')), 60)
    await sending.catch(() => {})
    await store.remove(to)
    assert.deepEqual(await all(store.list(to)), [])
  })
}

export async function all(objects: AsyncIterable<StoredObject>): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const one of objects) found.push(one)
  return found
}

/** A store in memory that can be told to fail. */
export class MemoryStore implements ArchiveStore {
  readonly name: StoreName
  readonly objects = new Map<string, { content: Buffer; sha256: string; cold: boolean }>()
  /** Thrown by everything while it is set. */
  fault: ArchiveError | undefined
  puts = 0
  /** What a put makes of the bytes: a store that loses some. */
  keep: (content: Buffer) => Buffer = (content) => content

  constructor(name: StoreName) {
    this.name = name
  }

  uri(key: string): string {
    return `${this.name}://store/${key}`
  }

  async put(key: string, file: LocalFile, { metadata }: PutOptions): Promise<void> {
    this.#check()
    this.puts++
    const content = this.keep(await readFile(file.path))
    this.objects.set(key, { content, sha256: metadata['sha256'] ?? '', cold: false })
  }

  async head(key: string): Promise<StoredObject | undefined> {
    this.#check()
    const found = this.objects.get(key)
    return found && { key, bytes: found.content.length, sha256: found.sha256 }
  }

  async open(key: string, { from, until }: ByteRange = { from: 0 }): Promise<Readable> {
    this.#check()
    const found = this.objects.get(key)
    if (!found) throw new ArchiveError('archive.object-gone', key)
    return Readable.from([found.content.subarray(from, until)], { objectMode: false })
  }

  async remove(key: string): Promise<void> {
    this.#check()
    this.objects.delete(key)
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    this.#check()
    for (const [key, { content }] of this.objects) if (key.startsWith(prefix)) yield { key, bytes: content.length }
  }

  async cool(key: string): Promise<void> {
    this.#check()
    const found = this.objects.get(key)
    if (found) found.cold = true
  }

  #check(): void {
    if (this.fault) throw this.fault
  }
}
