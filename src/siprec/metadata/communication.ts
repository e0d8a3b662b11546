/** The communication sessions of the metadata as they are told and kept: each with who was in it and when. */
import type { CommunicationSession, SessionParticipant } from '../../events/siprec.ts'
import {
  isOver,
  type MetadataParticipant,
  type MetadataPresence,
  type MetadataReason,
  type MetadataSession,
  type MetadataState,
} from './model.ts'

/** Many more would be an attack; a trading desk has some tens. */
const maxSessions = 200

export function communicationSessions(state: MetadataState): CommunicationSession[] {
  const sessions = [...state.sessions.values()].slice(-maxSessions)
  return sessions.map((session) => sessionOf(state, session))
}

function sessionOf(state: MetadataState, session: MetadataSession): CommunicationSession {
  const { id, sipSessionIds = [], reasons = [], groupId, startedAtMs, stoppedAtMs } = session
  return {
    id,
    sipSessionIds,
    reasons: reasons.map(printReason),
    participants: [...state.participants.values()].flatMap((person) => {
      const presence = presenceIn(state, person, session)
      return presence ? [participantOf(state, person, presence, isOver(session))] : []
    }),
    ...(groupId !== undefined && { groupId }),
    ...(startedAtMs !== undefined && { startedAtMs }),
    ...(stoppedAtMs !== undefined && { stoppedAtMs }),
  }
}

/** Of whom nothing is said is in the only session there is. */
function presenceIn(
  { presence, sessions }: MetadataState,
  { id }: MetadataParticipant,
  session: MetadataSession,
): MetadataPresence | undefined {
  const said = presence.get(id)
  if (said && said.size > 0) return said.get(session.id)
  return sessions.size === 1 ? { present: true, spans: [], params: [] } : undefined
}

function participantOf(
  state: MetadataState,
  { id, uris, names }: MetadataParticipant,
  { present, spans, params }: MetadataPresence,
  isPast: boolean,
): SessionParticipant {
  const labels = (streams: readonly string[] = []) => [
    ...new Set(streams.flatMap((stream) => state.streams.get(stream)?.label ?? [])),
  ]
  const sending = state.sending.get(id)
  return {
    id,
    uris,
    names,
    present: present && !isPast,
    spans,
    params,
    sends: labels(sending?.send),
    receives: labels(sending?.receive),
  }
}

const printReason = ({ protocol, cause, text }: MetadataReason): string =>
  [protocol, cause, text].filter((part) => part !== undefined).join(' ')
