/**
 * Copies of finished recordings in stores: made, checked, opened, moved to colder classes, removed.
 *
 *   recording/after.ts ── store, removeLocal ─▶  here  ── put, head ─▶  ArchiveStore (local/ s3/ gcs/ azure/)
 *   api/, export       ── open, of ───────────▶        ── rows ──────▶  LocationStore (database/)
 *
 * Files are stored as they lie on the disk: a sealed one stays sealed. A copy counts when the store has compared its
 * checksum; only then is a row written, and only when every store has one may the local file go. All of it can be done
 * again: an object with the same hash in its place is the copy of an attempt before.
 */
import { createHash } from 'node:crypto'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addAbortSignal } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import type { JobContext } from '../jobs/runner.ts'
import type { NewJob, Payload } from '../jobs/types.ts'
import { stemOf } from '../recording/belongings.ts'
import { ArchivedFile } from './archived-file.ts'
import { ArchiveError } from './failures.ts'
import { describeFile } from './local-file.ts'
import type { Location, LocationStore, RecordingToArchive } from './locations.ts'
import { besides, keyOf } from './places.ts'
import { StoreHealth } from './store-health.ts'
import type { ArchiveStore, LocalFile, Resume, StoreName } from './types.ts'

export interface StoreInUse {
  readonly store: ArchiveStore
  /** With places to be filled in. */
  readonly prefix: string
}

export interface ArchiveOptions {
  readonly stores: readonly StoreInUse[]
  readonly locations: LocationStore
  /** The folder of the recordings. */
  readonly folder: string
  /** Names in that folder of what the recording has on the disk: sound, notes, proof; sealed or not. */
  readonly filesOf: (recording: RecordingToArchive) => Promise<readonly string[]>
  /** `x.wav` of `x.wav.sealed`. */
  readonly plainName: (file: string) => string
  readonly keepLocal: boolean
  /** Read each file back and compare it. */
  readonly readBack: boolean
  /** Move copies to the colder class when they are so old; 0 for never. */
  readonly coldAfterMs: number
  readonly addJobs: (jobs: readonly NewJob[]) => Promise<void>
  readonly clock: Clock
  readonly bus: FactBus
  readonly log: Logger
}

/** The kind of the jobs that move copies to colder classes. */
export const coolKind = 'archive.cool'

export class Archive {
  readonly #options: ArchiveOptions
  readonly #health: StoreHealth
  /** Two stores may end with one recording at a time: its list is written by one after the other. */
  #listing: Promise<void> = Promise.resolve()

  constructor(options: ArchiveOptions) {
    this.#options = options
    this.#health = new StoreHealth(options)
  }

  /** Names of the stores in use, in the order in which they are read from. */
  get stores(): readonly StoreName[] {
    return this.#options.stores.map(({ store }) => store.name)
  }

