/** One leg of a call: a SIP dialog and its media port, from the first message to the end. */
import { endpointText } from '../core/ip.ts'
import { newId } from '../core/random.ts'
import type { LegRole, MediaSummary, Party } from '../events/catalogue.ts'
import type { PortStats } from '../media/types.ts'
import { optionTags } from '../sip/message/fields.ts'
import type { SipMessage } from '../sip/message/types.ts'
import type { Dialog, ExtraHeaders, Flow, IncomingInvite } from '../sip/stack.types.ts'
import type { LegMedia } from './leg-media.ts'
import type { LegQuality } from './leg-quality.ts'
import type { LiveLeg } from './live-calls.ts'
import type { SilenceWatch } from './silence-watch.ts'

/**
 * How somebody is told whom it speaks with, in responses, UPDATE and re-INVITE (RFC 3325, 5876); by no header when it is
 * not to know. `host`: our address towards it.
 */
export type Presenter = (who: Party, host: string) => ExtraHeaders

export interface Leg {
  readonly id: string
  readonly role: LegRole
  readonly party: Party
  readonly sipCallId: string
  readonly transport: string
  /** Where its signalling comes from or goes to. */
  readonly remote: string
  state: LiveLeg['state']
  /** How it is told whom it speaks with; not at all when left out. */
  present?: Presenter | undefined
  /** Who answers there, where that is not `party`: as its answer says. */
  shownAs?: Party | undefined
  media?: LegMedia
  /** Once it is answered. */
  quality?: LegQuality
  dialog?: Dialog
  /** It shows its user what `a=record` says (RFC 7866 §6.3). */
  recordAware?: boolean
  /** It would not have digits by INFO. */
  refusesInfo?: boolean
  watch?: SilenceWatch
  /** Stops hearing the dialog: another call does. */
  unlisten?: () => void
}

/** Who called us. */
export const legOf = ({ request, flow }: IncomingInvite, role: LegRole, party: Party) => ({
  id: newId(),
  role,
  party,
  sipCallId: request.headers.get('Call-ID') ?? '',
  transport: flow.transport,
  remote: remoteOf(flow),
  recordAware: isRecordAware(request),
})

export const isRecordAware = (message: SipMessage): boolean =>
  optionTags(message, 'Supported').some((tag) => tag.toLowerCase() === 'record-aware')

/** Who is there, as others are told. */
export const shown = ({ party, shownAs }: Leg): Party => shownAs ?? party

export const remoteOf = ({ remote }: Flow): string => endpointText(remote.ip, remote.port)

export function liveLeg({ id, role, party, state, sipCallId, transport, remote, media, quality }: Leg): LiveLeg {
  const codec = media?.codec
  const heard = quality?.last
  return {
    id,
    role,
    party,
    state,
    sipCallId,
    transport,
    remote,
    ...(codec && { codec }),
    ...media?.encryption.now,
    ...(heard && { quality: heard }),
  }
}

export const mediaSummary = (stats: PortStats, quality: LegQuality): MediaSummary => ({
  packetsReceived: stats.packetsReceived,
  packetsLost: stats.packetsLost,
  packetsSent: stats.packetsSent,
  jitterMs: stats.jitterMs,
  ...(stats.codec && { codec: stats.codec }),
  ...(stats.source && { source: stats.source }),
  ...(stats.quality && { quality: quality.whole(stats.quality) }),
})
