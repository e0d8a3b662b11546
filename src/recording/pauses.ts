/**
 * What of a live recording is kept from disk now, why, until when, and what is remembered of it.
 *
 *   service.ts  ── pause, resume, mute, unmute ─▶  here  ── applies(leg), facts, marks ─▶  service.ts
 *
 * People (API, digits) and the signalling of a call pause independently of each other: a session refresh of a recording
 * client must not take up again what somebody paused before a card number was read out. Recording goes on when nobody
 * holds it any more. Writes nothing itself; time is handed in.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { PausedPart, RecordingMark } from '../events/catalogue.ts'
import type { MuteOrder, PauseOrder, PauseScope, PauseStatus, ResumeOrder } from './types.ts'

export interface PausesOptions {
  readonly clock: Clock
  /** No pause that people asked for lasts longer; undefined for no bound. */
  readonly longestMs?: number | undefined
  /** A pause ends after so long when nobody says otherwise; undefined: it does not. */
  readonly usualMs?: number | undefined
  /** Marks of a recording that is gone on with. */
  readonly marks?: readonly RecordingMark[]
  /** Which parts are paused changed; ports are to follow. */
  readonly paused: (parts: readonly PausedPart[], order: PauseOrder) => void
  readonly resumed: (parts: readonly PausedPart[], order: ResumeOrder, pausedMs: number) => void
  readonly muted: (legId: string, on: boolean, order: MuteOrder) => void
}

/** Marks of one recording; more pauses than this are not marked. */
const mostMarks = 1000

/** Who can hold a pause. */
type Holder = 'people' | 'signalling'

const holderOf = (by: PauseOrder['by']): Holder => (by === 'signalling' ? 'signalling' : 'people')

const partsOf = (what: PauseScope = 'recording'): readonly PausedPart[] =>
  what === 'both' ? ['recording', 'transcription'] : [what]

/** The name of what several parts are together. */
export const scopeOf = (parts: readonly PausedPart[]): PauseScope => (parts.length > 1 ? 'both' : (parts[0] ?? 'both'))

export class Pauses {
  readonly #options: PausesOptions
  readonly #holders = { recording: new Set<Holder>(), transcription: new Set<Holder>() }
  readonly #mutes = new Map<string, Set<Holder>>()
  readonly #marks: RecordingMark[]
  /** Places in `#marks` of what goes on now: by part, or by leg. */
  readonly #open = new Map<string, number>()
  readonly #sinceMs = new Map<PausedPart, number>()
  #timer: Timer | undefined
  #resumesAtMs: number | undefined

  constructor(options: PausesOptions) {
    this.#options = options
    this.#marks = [...(options.marks ?? [])]
  }

  /** Oldest first; those without an end go on. */
  get marks(): readonly RecordingMark[] {
    return this.#marks
  }

