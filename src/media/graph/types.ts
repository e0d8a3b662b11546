/**
 * Sounds to be played, and what is told of playing them: the words of `MediaPort.play` and its like.
 *
 *   call/, pbx/  ── MediaPort, Mix ─▶  ../types.ts  ── worker ─▶ worker/graph/
 */
import type { MessagePort } from 'node:worker_threads'
import type { Tone } from '../../codec/tone.ts'
import type { ProgressTone, ToneCountry } from '../../codec/tones.ts'
import type { VoiceModel } from '../../core/voice-processing.ts'
import type { MediaPort } from '../types.ts'

/** Samples without a header. */
export interface RawFormat {
  /** 16 bits, the low byte first, or G.711. */
  readonly encoding: 's16le' | 'PCMU' | 'PCMA'
  /** 4000 to 192,000. */
  readonly sampleRateHz: number
  /** 1 to 8, interleaved; 1 when left out. All are heard as one. */
  readonly channels?: number
}

/** One piece of what is played; several follow each other without a gap. */
export type Sound =
  /** A WAV file of 8, 16 or 24 bits or G.711, or Opus in Ogg; anything else must be `raw`. */
  | { readonly file: string; readonly raw?: RawFormat }
  /** The same in memory. Copied to the worker. */
  | { readonly bytes: Uint8Array; readonly raw?: RawFormat }
  /** What a network tells its callers, as a country has it (`us` when left out), or any tone. Without end when no duration is given. */
  | { readonly tone: ProgressTone | Tone; readonly country?: ToneCountry; readonly durationMs?: number }
  | { readonly silenceMs: number }
  /** A quiet piece of 19.2 s for those who wait, made here: nobody has rights in it. */
  | { readonly builtIn: 'music' }

/** What many hear at once. */
export type Music = Exclude<Sound, { readonly bytes: Uint8Array }>

/** How a playback came to its end. */
export interface PlaybackEnd {
  readonly reason: 'ended' | 'stopped' | 'digit' | 'failed' | 'closed'
  /** Of all its sounds together, in the last round. */
  readonly positionMs: number
  /** The digit that stopped it. */
  readonly digit?: string
  readonly failure?: 'media.sound-missing' | 'media.sound-broken' | 'media.too-many-sounds'
}

/** What a consumer of sound wants. */
export interface TapFormat {
  readonly sampleRateHz: 8000 | 16_000 | 24_000 | 48_000
  /** 16 bits, the low byte first, or mu-law. */
  readonly encoding: 's16le' | 'PCMU'
  readonly frameMs: 20 | 40 | 60 | 80 | 100
}

export interface TapFrame {
  /** Counts all frames, those that were dropped too: its time since the tap began is `sequence * frameMs`. */
  readonly sequence: number
  /** Frames dropped before this one because the consumer lagged. */
  readonly dropped: number
  /** One for each source of the tap, in the order they were named. */
  readonly tracks: readonly Uint8Array[]
}

export interface InjectionEvents {
  /** Little is left to be played: send more. Told once until there was more again. */
  low: { readonly waitingMs: number }
  /** All that was written before the mark has been played. */
  mark: { readonly name: string }
  /** All has been played, or it was stopped. */
  ended: { readonly playedMs: number; readonly droppedMs: number }
}

/** Beside what is heard anyway, in its place, or over it while that becomes quieter by so many dB. */
export type Laid = 'over' | 'instead' | { readonly duckDb: number }

export interface PlayOptions {
  /** `instead` when left out. */
  readonly how?: Laid
  /** How often in all; `Infinity` until it is stopped. 1 when left out. */
  readonly times?: number
  /** -60 to 20; 0 when left out. */
  readonly volumeDb?: number
  readonly fromMs?: number
  /** A digit of these ends it, however it came (see `PortEvents.digit`): `0123456789*#ABCD` for any. None when left out. */
  readonly stopOn?: string
}

/** Sounds that are being played to somebody. */
export interface Playback {
  /** Never rejects: what could not be played is `failed`. */
  readonly ended: Promise<PlaybackEnd>
  /** What fades out is heard again after `resume`. */
  pause(): void
  resume(): void
  /** Go on from there, of all sounds together; behind the end is the end. */
  seek(ms: number): void
  /** -60 to 20. */
  setVolume(volumeDb: number): void
  /** Twice is fine. */
  stop(): void
}

export interface TapOptions extends TapFormat {
  /** `said`: what the party says; `heard`: what it hears; `both`: a track each, in this order. */
  readonly what?: 'said' | 'heard' | 'both'
}

/** Somebody listens. */
export interface Tap {
  /** Twice is fine. */
  stop(): void
}

export interface InjectOptions {
  readonly sampleRateHz: 8000 | 16_000 | 24_000 | 48_000
  readonly encoding: 's16le' | 'PCMU'
  /** `instead` when left out. */
  readonly how?: Laid
  /** Begin when so much is there, or the end; 0 when left out. For sound that comes in real time 40 or more. */
  readonly prebufferMs?: number
  /** `low` is told when less is left; 200 when left out. */
  readonly lowMs?: number
  /** What is beyond is dropped; 60,000 when left out. */
  readonly mostMs?: number
}

