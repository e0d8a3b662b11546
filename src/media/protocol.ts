/**
 * Every message between the main thread and a media worker.
 *
 *   plane.ts  ── Command[] ──────────▶  worker/main.ts
 *             ◀─ (Answer, Notice)[] ───
 *
 * Each message carries what one turn of the loop had to say.
 * Order is kept in both directions: what was described before a recording began is in force when it begins.
 * Ports are numbers here; the worker knows no call, no session and no SIP.
 */
import type { VoiceProcessing } from '../core/voice-processing.ts'
import type { DtlsIdentity } from '../dtls/identity.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import type { GraphCommand, GraphNotice } from './graph/protocol.ts'
import type { DelayBounds, IoKind, PortDescription, PortEvents, PortStats, RecordedFile, WorkerStats } from './types.ts'

/** What a worker is started with. */
export interface WorkerStart {
  readonly io: IoKind
  readonly pollMs: number
  /** Ports will suppress noise: what that takes is loaded before the first call. */
  readonly denoise?: boolean
  readonly jitter: DelayBounds
  /** Of a Pulse. */
  readonly pulse: SharedArrayBuffer
}

/** What needs no answer. */
export type Order =
  /** Who we are in its handshakes. Secret. */
  | { readonly type: 'identify'; readonly port: number; readonly identity: DtlsIdentity }
  | { readonly type: 'describe'; readonly port: number; readonly description: PortDescription }
  | { readonly type: 'record'; readonly port: number; readonly path: string; readonly seal?: Seal }
  | { readonly type: 'pause-recording'; readonly port: number; readonly on: boolean }
  | { readonly type: 'process'; readonly port: number; readonly wanted: VoiceProcessing }
  | { readonly type: 'hear-tones'; readonly port: number; readonly on: boolean }
  | { readonly type: 'bridge'; readonly a: number; readonly b: number }
  /** `port` sends what `of` receives; nothing any more when left out. */
  | { readonly type: 'copy'; readonly port: number; readonly of?: number }
  | GraphCommand

/** What is asked for, and what is answered. */
export interface Requests {
  'open-port': { readonly ask: OpenPort; readonly answer: 'open' | 'in-use' }
  'stop-recording': { readonly ask: { readonly port: number }; readonly answer: RecordedFile | undefined }
  'send-digits': { readonly ask: SendDigits; readonly answer: 'sent' | 'impossible' | 'cut' }
  'take-digit': { readonly ask: TakeDigit; readonly answer: boolean }
  'port-stats': { readonly ask: { readonly port: number }; readonly answer: PortStats | undefined }
  'close-port': { readonly ask: { readonly port: number }; readonly answer: PortStats | undefined }
  'worker-stats': { readonly ask: object; readonly answer: Omit<WorkerStats, 'worker' | 'sessions'> }
  /** Close all ports, finish all files. */
  shutdown: { readonly ask: object; readonly answer: undefined }
}

export interface OpenPort {
  readonly port: number
  readonly bindIp: string
  /** Even; RTCP takes the next one. */
  readonly rtpPort: number
  /** Canonical name for RTCP, one for all ports of a call. */
  readonly cname: string
  /** 0 never. */
  readonly inactiveAfterMs: number
  readonly recordedLater: boolean
  /** See `MediaPlaneSettings`. */
  readonly qualityEveryMs: number
  readonly relay: boolean
  readonly muxed: boolean
}

export interface SendDigits {
  readonly port: number
  readonly digits: string
  readonly toneMs: number
  readonly pauseMs: number
}

/** See `MediaPort.takeDigit`. */
export interface TakeDigit {
  readonly port: number
  readonly digit: string
  readonly durationMs: number
}

export type RequestName = keyof Requests
export type Request = {
  [Name in RequestName]: { readonly type: Name; readonly request: number } & Requests[Name]['ask']
}[RequestName]

export type Command = Order | Request

export interface Answer {
  readonly type: 'answer'
  readonly request: number
  readonly value: Requests[RequestName]['answer']
}

/** What a port, or what stands at it, tells by itself. */
export type Notice = { [Name in keyof PortEvents]: PortNotice<Name> }[keyof PortEvents] | GraphNotice

export interface PortNotice<Name extends keyof PortEvents> {
  readonly type: 'event'
  readonly port: number
  readonly name: Name
  readonly event: PortEvents[Name]
}

export type FromWorker = Answer | Notice
