/** Calls as they are kept: what the API and the console show of the past. Declared here, kept by database/. */
import type {
  CallKind,
  Encryption,
  EndReason,
  LegRole,
  MediaSummary,
  Participant,
  Party,
  RecordedLeg,
  RecordingFile,
  RecordingMark,
  TracedMessage,
} from '../events/catalogue.ts'
import type { CommunicationSession, VendorFacts } from '../events/siprec.ts'

export interface CallRecord {
  readonly id: string
  readonly kind: CallKind
  readonly from: Party
  readonly to: Party
  readonly startedAtMs: number
  readonly answeredAtMs?: number
  readonly endedAtMs?: number
  readonly endReason?: EndReason
  readonly sipStatus?: number
  /** SIPREC: how many faults its metadata had; the audio is there all the same. */
  readonly metadataProblems?: number
  readonly legs: readonly LegRecord[]
  readonly recordings: readonly RecordingRecord[]
}

export interface LegRecord extends Partial<Encryption> {
  readonly id: string
  readonly role: LegRole
  readonly party: Party
  readonly sipCallId: string
  readonly transport: string
  readonly remote: string
  readonly label?: string
  readonly startedAtMs: number
  readonly answeredAtMs?: number
  readonly endedAtMs?: number
  readonly codec?: string
  readonly sipStatus?: number
  readonly digits: string
  readonly media?: MediaSummary
}

/** `deleting`: its files are being removed. `deleted`: they are gone; what is known of it stays. */
export type RecordingState = 'recording' | 'stored' | 'interrupted' | 'failed' | 'deleting' | 'deleted'

export interface RecordingRecord {
  readonly id: string
  readonly callId: string
  readonly state: RecordingState
  readonly startedAtMs: number
  readonly durationMs?: number
  /** The SIPREC peer, or the trunk that the call came in by. */
  readonly peer?: string
  /** Asked for with the call itself, days after its end. */
  readonly retentionDays?: number
  readonly deletedAtMs?: number
  readonly tags: readonly string[]
  readonly files: readonly RecordingFile[]
  readonly participants: readonly Participant[]
  /** Pauses and mutes, oldest first; absent when there were none. */
  readonly marks?: readonly RecordingMark[]
  /** How well its legs were heard; absent of what a process that died left. */
  readonly heard?: readonly RecordedLeg[]
}

/** A recording with what a list has to show of its call. */
export interface RecordingWithCall extends RecordingRecord {
  readonly call: Pick<CallRecord, 'kind' | 'from' | 'to'>
}

export interface CallQuery {
  readonly kind?: CallKind
  /** Matches a party's URI, name or extension, a SIP Call-ID, or a key of another system, by substring. */
  readonly search?: string
  /** A number by which another system knows the call (UCID, Session-ID, gcid, …), in full. */
  readonly key?: string
  readonly endReason?: EndReason
  readonly recorded?: boolean
  readonly fromMs?: number
  readonly untilMs?: number
  /** 1..200 */
  readonly limit: number
  /** From the previous page; opaque. */
  readonly cursor?: string
}

export interface RecordingQuery extends Pick<CallQuery, 'limit' | 'cursor' | 'search' | 'kind' | 'fromMs' | 'untilMs'> {
  /** Somebody in the call, in full: a number or an address (core/person.ts). */
  readonly person?: string
  readonly peer?: string
  /** Of the recording or its call. */
  readonly tag?: string
  readonly minDurationMs?: number
  readonly maxDurationMs?: number
  /** Code of a quality verdict on a leg of the call: `one-way-audio`. */
  readonly verdict?: string
  /** Whether a legal hold stands on it. */
  readonly held?: boolean
  readonly state?: RecordingState
  /** Count them all. */
  readonly count?: boolean
}

export interface RecordingPage extends Page<RecordingWithCall> {
  /** Of all pages, when it was asked for; 10,000 means so many or more. */
  readonly total?: number
}

/** The metadata of a SIPREC session: the documents as they came, and what they say together. */
export interface CallMetadata {
  readonly documents: readonly MetadataDocumentRecord[]
  readonly sessions: readonly CommunicationSession[]
  readonly vendor?: VendorFacts
}

export interface MetadataDocumentRecord {
  readonly atMs: number
  readonly raw: string
  readonly problems: readonly string[]
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Ask for the next page with this; absent on the last. */
  readonly nextCursor?: string
}

/** Newest first. */
export interface CallHistory {
  calls(query: CallQuery): Promise<Page<CallRecord>>
  call(id: string): Promise<CallRecord | undefined>
  /** Undefined when the call has none. */
  metadata(callId: string): Promise<CallMetadata | undefined>
  /** SIP messages of an ended call, in order. */
  messages(callId: string): Promise<readonly TracedMessage[]>
  recordings(query: RecordingQuery): Promise<RecordingPage>
  recording(id: string): Promise<RecordingWithCall | undefined>
}