  /** Where the copies of a recording's files lie. */
  async of(recordingId: string): Promise<readonly Location[]> {
    return (await this.#options.locations.of(recordingId)).filter(({ storedAtMs }) => storedAtMs > 0)
  }

  /** What is wrong with which store now; a line for the health page. */
  summary(): string {
    return this.#health.summary()
  }

  /**
   * Have all files of a recording in one store. A recording that is gone is fine: there is nothing to store.
   * @throws {ArchiveError}
   */
  async store(recordingId: string, name: StoreName, payload: Payload, context: JobContext): Promise<void> {
    const { locations, filesOf, bus, clock } = this.#options
    const inUse = this.#inUse(name)
    const recording = await locations.recording(recordingId)
    if (!inUse || !recording) return
    const files = await filesOf(recording)
    await this.#nothingLost(recording, files, name)
    await this.#health.watch(name, async () => {
      for (const file of files) await this.#storeFile(inUse, recording, file, payload, context)
    })
    const copies = (await this.of(recordingId)).filter(({ store }) => store === name)
    await this.#writeLocations(recording)
    bus.publish({
      name: 'recording.archived',
      atMs: clock.wallMs(),
      callId: recording.callId,
      recordingId,
      store: name,
      uris: copies.map(({ uri }) => uri),
      bytes: copies.reduce((sum, { bytes }) => sum + bytes, 0),
    })
    await this.#planCooling(recordingId, inUse)
  }

  /**
   * Remove the sound files of a recording from the disk, when they are not to be kept and every store has them: as they
   * are now, by their hash. Notes and proof stay.
   */
  async removeLocal(recordingId: string): Promise<void> {
    const { keepLocal, stores, locations, filesOf, plainName, folder, log } = this.#options
    if (keepLocal || stores.length === 0) return
    const recording = await locations.recording(recordingId)
    if (!recording) return
    const copies = await this.of(recordingId)
    const names = new Set(recording.files.map(plainName))
    const sound = (await filesOf(recording)).filter((file) => names.has(plainName(file)))
    for (const file of sound) {
      const { sha256 } = await describeFile(join(folder, file))
      const has = (name: StoreName): boolean =>
        copies.some((copy) => copy.store === name && copy.file === file && copy.sha256 === sha256)
      // The store that is still missing begins this again when it has its copy.
      if (!this.stores.every(has)) return
    }
    // A leg leaves its list behind too: its name stays taken, or another recording's files would pass for its own.
    for (const stem of new Set(sound.map(stemOf)))
      if (stem !== recording.baseName)
        await writeList(
          join(folder, `${stem}.locations`),
          copies.filter((copy) => stemOf(copy.file) === stem).map(({ uri }) => uri),
        )
    for (const file of sound) await rm(join(folder, file), { force: true })
    if (sound.length > 0) log.info('Local files of a recording were removed; its stores have them', { recordingId })
  }

  /**
   * A file of a recording, read from the first store that has it and answers.
   * @param file Its name, sealed or plain; what comes may be sealed.
   * @returns undefined when no store has it. @throws {ArchiveError} when those that have it do not answer.
   */
  async open(recordingId: string, file: string): Promise<ArchivedFile | undefined> {
    const { plainName } = this.#options
    const copies = (await this.of(recordingId)).filter((copy) => plainName(copy.file) === plainName(file))
    let failure: unknown
    for (const { store } of this.#options.stores) {
      const copy = copies.find((one) => one.store === store.name)
      if (!copy) continue
      try {
        return await ArchivedFile.open(store, copy)
      } catch (error) {
        failure = error
      }
    }
    if (failure !== undefined) throw failure
    return undefined
  }

  /**
   * Remove all copies of a recording, and what uploads left unfinished: for retention and erasure, which have looked
   * whether they may and have cancelled its jobs.
   * @returns What was removed. @throws {ArchiveError} when a store does not do it; what is removed is forgotten already.
   */
  async remove(recordingId: string): Promise<readonly Location[]> {
    const { locations } = this.#options
    const copies = await locations.of(recordingId)
    for (const copy of copies) {
      const inUse = this.#inUse(copy.store)
      if (!inUse) throw new ArchiveError('archive.bad-settings', `${copy.uri} cannot be reached: ${copy.store} is off`)
      await inUse.store.remove(copy.key)
      await locations.forget(recordingId, copy.store, copy.file)
    }
    return copies
  }

  /** Move the copies of a recording in one store to the colder class. */
  async cool(recordingId: string, name: StoreName): Promise<void> {
    const inUse = this.#inUse(name)
    if (!inUse?.store.cool) return
    for (const copy of await this.of(recordingId)) {
      if (copy.store !== name || copy.cold) continue
      await inUse.store.cool(copy.key)
      await this.#options.locations.put({ ...copy, cold: true })
    }
  }

  #inUse(name: StoreName): StoreInUse | undefined {
    return this.#options.stores.find(({ store }) => store.name === name)
  }

  /** Each sound file is on the disk, or was stored by an attempt before. */
  async #nothingLost(recording: RecordingToArchive, files: readonly string[], name: StoreName): Promise<void> {
    const { plainName } = this.#options
    const copies = await this.of(recording.recordingId)
    const stored = copies.filter(({ store }) => store === name).map(({ file }) => file)
    const there = new Set([...files, ...stored].map(plainName))
    const lost = recording.files.find((file) => !there.has(plainName(file)))
    if (lost !== undefined) throw new ArchiveError('archive.file-gone', lost)
  }

  async #storeFile(
    inUse: StoreInUse,
    recording: RecordingToArchive,
    file: string,
    payload: Payload,
    { signal, remember }: JobContext,
  ): Promise<void> {
    const { folder, locations, clock, readBack } = this.#options
    const { store, prefix } = inUse
    const { recordingId } = recording
    const local = await describeFile(join(folder, file), signal)
    const rows = await locations.of(recordingId)
    const before = rows.find((copy) => copy.store === store.name && copy.file === file)
    if (before && before.storedAtMs > 0 && before.sha256 === local.sha256) return
    const { bytes, sha256 } = local
    // The place it has already is taken again: one that is forgotten before it is removed would outlive an erasure.
    const own = before && (await isOurs(store, before)) ? before : undefined
    const { key, isThere } = own
      ? { key: own.key, isThere: own.storedAtMs === 0 && own.sha256 === sha256 }
      : await placeFor(store, keyOf(prefix, recording, file), local)
    const place = { recordingId, file, store: store.name, key, uri: store.uri(key), bytes, sha256, cold: false }
    // Known before it is there: whoever deletes the recording meanwhile finds it.
    if (!own) await locations.put({ ...place, storedAtMs: 0 })
    if (!isThere)
      await store.put(key, local, {
        contentType: contentTypeOf(file),
        metadata: { sha256: local.sha256, recording: recordingId },
        resume: payload['file'] === file ? (payload['resume'] as Resume | undefined) : undefined,
        remember: (resume) => remember({ file, resume }),
        signal,
      })
    if (readBack) await compare(store, key, local.sha256, signal)
    await locations.put({ ...place, storedAtMs: clock.wallMs() })
  }

  /** `<recording>.locations`, as other programs know it: a JSON array of strings, for its owner alone. */
  #writeLocations(recording: RecordingToArchive): Promise<void> {
    const written = this.#listing.then(() => this.#list(recording))
    this.#listing = written.catch(() => {})
    return written
  }

  async #list({ recordingId, baseName }: RecordingToArchive): Promise<void> {
    const uris = (await this.of(recordingId)).map(({ uri }) => uri)
    await writeList(join(this.#options.folder, `${baseName}.locations`), uris)
  }

  async #planCooling(recordingId: string, { store }: StoreInUse): Promise<void> {
    const { coldAfterMs, addJobs, clock } = this.#options
    if (coldAfterMs === 0 || !store.cool) return
    await addJobs([
      {
        kind: coolKind,
        key: `${recordingId}/${store.name}`,
        subject: recordingId,
        priority: 'idle',
        notBeforeMs: clock.wallMs() + coldAfterMs,
      },
    ])
  }
}

