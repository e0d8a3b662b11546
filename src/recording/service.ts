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
import type { FactOf, RecordedLeg } from '../events/catalogue.ts'
import type { RecordedFile } from '../media/types.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import { traces } from './belongings.ts'
import { codeIn, failureOf, RecordingError, type RecordingFailure, recordingFailures } from './failures.ts'
import { finishRecording, type IsKept, putAway } from './finish.ts'
import { HeardLeg } from './heard.ts'
import { createManifest, type Manifest, type ManifestTrack, saveManifest } from './manifest.ts'
import { maxLabelLength, safeName } from './names.ts'
import { PauseDigits } from './pause-digits.ts'
import { Pauses, scopeOf } from './pauses.ts'
import { Queue } from './queue.ts'
import type { RecordingKeys } from './sealing.ts'
import type {
  ActiveRecording,
  MuteOrder,
  PauseOrder,
  PauseStatus,
  RecordingOptions,
  RecordingService,
  ResumeOrder,
  Track,
  WhoIsRecorded,
} from './types.ts'
import type { Decoders } from './undecoded/decode-leg.ts'
import { formOf } from './undecoded/frames.ts'

export interface RecordingDeps {
  /** Absolute; made when missing. */
  readonly folder: string
  /** Write one file with a channel a leg beside the leg files. Default true. */
  readonly combineLegs?: boolean
  /** Loudness of each channel of that file, LUFS; as it came when left out. */
  readonly loudnessLufs?: number | undefined
  /** As in `FinishDeps`. */
  readonly decoders?: Decoders | undefined
  /** Left out: recordings are plain. */
  readonly keys?: RecordingKeys | undefined
  /** As in `FinishDeps`. */
  readonly isKept?: IsKept | undefined
  readonly pause?: PauseSettings
  /** Names of recordings that repair.ts is finishing meanwhile. */
  readonly reserved?: readonly string[]
  /** Left by the process before, for `takeUp`. */
  readonly unfinished?: readonly Manifest[]
  readonly bus: FactBus
  readonly clock: Clock
  readonly log: Logger
}

export interface PauseSettings {
  /** The longest that a person may pause; undefined for no bound. */
  readonly longestMs?: number | undefined
  /** How long a pause lasts when nothing is said; undefined: until it is resumed. */
  readonly usualMs?: number | undefined
  /** Digits that one of our extensions pauses and resumes with; none when undefined. */
  readonly digits?: string | undefined
}

/** Recordings finished at a time: half of the thread pool, so that live calls find a free thread. */
const finishedAtATime = 2

export class Recordings implements RecordingService {
  readonly #deps: RecordingDeps
  readonly #queue = new Queue(finishedAtATime)
  /** File names in use without extension, lower case: some file systems do not tell cases apart. */
  readonly #taken = new Set<string>()
  readonly #stopping = new Set<Promise<void>>()
  readonly #live = new Set<Recording>()
  /** By call. */
  readonly #unfinished: Map<string, Manifest>

  constructor(deps: RecordingDeps) {
    this.#deps = deps
    this.#unfinished = new Map(deps.unfinished?.map((manifest) => [manifest.callId, manifest]))
    for (const { name } of deps.unfinished ?? []) this.#taken.add(name.toLowerCase())
    for (const name of deps.reserved ?? []) this.#taken.add(name.toLowerCase())
  }

  start(options: RecordingOptions): ActiveRecording {
    const recording = this.#open(newManifest(options, this.#deps.clock.wallMs()))
    recording.begin(options)
    return recording
  }

