/** What a recording session is given: by the server, by the INVITE that began it, by the peer that sent it. */
import type { SrtpMode } from '../../call/leg-crypto.ts'
import type { CallServices } from '../../call/services.ts'
import type { RecordingService } from '../../recording/types.ts'
import type { IncomingInvite } from '../../sip/stack.types.ts'
import type { PeerTerms } from '../peers/peer.ts'
import type { SessionKeeper } from '../survival/keeper.ts'
import type { BridgedCalls } from './bridged.ts'

export interface SiprecServices extends Omit<CallServices, 'recorder' | 'rtpTimeoutMs' | 'srtp' | 'codecs'> {
  readonly recordings: RecordingService
  /** Told of what changes, so that a restart can take sessions up; none are when left out. */
  readonly keeper?: Pick<SessionKeeper, 'changed' | 'ended'>
}

/** Those of one session; what sessions know of each other comes from the server. */
export interface SessionServices extends SiprecServices {
  readonly bridged: BridgedCalls
}

/** On whose terms a session is held, and who is told how it went. */
export interface Guest {
  readonly terms: PeerTerms
  /** It was refused, or ended by a fault. */
  failed(code: string, text: string): void
  /** It is over. */
  over(): void
}

/** What a session needs of the INVITE that began it; of one in a process before this one the request is left. */
export type SessionInvite = Pick<IncomingInvite, 'request' | 'flow' | 'cancelled' | 'answer' | 'reject'>

export interface SessionSettings {
  /** A stream without a packet for so long is logged and marked in the recording; others go on. 0 never. */
  readonly streamSilentMs: number
  /**
   * When all streams are silent for so long the client is asked by OPTIONS whether it is still there; no answer ends
   * the session. 0 never: a persistent session (RFC 7866 §3.3) may idle for hours.
   */
  readonly askWhenSilentMs: number
  /** A session is ended after so long, unless its client asks for another time; 0 never. */
  readonly maxDurationMs?: number
  readonly srtp: SrtpMode
  /** Answer with two parts, as clients made for loreste/siprec may want (multipart-answer.ts). */
  readonly multipartResponse?: boolean
}