async function writeList(path: string, uris: readonly string[]): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(uris), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Whether what lies there is the copy of this row, though the file was changed since. */
async function isOurs(store: ArchiveStore, { key, sha256, storedAtMs }: Location): Promise<boolean> {
  if (storedAtMs > 0) return true
  return (await store.head(key))?.sha256 === sha256
}

/** Its own place, or when another file is there (another server's, of the same name) one beside it. */
async function placeFor(
  store: ArchiveStore,
  wanted: string,
  { sha256, bytes }: LocalFile,
): Promise<{ key: string; isThere: boolean }> {
  for (const key of [wanted, besides(wanted, sha256)]) {
    const there = await store.head(key)
    if (!there) return { key, isThere: false }
    if (there.sha256 === sha256 && there.bytes === bytes) return { key, isThere: true }
  }
  // Whatever is there calls itself by our hash and is not it.
  return { key: besides(wanted, sha256), isThere: false }
}

/** A store that stops in the middle must not hold the job, and what waits for its end, for ever. */
async function compare(store: ArchiveStore, key: string, sha256: string, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of addAbortSignal(signal, await store.open(key))) hash.update(chunk as Buffer)
  if (hash.digest('hex') !== sha256) throw new ArchiveError('archive.damaged', `${store.uri(key)} was read back`)
}

const types: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
  opus: 'audio/ogg',
  json: 'application/json',
}

const contentTypeOf = (file: string): string =>
  types[file.slice(file.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream'

/** Names in a folder that are there, of those that may be. */
export async function present(folder: string, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        () => [name],
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return []
          throw error
        },
      ),
    ),
  )
  return found.flat()
}
