/**
 * Recording metadata as we write it: a complete snapshot, RFC 7865 §6 and §8.
 *
 * One communication session, a stream for each side of the call, and everybody who was ever on it. Who left keeps the
 * time at which it did, and no stream. `participantstreamassoc` says who speaks on which stream now, and who hears it.
 */
import { randomBytes } from 'node:crypto'
import { element, text, xmlDeclaration } from '../../core/xml-print.ts'
import type { Party } from '../../events/catalogue.ts'

export interface SentStream {
  readonly id: string
  /** `a=label` of its m-line. */
  readonly label: string
}

export interface SentParticipant {
  readonly id: string
  readonly party: Party
  readonly fromMs: number
  /** Absent while it is there. */
  readonly untilMs?: number
  /** Ids of streams: its own, unless it sends nothing now, and those that it hears. */
  readonly sends: readonly string[]
  readonly hears: readonly string[]
}

export interface Snapshot {
  readonly sessionId: string
  readonly startedAtMs: number
  readonly streams: readonly SentStream[]
  readonly participants: readonly SentParticipant[]
}

export const metadataType = 'application/rs-metadata+xml'

/** RFC 7865 §6.10: a UUID in base64. Of version 4, as all its bits but six are random (RFC 9562 §5.4). */
export function newMetadataId(): string {
  const bytes = randomBytes(16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('base64')
}

/** The elements stand in the order of the schema (§9.1). */
export function printMetadata(snapshot: Snapshot): string {
  const { sessionId, startedAtMs, streams, participants } = snapshot
  const since = (fromMs: number, untilMs?: number): string[] => [
    element('associate-time', {}, time(fromMs)),
    ...(untilMs === undefined ? [] : [element('disassociate-time', {}, time(untilMs))]),
  ]
  const recording = element(
    'recording',
    { xmlns: 'urn:ietf:params:xml:ns:recording:1' },
    element('datamode', {}, 'complete'),
    element('session', { session_id: sessionId }, element('start-time', {}, time(startedAtMs))),
    ...participants.map(({ id, party }) => element('participant', { participant_id: id }, nameOf(party))),
    ...streams.map(({ id, label }) =>
      element('stream', { stream_id: id, session_id: sessionId }, element('label', {}, text(label))),
    ),
    element('sessionrecordingassoc', { session_id: sessionId }, ...since(startedAtMs)),
    ...participants.map(({ id, fromMs, untilMs }) =>
      element('participantsessionassoc', { participant_id: id, session_id: sessionId }, ...since(fromMs, untilMs)),
    ),
    ...participants.map(({ id, sends, hears, fromMs, untilMs }) =>
      element(
        'participantstreamassoc',
        { participant_id: id },
        ...sends.map((stream) => element('send', {}, stream)),
        ...hears.map((stream) => element('recv', {}, stream)),
        ...since(fromMs, untilMs),
      ),
    ),
  )
  return `${xmlDeclaration}${recording}\r\n`
}

const nameOf = ({ uri, name }: Party): string =>
  element('nameID', { aor: uri }, ...(name === undefined ? [] : [element('name', {}, text(name))]))

const time = (ms: number): string => new Date(ms).toISOString()
