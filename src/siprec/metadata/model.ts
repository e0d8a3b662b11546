/**
 * What recording metadata says, as RFC 7865 §6 models it: groups, sessions, participants, streams, and who is
 * associated with what. One document, or all documents so far (merge.ts), have this shape.
 *
 * Ids are opaque strings: base64 UUIDs by the RFC, anything in the field.
 */
import type { MetadataSpan, VendorExtension } from '../../events/siprec.ts'

/** RFC 7865 §6.2: calls that belong together, a consultation and the call it is about. */
export interface MetadataGroup {
  readonly id: string
  readonly associatedAtMs?: number
  readonly disassociatedAtMs?: number
}

/** A communication session (RFC 7865 §6.3): the call that is recorded, as the client counts calls. */
export interface MetadataSession {
  readonly id: string
  /** Of the recorded dialogs: RFC 7989 session ids, or Call-IDs. */
  readonly sipSessionIds?: readonly string[]
  readonly reasons?: readonly MetadataReason[]
  readonly groupId?: string
  readonly startedAtMs?: number
  /** It is over; who was in it is there no more. */
  readonly stoppedAtMs?: number
  /** When it was part of this recording session (RFC 7865 §6.4). */
  readonly recorded?: readonly MetadataSpan[]
}

/** Why a session began or ended as it did (RFC 3326). */
export interface MetadataReason {
  readonly protocol: string
  readonly cause?: number
  readonly text?: string
}

export interface MetadataName {
  readonly text: string
  /** `xml:lang`. */
  readonly lang?: string
}

export interface MetadataParticipant {
  readonly id: string
  /** Addresses of record, `sip:bob@example.com`; the first is shown. */
  readonly uris: readonly string[]
  /** Every name of every address; the first is shown. */
  readonly names: readonly MetadataName[]
  /** True: the calling party; false: the called one; absent: not said (vendors' extensions). */
  readonly calling?: boolean
}

export interface MetadataStream {
  readonly id: string
  readonly sessionId?: string
  /** `a=label` of its m-line. */
  readonly label?: string
  /** Where no label is: its place among the recorded m-lines, from 0. */
  readonly place?: number
}

/** What a participant sends and receives now, by stream id (RFC 7865 §6.9.2). */
export interface MetadataSending {
  readonly send: readonly string[]
  readonly receive: readonly string[]
  readonly associatedAtMs?: number
  readonly disassociatedAtMs?: number
}

/** A participant in a session (RFC 7865 §6.8): it may come and go several times. */
export interface MetadataPresence {
  readonly present: boolean
  readonly spans: readonly MetadataSpan[]
  /** Its SIP feature tags and the like. */
  readonly params: readonly { readonly name: string; readonly value: string }[]
}

export interface MetadataState {
  readonly groups: ReadonlyMap<string, MetadataGroup>
  readonly sessions: ReadonlyMap<string, MetadataSession>
  readonly participants: ReadonlyMap<string, MetadataParticipant>
  readonly streams: ReadonlyMap<string, MetadataStream>
  /** By participant id. */
  readonly sending: ReadonlyMap<string, MetadataSending>
  /** Participant id to session id; no entry says nothing. */
  readonly presence: ReadonlyMap<string, ReadonlyMap<string, MetadataPresence>>
  /** Users of the addresses that extension data names as who called: `+12025550123`, `alice`. */
  readonly callers: readonly string[]
}

export interface MetadataDocument extends MetadataState {
  readonly mode: 'complete' | 'partial'
  /** As received, in the charset it came in. */
  readonly raw: string
  readonly problems: readonly string[]
  /** Foreign data, one entry a value. */
  readonly extensions: readonly VendorExtension[]
}

export const noMetadata: MetadataState = {
  groups: new Map(),
  sessions: new Map(),
  participants: new Map(),
  streams: new Map(),
  sending: new Map(),
  presence: new Map(),
  callers: [],
}

/** Takes part in at least one session that goes on, or nothing was said about it. */
export function isPresent(state: MetadataState, participantId: string): boolean {
  const sessions = state.presence.get(participantId)
  if (!sessions || sessions.size === 0) return true
  return [...sessions].some(([id, { present }]) => present && !isOver(state.sessions.get(id)))
}

/** The session stopped, or left this recording session. */
export function isOver(session: MetadataSession | undefined): boolean {
  const last = session?.recorded?.at(-1)
  return session?.stoppedAtMs !== undefined || last?.untilMs !== undefined
}

/** When a participant was last there, as the documents say: on its streams, else in its sessions. */
export function statedTimes({ sending, presence }: MetadataState, participantId: string): MetadataSpan {
  const streams = sending.get(participantId)
  const last = [...(presence.get(participantId)?.values() ?? [])].flatMap(({ spans }) => spans).at(-1)
  const fromMs = streams?.associatedAtMs ?? last?.fromMs
  const untilMs = streams?.disassociatedAtMs ?? last?.untilMs
  return { ...(fromMs !== undefined && { fromMs }), ...(untilMs !== undefined && { untilMs }) }
}