  async takeUp(callId: string): Promise<ActiveRecording | undefined> {
    const manifest = this.#unfinished.get(callId)
    if (!manifest) return undefined
    this.#unfinished.delete(callId)
    const { sealed, recordingId } = manifest
    const seal = sealed && (await this.#deps.keys?.sealAgain(sealed.key, recordingId))
    // Without its key nothing may be written to it.
    if (sealed && !seal) return undefined
    const recording = this.#open({ ...manifest, interrupted: true })
    recording.goOn(seal)
    return recording
  }

  #open(manifest: Manifest): Recording {
    const recording: Recording = new Recording(manifest, this.#deps, {
      take: (wanted) => this.#take(wanted),
      finish: (finished) => this.#queue.run(() => finishRecording(finished, this.#deps)),
      stopping: (done, names) => {
        this.#live.delete(recording)
        this.#track(done, names)
      },
    })
    this.#live.add(recording)
    return recording
  }

  live(): readonly ActiveRecording[] {
    return [...this.#live]
  }

  liveOf(callId: string): ActiveRecording | undefined {
    return this.live().findLast((recording) => recording.callId === callId)
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
      if (traces.some((ending) => existsSync(path + ending))) continue
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

const newManifest = ({ callId, name, origin }: RecordingOptions, startedAtMs: number): Manifest => ({
  version: 1,
  recordingId: newId(),
  callId,
  name: safeName(name),
  startedAtMs,
  state: 'recording',
  interrupted: false,
  tracks: [],
  ...(origin && { origin }),
})

/** What a recording needs of all recordings. */
interface Office {
  take(wanted: string): string
  finish(manifest: Manifest): ReturnType<typeof finishRecording>
  stopping(done: Promise<void>, names: readonly string[]): void
}

/** A fact of pausing, without what all facts of a recording have. */
type PauseChange = {
  [Name in 'recording.paused' | 'recording.resumed' | 'recording.muted']: Omit<
    FactOf<Name>,
    'atMs' | 'callId' | 'recordingId'
  >
}['recording.paused' | 'recording.resumed' | 'recording.muted']

class Recording implements ActiveRecording {
  readonly id: string
  readonly #deps: RecordingDeps
  readonly #office: Office
  readonly #names: string[] = []
  readonly #closing: Promise<RecordedFile | undefined>[] = []
  readonly #open = new Map<string, Track>()
  readonly #heard = new Map<string, HeardLeg>()
  readonly #ended: RecordedLeg[] = []
  /** By leg id: how far its clock was off, parts in a million. */
  readonly #drifts = new Map<string, number>()
  #manifest: Manifest
  /** Undefined of a plain one. */
  #seal: Seal | undefined
  /** It could not begin, or not be finished: nothing more is done for it. */
  #failed = false
  #failureTold = false
  /** A leg's worker died, or this process did: something is missing. */
  #cutOff = false
  #saving: Promise<void> | undefined
  #saveAgain = false
  #stopped: Promise<void> | undefined
  readonly #pauses: Pauses

  constructor(manifest: Manifest, deps: RecordingDeps, office: Office) {
    this.id = manifest.recordingId
    this.#deps = deps
    this.#office = office
    this.#manifest = manifest
    this.#cutOff = manifest.interrupted
    const { longestMs, usualMs } = deps.pause ?? {}
    this.#pauses = new Pauses({
      clock: deps.clock,
      longestMs,
      usualMs,
      paused: (parts, { by, who }) => {
        const { autoResumeAtMs } = this.#pauses.status
        const until = autoResumeAtMs === undefined ? {} : { autoResumeAtMs }
        this.#paused({
          name: 'recording.paused',
          what: scopeOf(parts),
          by,
          ...(who !== undefined && { who }),
          ...until,
        })
      },
      resumed: (parts, { by, who }, pausedMs) =>
        this.#paused({
          name: 'recording.resumed',
          what: scopeOf(parts),
          by,
          ...(who !== undefined && { who }),
          pausedMs,
        }),
      muted: (legId, on, { by, who }) =>
        this.#paused({ name: 'recording.muted', legId, on, by, ...(who !== undefined && { who }) }),
    })
  }

  get name(): string {
    return this.#manifest.name
  }

  get callId(): string {
    return this.#manifest.callId
  }

  get status(): PauseStatus {
    return this.#pauses.status
  }

  get legIds(): readonly string[] {
    return [...this.#open.keys()]
  }

  pause(order: PauseOrder): void {
    if (this.#stopped) return
    this.#pauses.pause(order)
    // Its time may be another, though it was paused before.
    this.#keepMarks()
  }

  resume(order: ResumeOrder): void {
    if (!this.#stopped) this.#pauses.resume(order)
  }

  mute(legId: string, order: MuteOrder): void {
    if (!this.#stopped) this.#pauses.mute(legId, order)
  }

  unmute(legId: string, order: MuteOrder): void {
    if (!this.#stopped) this.#pauses.unmute(legId, order)
  }

  noteSilence(legId: string, sinceMs: number | undefined): void {
    if (this.#stopped) return
    this.#pauses.silence(legId, sinceMs)
    this.#keepMarks()
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

  /** Of the process before this one: nobody is told again that it began. Who paused it wants it paused. */
  goOn(seal: Seal | undefined): void {
    this.#seal = seal
    this.#names.push(this.#manifest.name)
    this.#pauses.takeUp(this.#manifest.marks ?? [], this.#manifest.resumesAtMs)
    this.#save()
  }

  async leave(): Promise<void> {
    if (this.#stopped) return
    for (const legId of this.#open.keys()) this.endTrack(legId)
    this.#stopped = Promise.resolve()
    this.#office.stopping(this.#stopped, this.#names)
    await Promise.all(this.#closing)
    this.#save()
    await this.#saving
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
      this.#pauses.close()
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
    this.#heard.set(track.legId, new HeardLeg(track.port, track.legId, track.role, track.label))
    track.port.on('media-started', ({ codec }) => this.#noteCodec(track.legId, codec))
    this.#hearDigits(track)
    if (this.#pauses.keepsOut(track.legId)) track.port.pauseRecording(true)
    track.port.record(join(this.#deps.folder, entry.file), this.#seal)
  }

  /** What is only packets on the disk can be decoded later when it is known what they are. */
  #noteCodec(legId: string, codec: string): void {
    if (this.#stopped || !formOf(codec)) return
    const tracks = this.#manifest.tracks.map((track) =>
      track.legId === legId ? Object.assign(track, { codec }) : track,
    )
    this.#manifest = { ...this.#manifest, tracks }
    if (!this.#failed) this.#save()
  }

  /** Our own extensions may pause by digits; who calls from outside may not. */
  #hearDigits({ port, party }: Track): void {
    const digits = this.#deps.pause?.digits
    const who = party?.extension
    if (digits === undefined || who === undefined) return
    const code = new PauseDigits(digits, this.#deps.clock)
    port.hearTones(true)
    port.on('digit', ({ digit }) => {
      if (!code.pressed(digit)) return
      if (this.#pauses.heldByPeople) this.resume({ what: 'both', by: 'digits', who })
      else this.pause({ what: 'both', by: 'digits', who })
    })
  }

  #keepMarks(): void {
    const { resumesAtMs: _, ...manifest } = this.#manifest
    const { autoResumeAtMs: resumesAtMs } = this.#pauses.status
    this.#manifest = {
      ...manifest,
      marks: [...this.#pauses.marks],
      ...(resumesAtMs !== undefined && { resumesAtMs }),
    }
    if (!this.#failed) this.#save()
  }

  /** Ports follow first: when it is told, it is so. */
  #paused(change: PauseChange): void {
    for (const { port, legId } of this.#open.values()) port.pauseRecording(this.#pauses.keepsOut(legId))
    this.#keepMarks()
    this.#deps.bus.publish({ ...change, atMs: this.#deps.clock.wallMs(), ...this.#about() })
  }

  /** Whatever becomes of the port, the file on disk counts: finish.ts reads it from there. */
  async #close(track: Track): Promise<RecordedFile | undefined> {
    const stats = track.port.stats().catch(() => undefined)
    try {
      const file = await track.port.stopRecording()
      const heard = this.#heard.get(track.legId)
      const whole = await stats
      if (heard && whole) this.#ended.push(heard.end(whole))
      if (file?.driftPpm !== undefined) this.#drifts.set(track.legId, file.driftPpm)
      return file
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
      const marks = [...this.#pauses.marks]
      const tracks = this.#manifest.tracks.map((track) => {
        const driftPpm = this.#drifts.get(track.legId)
        return driftPpm === undefined ? track : Object.assign(track, { driftPpm })
      })
      this.#manifest = {
        ...this.#manifest,
        state: 'closed',
        interrupted,
        resumesAtMs: undefined,
        tracks,
        heard: this.#ended,
        ...(marks.length > 0 && { marks }),
      }
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
      await putAway(this.#manifest, this.#deps)
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
