/**
 * Recordings of live calls: names the files, lets the ports write them, and finishes them when the call ends.
 *
 *   call/, siprec/  ─ start, stop ─▶  here  ─ record(path) ─▶ media ports
 *                                      ├─ manifest.ts: what a start after a crash must know
 *                                      └─ finish.ts: the combined file
 *
 * Whatever goes wrong with the disk is told as `recording.failed` and never reaches the call.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import type { FactBus } from '../events/bus.ts'
import type { RecordedFile } from '../media/types.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import { codeIn, failureOf, RecordingError, type RecordingFailure, recordingFailures } from './failures.ts'
import { finishRecording } from './finish.ts'
import { createManifest, type Manifest, type ManifestTrack, saveManifest } from './manifest.ts'
import { maxLabelLength, safeName } from './names.ts'
import { Queue } from './queue.ts'
import type { RecordingKeys } from './sealing.ts'
import type { ActiveRecording, RecordingOptions, RecordingService, Track, WhoIsRecorded } from './types.ts'

export interface RecordingDeps {
  /** Absolute; made when missing. */
  readonly folder: string
  /** Write one file with a channel a leg beside the leg files. Default true. */
  readonly combineLegs?: boolean
  /** Loudness of each channel of that file, LUFS; as it came when left out. */
  readonly loudnessLufs?: number | undefined
  /** Left out: recordings are plain. */
  readonly keys?: RecordingKeys | undefined
  /** Names of recordings that repair.ts is finishing meanwhile. */
  readonly reserved?: readonly string[]
  readonly bus: FactBus
  readonly clock: Clock
  readonly log: Logger
}

/** Of the files of a recording. */
const extensions = ['.wav', '.json', '.rtpdump'].flatMap((extension) => [extension, `${extension}.sealed`])

/** Recordings finished at a time: half of the thread pool, so that live calls find a free thread. */
const finishedAtATime = 2

export class Recordings implements RecordingService {
  readonly #deps: RecordingDeps
  readonly #queue = new Queue(finishedAtATime)
  /** File names in use without extension, lower case: some file systems do not tell cases apart. */
  readonly #taken = new Set<string>()
  readonly #stopping = new Set<Promise<void>>()

  constructor(deps: RecordingDeps) {
    this.#deps = deps
    for (const name of deps.reserved ?? []) this.#taken.add(name.toLowerCase())
  }

  start(options: RecordingOptions): ActiveRecording {
    const recording = new Recording(options, this.#deps, {
      take: (wanted) => this.#take(wanted),
      finish: (manifest) => this.#queue.run(() => finishRecording(manifest, this.#deps)),
      stopping: (done, names) => this.#track(done, names),
    })
    recording.begin(options)
    return recording
  }

  async settled(): Promise<void> {
    while (this.#stopping.size > 0) await Promise.all(this.#stopping)
  }

  /** Recordings that were stopped and are not on disk yet. */
  get finishing(): number {
    return this.#stopping.size
  }

  /** `wanted`, or `wanted-2`, `wanted-3`… so that no file of another recording is touched. */
  #take(wanted: string): string {
    for (let number = 1; ; number++) {
      const name = number === 1 ? wanted : `${wanted}-${number}`
      if (this.#taken.has(name.toLowerCase())) continue
      const path = join(this.#deps.folder, name)
      if (extensions.some((extension) => existsSync(path + extension))) continue
      this.#taken.add(name.toLowerCase())
      return name
    }
  }

  #track(done: Promise<void>, names: readonly string[]): void {
    const settled = done.finally(() => {
      this.#stopping.delete(settled)
      for (const name of names) this.#taken.delete(name.toLowerCase())
    })
    this.#stopping.add(settled)
  }
}

/** What a recording needs of all recordings. */
interface Office {
  take(wanted: string): string
  finish(manifest: Manifest): ReturnType<typeof finishRecording>
  stopping(done: Promise<void>, names: readonly string[]): void
}

class Recording implements ActiveRecording {
  readonly id = newId()
  readonly #deps: RecordingDeps
  readonly #office: Office
  readonly #names: string[] = []
  readonly #closing: Promise<RecordedFile | undefined>[] = []
  readonly #open = new Map<string, Track>()
  #manifest: Manifest
  /** Undefined of a plain one. */
  #seal: Seal | undefined
  /** It could not begin, or not be finished: nothing more is done for it. */
  #failed = false
  #failureTold = false
  /** A leg's worker died: the leg ends before the call did. */
  #cutOff = false
  #saving: Promise<void> | undefined
  #saveAgain = false
  #stopped: Promise<void> | undefined