/** Sound of our own to a party. */
export interface Injection {
  on<Name extends keyof InjectionEvents>(name: Name, listener: (event: InjectionEvents[Name]) => void): () => void
  /** Play after what was written before. The bytes are copied. */
  write(bytes: Uint8Array): void
  /** Have `mark` told when all that was written before has been played. */
  mark(name: string): void
  /** Forget what was not played and the marks in it, within 20 ms: how much that was, ms. More may be written then. */
  flush(): Promise<number>
  /** No more comes; `ended` is told when the rest has been played. */
  end(): void
  /** At once. Twice is fine. */
  stop(): void
}

export interface MixerWishes {
  readonly sampleRateHz: 8000 | 16_000 | 48_000
  /** Only so many are heard at a time; all when left out. */
  readonly loudest?: number
}

export interface MemberWishes {
  /** -40 to 20; 0 when left out. */
  readonly gainDb?: number
  /** Is not heard. */
  readonly muted?: boolean
  /** Does not hear. */
  readonly deaf?: boolean
  /** What `talks` is told by: `energy` when left out. Said when it joins. */
  readonly voiceActivity?: VoiceModel
}

export interface MemberEvents {
  /** It began or ended to talk; twice in 600 ms at most. */
  talks: { readonly talking: boolean }
}

/** A port in a mixer. */
export interface Member {
  on<Name extends keyof MemberEvents>(name: Name, listener: (event: MemberEvents[Name]) => void): () => void
  /** What is left out stays. */
  change(wishes: MemberWishes): void
  /** It hears what it heard before: the party it is bridged with, or nothing. Twice is fine. */
  leave(): void
}

/** Ports of a session that hear each other. */
export interface Mixer {
  join(port: MediaPort, wishes?: MemberWishes): Member
  /** To all members. */
  play(sounds: readonly Sound[], options?: Omit<PlayOptions, 'how' | 'stopOn'>): Playback
  /** All voices together. */
  tap(format: TapFormat, take: (frame: TapFrame) => void | Promise<void>): Tap
  /** All leave. Twice is fine. */
  close(): void
}

/** A supervisor who listens to others. */
export interface Supervision {
  /** By whom the supervisor is heard: nobody, one (whisper), all (barge). */
  heardBy(ports: readonly MediaPort[]): void
  /** Twice is fine. */
  stop(): void
}

/** The loudest 20 ms since the last time, dBov (RFC 6465), -127 to 0. */
export interface Levels {
  readonly said: number
  readonly heard: number
}

/** What a thread sends to an injection. */
export type InjectMessage =
  | { readonly audio: Uint8Array }
  | { readonly mark: string }
  /** Answered by `flushed`, with the same number. */
  | { readonly flush: number }
  | { readonly end: true }

/** What an injection tells a thread. */
export type InjectTold =
  | {
      [Name in keyof InjectionEvents]: { readonly name: Name; readonly event: InjectionEvents[Name] }
    }[keyof InjectionEvents]
  | { readonly name: 'flushed'; readonly ask: number; readonly unplayedMs: number }

/** What can be done with the sound of a port. */
export interface PortSound {
  /**
   * Play sounds to the party, one after the other without a gap.
   * @throws {RangeError} for more than 1000 sounds.
   */
  play(sounds: readonly Sound[], options?: PlayOptions): Playback
  /**
   * The party hears music, encoded once for all who hear the same.
   * @param failed Told when it cannot be played, to one of those who hear it: they hear nothing then.
   * @returns Ends it; twice is fine.
   */
  holdMusic(sounds: readonly Music[], failed?: () => void): () => void
  /** The party hears itself. Ends it; twice is fine. */
  echo(): () => void
  /**
   * Hear the party, what it hears, or both.
   * @param take Gets one frame after the other. While a promise that it returned has not resolved, frames wait for a
   *   second and a half, and then the oldest are dropped and counted. When it throws or rejects, the tap ends.
   */
  tap(options: TapOptions, take: (frame: TapFrame) => void | Promise<void>): Tap
  /**
   * The same for another thread, past this one: `TapFrame`s go to the other end of this channel, which sends back how many
   * more it takes, as a number; 400 ms it takes without. Closed when the tap stops.
   * @param to Is transferred.
   */
  tapTo(options: TapOptions, to: MessagePort): Tap
  /** Play what comes to the party. */
  inject(options: InjectOptions): Injection
  /**
   * The same for another thread, past this one: the other end of this channel sends `InjectMessage`s and gets
   * `InjectTold`s. Closed when it has ended.
   * @param from Is transferred.
   * @returns Ends it at once; twice is fine.
   */
  injectFrom(options: InjectOptions, from: MessagePort): () => void
  /** @param everyMs 100 or more. Ends it; twice is fine. */
  meter(everyMs: number, take: (levels: Levels) => void): () => void
}
