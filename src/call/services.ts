/** What a call needs from the rest; declared here, joined in join-calls.ts. */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import type { LegRole, Party, RecordingOrigin, TracedMessage } from '../events/catalogue.ts'
import type { Music } from '../media/graph/types.ts'
import type { MediaPlane, MediaPort, MediaSession } from '../media/types.ts'
import type { SdpFormat } from '../sdp/types.ts'
import type { Flow, SipStack } from '../sip/stack.types.ts'
import type { CodecRules } from './codec-rules.ts'
import type { SrtpMode } from './leg-crypto.ts'
import type { LiveCalls } from './live-calls.ts'
import type { NoticeSound } from './record-notice.ts'

/** A leg whose sound is to be kept. */
export interface RecordedTrack {
  readonly port: MediaPort
  readonly legId: string
  readonly role: LegRole
  readonly party: Party
}

export interface CallRecording {
  /** A leg joined. */
  addTrack(track: RecordedTrack): void
  /** A leg left; called before its port is closed. */
  endTrack(legId: string): void
  /** Called before the ports are closed; they may be closed at once afterwards. Never rejects. */
  stop(): Promise<void>
}

/** A leg whose sound goes to recording servers elsewhere. */
export interface SentTrack extends RecordedTrack {
  readonly sipCallId: string
  /** What it speaks now, best first. */
  formats(): readonly SdpFormat[]
  /** As it said last: on hold it hears nothing, and may send nothing. */
  flow(): { readonly sends: boolean; readonly hears: boolean }
}

/** Lists of recording servers, `main|spare` each: of a list the first that takes the call, all lists at the same time. */
export type RecordTo = readonly string[]

/** A call that goes to recording servers elsewhere. */
export interface SentCall {
  /** Who is in the call now, caller first; also when somebody's codecs, or hold, changed. */
  update(tracks: readonly SentTrack[]): void
  /** Called before the ports are closed; they may be closed at once afterwards. Never rejects. */
  stop(): Promise<void>
}

/** Sends answered calls to recording servers (RFC 7866); implemented by siprec/client/. */
export interface CallSender {
  start(options: {
    readonly callId: string
    /** The call's. */
    readonly media: MediaSession
    readonly tracks: readonly SentTrack[]
    readonly to: RecordTo
  }): SentCall
}

/** Starts the recording of an answered call; implemented by recording/. */
export interface CallRecorder {
  start(options: {
    readonly callId: string
    readonly name: string
    readonly tracks: readonly RecordedTrack[]
    readonly origin?: RecordingOrigin
  }): CallRecording
}

export interface CallServices {
  readonly clock: Clock
  readonly log: Logger
  readonly stack: SipStack
  readonly media: MediaPlane
  readonly bus: FactBus
  readonly live: LiveCalls
  readonly recorder: CallRecorder
  /** Nobody elsewhere records when left out. */
  readonly sender?: CallSender
  /** The address that this peer reaches us at, for SDP. */
  readonly advertisedIp: (peer: Flow | string | undefined) => string
  /** Where else media may be reached: browsers come through proxies, and try them all. None but the advertised one when left out. */
  readonly mediaIps?: () => readonly string[]
  /** SIP messages seen so far of these Call-IDs. */
  readonly messages: (sipCallIds: readonly string[]) => readonly TracedMessage[]
  /** A leg that is silent for so long is asked whether it is still there; 0 never. */
  readonly rtpTimeoutMs: number
  /** What a party hears that is recorded and cannot be shown it; nothing when left out. */
  readonly recordNotice?: NoticeSound
  /** What a party hears that is on hold; nothing when left out. */
  readonly holdMusic?: readonly Music[]
  /** Of phones; a trunk has its own. */
  readonly srtp: SrtpMode
  /** Of phones; a trunk may have fewer. */
  readonly codecs: CodecRules
}