  constructor(options: RecordingOptions, deps: RecordingDeps, office: Office) {
    this.#deps = deps
    this.#office = office
    this.#manifest = {
      version: 1,
      recordingId: this.id,
      callId: options.callId,
      name: safeName(options.name),
      startedAtMs: deps.clock.wallMs(),
      state: 'recording',
      interrupted: false,
      tracks: [],
      ...(options.origin && { origin: options.origin }),
    }
  }

  begin(options: RecordingOptions): void {
    const { folder, bus, clock } = this.#deps
    const { origin } = options
    bus.publish({
      name: 'recording.started',
      atMs: clock.wallMs(),
      ...this.#about(),
      folder,
      ...(origin && { origin }),
    })
    try {
      this.#takeKey()
      this.#createManifest()
    } catch (error) {
      this.#fail(error)
    }
    for (const track of options.tracks) this.addTrack(track)
  }

  addTrack(track: Track): void {
    if (this.#failed || this.#stopped) return
    this.#record(track)
    this.#save()
  }

  endTrack(legId: string): void {
    const track = this.#open.get(legId)
    if (!track) return
    this.#open.delete(legId)
    this.#closing.push(this.#close(track))
  }

  describe(who: WhoIsRecorded): void {
    if (this.#failed || this.#stopped) return
    this.#manifest = {
      ...this.#manifest,
      participants: [...who.participants],
      ...(who.channelOrder && { channelOrder: [...who.channelOrder] }),
    }
    this.#save()
  }

  stop(): Promise<void> {
    if (!this.#stopped) {
      for (const legId of this.#open.keys()) this.endTrack(legId)
      this.#stopped = this.#finish()
      this.#office.stopping(this.#stopped, this.#names)
    }
    return this.#stopped
  }

  /** Where recordings are sealed, none begins in the clear because a key is missing. */
  #takeKey(): void {
    const { keys } = this.#deps
    this.#seal = keys?.newSeal?.(this.id)
    if (!keys || !this.#seal) return
    this.#manifest = { ...this.#manifest, sealed: { key: this.#seal.key, notes: keys.sealNotes } }
  }

  #createManifest(): void {
    const wanted = this.#manifest.name
    do {
      const name = this.#office.take(wanted)
      this.#names.push(name)
      this.#manifest = { ...this.#manifest, name }
    } while (!createManifest(this.#deps.folder, this.#manifest, this.#seal))
  }

  #record(track: Track): void {
    const count = this.#manifest.tracks.length + 1
    const label = track.label ?? (track.role === 'stream' ? `leg${count}` : track.role)
    const name = this.#office.take(`${this.#manifest.name}_${safeName(label, maxLabelLength)}`)
    this.#names.push(name)
    const entry: ManifestTrack = {
      legId: track.legId,
      role: track.role,
      file: `${name}.wav`,
      ...(track.label !== undefined && { label: track.label }),
      ...(track.party && { party: track.party }),
    }
    this.#manifest = { ...this.#manifest, tracks: [...this.#manifest.tracks, entry] }
    this.#open.set(track.legId, track)
    track.port.on('recording-failed', ({ path, text }) => {
      // The other legs go on, and what was written until now is kept.
      if (path.endsWith(entry.file)) this.#tellFailed(codeIn(text), text)
    })
    track.port.record(join(this.#deps.folder, entry.file), this.#seal)
  }

  /** Whatever becomes of the port, the file on disk counts: finish.ts reads it from there. */
  async #close(track: Track): Promise<RecordedFile | undefined> {
    try {
      return await track.port.stopRecording()
    } catch (error) {
      this.#cutOff = true
      this.#deps.log.warn('A leg of a recording was not closed in order', {
        ...this.#about(),
        legId: track.legId,
        error: String(error),
      })
      return undefined
    }
  }

  async #finish(): Promise<void> {
    const legs = await Promise.all(this.#closing)
    if (this.#failed) return
    const interrupted = this.#cutOff
    try {
      this.#manifest = { ...this.#manifest, state: 'closed', interrupted }
      this.#save()
      await this.#saving
      const finished = await this.#office.finish(this.#manifest)
      this.#deps.bus.publish({
        name: 'recording.stored',
        atMs: this.#deps.clock.wallMs(),
        ...this.#about(),
        interrupted,
        ...finished,
      })
    } catch (error) {
      const gone = failureOf(error) === 'recording.no-audio' && legs.some((leg) => leg !== undefined)
      this.#fail(gone ? new RecordingError('recording.files-gone', { cause: error }) : error)
    }
  }

  /** Saves do not overlap; changes made during one are saved by one more. */
  #save(): void {
    this.#saveAgain = true
    this.#saving ??= this.#saveAll()
  }

  async #saveAll(): Promise<void> {
    while (this.#saveAgain) {
      this.#saveAgain = false
      try {
        await saveManifest(this.#deps.folder, this.#manifest, this.#seal)
      } catch (error) {
        // The files matter more: finishing them tries again, and tells when it fails too.
        this.#deps.log.warn('The notes of a recording were not saved', { ...this.#about(), error: String(error) })
      }
    }
    this.#saving = undefined
  }

  #fail(error: unknown): void {
    this.#failed = true
    this.#tellFailed(failureOf(error), String(error))
  }

  /** Once: what follows from the first failure is no news. */
  #tellFailed(code: RecordingFailure, cause: string): void {
    if (this.#failureTold) return
    this.#failureTold = true
    const { text, fault } = recordingFailures[code]
    this.#deps.log[fault === 'us' ? 'error' : 'warn']('A recording failed', { ...this.#about(), code, cause })
    this.#deps.bus.publish({
      name: 'recording.failed',
      atMs: this.#deps.clock.wallMs(),
      ...this.#about(),
      code,
      text,
    })
  }

  #about(): { callId: string; recordingId: string } {
    return { callId: this.#manifest.callId, recordingId: this.id }
  }
}
