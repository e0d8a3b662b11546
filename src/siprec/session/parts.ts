/**
 * The parts of one session, joined: its ports, its offers and answers, who is recorded, what is told of it. What happens
 * in which order is session.ts's; what no part decides alone goes back to it through `SessionEvents`.
 */
import { noKeys } from '../../call/reason.ts'
import type { Logger } from '../../core/logger.ts'
import { newId, randomUint32 } from '../../core/random.ts'
import type { EndReason, LegRole } from '../../events/catalogue.ts'
import type { MediaSession } from '../../media/types.ts'
import type { ActiveRecording } from '../../recording/types.ts'
import { optionTags } from '../../sip/message/fields.ts'
import type { Dialog, ExtraHeaders } from '../../sip/stack.types.ts'
import { acceptedTypes } from '../failures.ts'
import { SilentStreams } from '../silent-streams.ts'
import { SnapshotRequests } from '../snapshot-request.ts'
import { isHeld, type Stream, type StreamListener, Streams } from '../streams.ts'
import type { Checkpoint } from '../survival/checkpoint.ts'
import { readWishes, type Wishes } from '../wishes.ts'
import { Exchange } from './exchange.ts'
import { SessionFacts } from './facts.ts'
import { Recorded } from './recorded.ts'
import type { Guest, SessionInvite, SessionServices, SessionSettings } from './types.ts'

export interface SessionGiven {
  readonly invite: SessionInvite
  readonly guest: Guest
  readonly services: SessionServices
  readonly settings: SessionSettings
  /** What the process before this one knew of it. */
  readonly kept?: Checkpoint | undefined
}

/** What the parts ask of their session. */
export interface SessionEvents {
  /** Its dialog, while it runs. */
  dialog(): Dialog | undefined
  /** Handed over to the process after this one: what ends now goes on there. */
  hasLeft(): boolean
  /** @param why For the BYE. */
  end(reason: EndReason, by?: LegRole, why?: string): void
}

export interface SessionParts extends SessionGiven {
  /** Of the call. */
  readonly id: string
  readonly sipCallId: string
  readonly startedAtMs: number
  readonly wishes: Wishes
  readonly log: Logger
  readonly media: MediaSession
  readonly streams: Streams
  readonly silent: SilentStreams
  readonly exchange: Exchange
  readonly recorded: Recorded
  readonly facts: SessionFacts
  readonly snapshots: SnapshotRequests
  /** `+sip.srs` in every request and response of the session (RFC 7866 §6.1.2). */
  readonly headers: () => ExtraHeaders
}

export function createParts(given: SessionGiven, events: SessionEvents): SessionParts {
  const { invite, guest, services, settings, kept } = given
  const { clock } = services
  const { request, flow } = invite
  const id = kept?.id ?? newId()
  const sipCallId = request.headers.get('Call-ID') ?? ''
  const startedAtMs = kept?.startedAtMs ?? clock.wallMs()
  const log = services.log.child({ callId: id })
  const { wishes, problems } = readWishes(request)
  if (problems.length > 0) log.warn('A wish of a recording client was passed over', { problems })
  const headers = () => ({ Contact: `${services.stack.contact(flow)};+sip.srs`, Accept: acceptedTypes })
  const media = services.media.openSession(id)
  media.on('lost', () => events.end('media-lost'))

  const silent = new SilentStreams({
    clock,
    log,
    timeoutMs: wishes.streamSilentMs ?? settings.streamSilentMs,
    expected: (legId) => streams.list().some((one) => one.legId === legId && !isHeld(one)),
    silent: (legId, sinceMs) => recorded.active?.noteSilence(legId, sinceMs),
  })
  const streams: Streams = new Streams({
    session: media,
    clock,
    log,
    silentAfterMs: silent.noticeAfterMs,
    srtp: guest.terms.srtp ?? settings.srtp,
    listener: listener(() => parts, events),
  })
  const snapshots = new SnapshotRequests({
    clock,
    log,
    takesUpdate: optionTags(request, 'Allow').includes('update'),
    dialog: () => events.dialog(),
    headers,
  })
  const recorded: Recorded = new Recorded({
    invite: request,
    atMs: startedAtMs,
    clock,
    messages: kept?.messages,
    streams: () => streams.list(),
    start: () => startRecording(parts),
    // RFC 7866 §9.2
    onUnplaced: () => snapshots.ask('partial metadata that names what was not told before'),
  })
  const exchange = new Exchange({
    ours: kept?.ours ?? { address: services.advertisedIp(flow), sessionId: String(randomUint32()), version: 0 },
    ends: streams,
    codecs: guest.terms.codecs,
    multipart: settings.multipartResponse === true,
  })
  const facts = new SessionFacts({ callId: id, sipCallId, flow, services, recorded })
  const parts: SessionParts = {
    ...given,
    id,
    sipCallId,
    startedAtMs,
    wishes,
    log,
    headers,
    media,
    streams,
    silent,
    exchange,
    recorded,
    facts,
    snapshots,
  }
  return parts
}

function startRecording({ id, sipCallId, invite, guest, wishes, services }: SessionParts): ActiveRecording {
  const { name: peer, tags, retentionDays } = guest.terms
  const days = wishes.retentionDays ?? retentionDays
  const origin = { ...(peer !== undefined && { peer }), tags, ...(days !== undefined && { retentionDays: days }) }
  const start = () => services.recordings.start({ callId: id, name: sipCallId, tracks: [], origin })
  return services.bridged.recordingOf(invite.request, peer ?? invite.flow.remote.ip, start)
}

/** What the ports report, and to whom. @param parts Asked for when something is reported: they are made after it. */
function listener(parts: () => SessionParts, events: SessionEvents): StreamListener {
  return {
    removing: ({ legId }) => parts().recorded.active?.endTrack(legId),
    removed: (stream, stats) => {
      const { recorded, facts } = parts()
      // Without a recording the session was refused, and nobody was told of its legs.
      if (recorded.active && !events.hasLeft()) facts.legEnded(stream, stats)
    },
    mediaStarted: (stream, { source, codec }) => {
      parts().silent.heard(watched(stream), source, codec)
      parts().facts.tell('leg.media-started', { legId: stream.legId, source, codec })
    },
    quality: ({ legId }, quality) => parts().facts.tell('leg.quality', { legId, quality }),
    encrypted: ({ legId }, encryption) => parts().facts.tell('leg.encryption', { legId, ...encryption }),
    unheard: ({ legId }, why) => unheard(parts(), events, legId, why),
    digit: ({ legId }, { digit, durationMs }) => parts().facts.tell('leg.digit', { legId, digit, durationMs }),
    silent: (stream, { idleMs }) => void parts().silent.inactive(watched(stream), idleMs),
  }
}

const watched = ({ legId, port, offered: { label } }: Stream) => ({ legId, port, label })

/** One of several streams is missed; a client that can record nothing had better know it. */
function unheard({ log, streams }: SessionParts, events: SessionEvents, legId: string, why: string): void {
  log.warn('A recorded stream cannot be heard, for its DTLS handshake failed', { legId, why })
  const isAll = streams.list().every((stream) => stream.encryption.failure !== undefined && !isHeld(stream))
  if (isAll) events.end('encryption-failed', 'stream', noKeys(why))
}