  get status(): PauseStatus {
    const { recording, transcription } = this.#holders
    const since = [...this.#sinceMs.values()]
    return {
      recordingPaused: recording.size > 0,
      transcriptionPaused: transcription.size > 0,
      ...(since.length > 0 && { pausedAtMs: Math.min(...since) }),
      ...(this.#resumesAtMs !== undefined && { autoResumeAtMs: this.#resumesAtMs }),
      mutedLegs: [...this.#mutes.keys()],
    }
  }

  /** Whether nothing of this leg may be kept now. */
  keepsOut(legId: string): boolean {
    return this.#holders.recording.size > 0 || this.#mutes.has(legId)
  }

  pause(order: PauseOrder): void {
    const begun: PausedPart[] = []
    for (const part of partsOf(order.what)) {
      const holders = this.#holders[part]
      if (holders.size === 0) begun.push(part)
      holders.add(holderOf(order.by))
    }
    const now = this.#options.clock.wallMs()
    for (const part of begun) {
      this.#sinceMs.set(part, now)
      this.#begin(part, { kind: 'paused', what: part, fromMs: now, by: order.by, ...whoOf(order) })
    }
    if (holderOf(order.by) === 'people') this.#resumeAfter(order.autoResumeMs)
    if (begun.length > 0) this.#options.paused(begun, order)
  }

  resume(order: ResumeOrder): void {
    const ended: PausedPart[] = []
    for (const part of partsOf(order.what)) {
      const holders = this.#holders[part]
      if (holders.delete(holderOf(order.by)) && holders.size === 0) ended.push(part)
    }
    if (!this.heldByPeople) this.#forgetTimer()
    const now = this.#options.clock.wallMs()
    const since = ended.map((part) => this.#sinceMs.get(part) ?? now)
    for (const part of ended) {
      this.#sinceMs.delete(part)
      this.#end(part, now)
    }
    if (ended.length > 0) this.#options.resumed(ended, order, now - Math.min(...since))
  }

  mute(legId: string, order: MuteOrder): void {
    const holders = this.#mutes.get(legId) ?? new Set<Holder>()
    const begins = holders.size === 0
    holders.add(holderOf(order.by))
    this.#mutes.set(legId, holders)
    if (!begins) return
    const fromMs = this.#options.clock.wallMs()
    this.#begin(legId, { kind: 'muted', legId, fromMs, by: order.by, ...whoOf(order) })
    this.#options.muted(legId, true, order)
  }

  unmute(legId: string, order: MuteOrder): void {
    const holders = this.#mutes.get(legId)
    if (!holders?.delete(holderOf(order.by)) || holders.size > 0) return
    this.#mutes.delete(legId)
    this.#end(legId, this.#options.clock.wallMs())
    this.#options.muted(legId, false, order)
  }

  /** Marks of the process before this one: what a person paused or muted stays so until a person, or its time, resumes it. */
  takeUp(marks: readonly RecordingMark[], resumesAtMs?: number): void {
    const order = { by: 'api' } as const
    for (const mark of marks) {
      const key = mark.kind === 'paused' ? (mark.what ?? 'recording') : mark.legId
      if (key === undefined) continue
      this.#begin(key, mark)
      if (mark.untilMs !== undefined) this.#open.delete(key)
      else if (mark.by === 'signalling' || mark.kind === 'silent') this.#end(key, this.#options.clock.wallMs())
      else if (mark.kind === 'muted') this.#mutes.set(key, new Set([holderOf(mark.by)]))
      else {
        const part = mark.what ?? 'recording'
        this.#holders[part].add(holderOf(mark.by))
        this.#sinceMs.set(part, mark.fromMs)
      }
    }
    for (const legId of this.#mutes.keys()) this.#options.muted(legId, true, order)
    const held = (['recording', 'transcription'] as const).filter((part) => this.#holders[part].size > 0)
    if (held.length === 0) return
    this.#resumeAfter(resumesAtMs === undefined ? undefined : Math.max(0, resumesAtMs - this.#options.clock.wallMs()))
    this.#options.paused(held, order)
  }

  /** Nothing comes of a leg since then; undefined: it does again. */
  silence(legId: string, sinceMs: number | undefined): void {
    const key = `silent ${legId}`
    if (sinceMs === undefined) this.#end(key, this.#options.clock.wallMs())
    else if (!this.#open.has(key)) this.#begin(key, { kind: 'silent', legId, fromMs: sinceMs, by: 'time' })
  }

  /** The recording is over: what goes on ends now. */
  close(): void {
    this.#forgetTimer()
    const now = this.#options.clock.wallMs()
    for (const key of this.#open.keys()) this.#end(key, now)
  }

  /** A person paused, and may resume. */
  get heldByPeople(): boolean {
    return this.#holders.recording.has('people') || this.#holders.transcription.has('people')
  }

  #resumeAfter(asked: number | undefined): void {
    const { clock, longestMs, usualMs } = this.#options
    this.#forgetTimer()
    const wanted = asked ?? usualMs
    const ms = longestMs === undefined || wanted === undefined ? wanted : Math.min(wanted, longestMs)
    if (ms === undefined) return
    this.#resumesAtMs = clock.wallMs() + ms
    this.#timer = clock.after(ms, () => this.resume({ what: 'both', by: 'time' }))
  }

  #forgetTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#resumesAtMs = undefined
  }

  #begin(key: string, mark: RecordingMark): void {
    if (this.#marks.length >= mostMarks) return
    this.#open.set(key, this.#marks.push(mark) - 1)
  }

  #end(key: string, untilMs: number): void {
    const place = this.#open.get(key)
    const mark = place === undefined ? undefined : this.#marks[place]
    this.#open.delete(key)
    if (mark && place !== undefined) this.#marks[place] = { ...mark, untilMs }
  }
}

const whoOf = ({ who }: { readonly who?: string }): { who?: string } => (who === undefined ? {} : { who })
