/** What a fork is given to ring, and what it tells of it. */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import type { EndReason, LegRole, Party } from '../events/catalogue.ts'
import type { SipResponse, SipUri } from '../sip/message/types.ts'
import type {
  Credentials,
  Dialog,
  ExtraHeaders,
  IncomingInvite,
  OutgoingInvite,
  SipStack,
  Target,
} from '../sip/stack.types.ts'
import type { Leg, Presenter } from './leg.ts'
import type { SrtpMode } from './leg-crypto.ts'
import type { LegMedia } from './leg-media.ts'
import type { Teller } from './teller.ts'

/** Who calls, as the called one is told. */
export interface Introduction {
  /** `"Alice" <sip:101@192.0.2.1>` */
  readonly from: string
  readonly headers?: ExtraHeaders
}

/** One device, or a trunk. */
export interface Destination {
  readonly target: Target
  readonly party: Party
  readonly credentials?: Credentials
  /** How the caller is introduced there; by name and number at `host`, our address towards it, when left out. */
  readonly introduce?: (caller: Party, host: string) => Introduction
  /** How it is told later whom it speaks with, after a transfer. */
  readonly present?: Presenter
  /** Who answers there, where the answer says more than `party` does. */
  readonly reached?: (response: SipResponse) => Party | undefined
  /** Values of Route, for calls by a registrar that gave some (RFC 3608). */
  readonly routes?: readonly string[]
  /** Whether its audio is encrypted; as that of phones when left out. */
  readonly srtp?: SrtpMode
  /** Its codecs, best first, as in `CodecRules`; those of phones when left out. */
  readonly codecs?: readonly string[]
  /** What is done to the voice from there; what is done to all when left out. */
  readonly voice?: VoiceProcessing
  /** Rung when all of a lower order have failed; 0 unless given. */
  readonly order?: number
  /** Ways to one place, such as trunks: the next order only when this one could not serve, not when the callee refused. */
  readonly isWay?: boolean
  /** Takes a place for one more call there. Returns what to call when it is over; undefined when there is no place. */
  readonly take?: () => (() => void) | undefined
  /** Told whether it served: took the call or refused it, but was there. */
  readonly report?: (served: boolean) => void
  /** Where a redirection to these URIs may lead, best first; nowhere when left out. */
  readonly follow?: (uris: readonly SipUri[]) => readonly Destination[]
}

/** Who takes a call that rings elsewhere. */
export interface PickedUpBy {
  readonly party: Party
  readonly present?: Presenter
  /** Whether its audio is encrypted; as that of phones when left out. */
  readonly srtp?: SrtpMode
  /** Its codecs, best first; as those of phones when left out. */
  readonly codecs?: readonly string[]
}

export interface Attempt {
  readonly leg: Leg
  readonly media: LegMedia
  readonly invite: Pick<OutgoingInvite, 'cancel'>
  /** The description of its last provisional answer. */
  earlyAnswer?: string
  /** It made an offer of its own since (RFC 3311), which was answered. */
  renegotiated?: boolean
}

export type ForkOutcome =
  /** `sdp`: the description of the answer; empty when an earlier one stands. */
  | { readonly answered: true; readonly attempt: Attempt; readonly dialog: Dialog; readonly sdp: string }
  | { readonly answered: false; readonly reason: EndReason; readonly reasons: readonly string[] }

export interface ForkOptions {
  readonly stack: SipStack
  readonly clock: Clock
  readonly log: Logger
  readonly teller: Teller
  readonly destinations: readonly Destination[]
  readonly introduce: (destination: Destination) => Introduction
  /** The media this device is offered, and the description that offers it; none when it may speak nothing that fits. */
  readonly offer: (destination: Destination) => { readonly media: LegMedia; readonly sdp: string } | undefined
  /** The media of who picks the call up, the answer to its INVITE, and what it is told of who called. */
  readonly pickUp: (
    invite: IncomingInvite,
    by: PickedUpBy,
  ) => { readonly media: LegMedia; readonly sdp: string; readonly headers: ExtraHeaders }
  readonly ringMs: number
  /** Hops the call may still take (RFC 3261 §8.1.1.6). */
  readonly maxForwards: number
  /** The side of the call that is rung for: `callee` unless a transferred caller is replaced. */
  readonly role?: LegRole
  /** Who sent the call here (RFC 3892), as that destination is told. */
  readonly referredBy?: (destination: Destination) => string
  /** @param described The description of a provisional answer; empty when it has none. */
  readonly onProvisional: (attempt: Attempt, described: string) => void
}
