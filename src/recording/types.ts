/**
 * What call/ and siprec/ see of recording: start one for a call, tell it of legs, stop it.
 *
 *   call/, siprec/, api/  ── start, addTrack, pause, stop ─▶  RecordingService  ── record(path) ─▶  media ports
 *                                                      │
 *                                                      └─ recording.started, .stored, .failed ─▶  FactBus
 *
 * Nothing here throws at the caller: a recording that cannot be made becomes `recording.failed`, and the call goes on.
 */
import type { LegRole, Participant, Party, PauseCause, RecordingOrigin } from '../events/catalogue.ts'
import type { MediaPort } from '../media/types.ts'

/** One leg or stream of the call: its own file, and its own channel of the combined file. */
export interface Track {
  readonly port: Pick<MediaPort, 'record' | 'pauseRecording' | 'stopRecording' | 'stats' | 'hearTones' | 'on'>
  readonly legId: string
  readonly role: LegRole
  /** Who speaks on it, as far as known. */
  readonly party?: Party
  /** SIPREC: the label of the stream. Names the file; without one the role or the leg's number does. */
  readonly label?: string
}

export interface RecordingOptions {
  readonly callId: string
  /**
   * File names begin with this: `callRecordingName(…)` for a PBX call, the Call-ID for SIPREC. Made safe and unique
   * here, so anything a stranger sent may be given.
   */
  readonly name: string
  /** Legs known at the start; the caller first. */
  readonly tracks: readonly Track[]
  /** Who sent it and how long it is wanted: decides how long it is kept. */
  readonly origin?: RecordingOrigin
}

/** Who is recorded, when it is more or other than the parties of the tracks (SIPREC metadata). */
export interface WhoIsRecorded {
  /** Their `legId` or `label` says which track; `channel` is filled in here. */
  readonly participants: readonly Participant[]
  /** Leg ids in the order of their channels. The rest follow: caller, callee, then as they were added. */
  readonly channelOrder?: readonly string[]
}

/** What a pause stops. Transcription is remembered and told; it has no effect as long as nothing transcribes. */
export type PauseScope = 'recording' | 'transcription' | 'both'

export interface MuteOrder {
  readonly by: PauseCause
  /** The user, the API key, or the extension whose digits asked for it. */
  readonly who?: string
}

export interface ResumeOrder extends MuteOrder {
  /** `recording` when left out. */
  readonly what?: PauseScope
}

export interface PauseOrder extends ResumeOrder {
  /** Goes on by itself after so long; as the settings say when left out. Not for `signalling`. */
  readonly autoResumeMs?: number
}

export interface PauseStatus {
  readonly recordingPaused: boolean
  readonly transcriptionPaused: boolean
  /** Since when either is. */
  readonly pausedAtMs?: number
  readonly autoResumeAtMs?: number
  readonly mutedLegs: readonly string[]
}

export interface ActiveRecording {
  readonly id: string
  /** All its files begin with it. */
  readonly name: string
  readonly callId: string
  readonly status: PauseStatus
  /** Legs that are recorded now. */
  readonly legIds: readonly string[]
  /**
   * Keep what comes from now on off the disk: silence takes its place, so the time line stays. Twice is fine; a later
   * order of a person sets the time of its end anew. What `signalling` paused only `signalling` resumes, and the other
   * way round.
   */
  pause(order: PauseOrder): void
  resume(order: ResumeOrder): void
  /** Keep one leg off the disk. */
  mute(legId: string, order: MuteOrder): void
  unmute(legId: string, order: MuteOrder): void
  /** Nothing has come of this leg since then, wall time, though it should; undefined: it is heard again. Becomes a mark. */
  noteSilence(legId: string, sinceMs: number | undefined): void
  /** A leg joined: a transfer, a new SIPREC stream. Its port starts recording at once. */
  addTrack(track: Track): void
  /**
   * A leg left before the call ended: close its file. Call it before the port is closed; the port may be closed at
   * once afterwards, without waiting.
   */
  endTrack(legId: string): void
  /** Replaces what was told before; kept on disk, so that it survives a crash. */
  describe(who: WhoIsRecorded): void
  /**
   * Close the leg files, write the combined one, tell `recording.stored` or `recording.failed`.
   *
   * Call it before the ports are closed; they may be closed at once afterwards, without waiting. Resolves when all is
   * on disk and told; never rejects; twice is fine.
   */
  stop(): Promise<void>
  /** Close the files and leave it unfinished, for the process after this one to take up. Instead of `stop`. */
  leave(): Promise<void>
}

/** The recordings that are being made, for the API. */
export interface LiveRecordings {
  /** Oldest first. */
  live(): readonly ActiveRecording[]
  /** That of a call, the latest when there are several. */
  liveOf(callId: string): ActiveRecording | undefined
}

export interface RecordingService extends LiveRecordings {
  start(options: RecordingOptions): ActiveRecording
  /**
   * Go on with the recording of a call that the process before this one left: what its tracks record from now on lies in
   * files of its own beside those that are there, and on the same channels in the end. It is interrupted.
   *
   * Resolves with undefined when there is none left unfinished. Rejects when its key cannot be had.
   */
  takeUp(callId: string): Promise<ActiveRecording | undefined>
  /** Resolves when every recording that was stopped is on disk: for the clean stop. */
  settled(): Promise<void>
}
