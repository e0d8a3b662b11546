/** What the facts of SIPREC sessions carry of recording metadata (RFC 7865) and of the client's maker. */

/** Times as the metadata gives them; a client whose clock is not set says 1970. */
export interface MetadataSpan {
  readonly fromMs?: number
  /** Absent: it lasts. */
  readonly untilMs?: number
}

/** When somebody was heard on a stream: wall time here, of the messages that said so. */
export interface HeardSpan {
  readonly fromMs: number
  /** Absent: until the end. */
  readonly untilMs?: number
  /** The same by the clock of the client, where its documents say it. */
  readonly statedFromMs?: number
  readonly statedUntilMs?: number
}

/** A communication session and who was in it, by the documents so far. */
export interface CommunicationSession {
  readonly id: string
  /** Of the recorded dialogs: RFC 7989 session ids, or Call-IDs. */
  readonly sipSessionIds: readonly string[]
  readonly groupId?: string
  readonly startedAtMs?: number
  readonly stoppedAtMs?: number
  /** `SIP 486 Busy Here`. */
  readonly reasons: readonly string[]
  readonly participants: readonly SessionParticipant[]
}

export interface SessionParticipant {
  readonly id: string
  readonly uris: readonly string[]
  readonly names: readonly { readonly text: string; readonly lang?: string }[]
  readonly present: boolean
  /** As the documents say; one for each time it came. */
  readonly spans: readonly MetadataSpan[]
  /** Feature tags and the like. */
  readonly params: readonly { readonly name: string; readonly value: string }[]
  /** Labels of the streams it sends, and of those it receives. */
  readonly sends: readonly string[]
  readonly receives: readonly string[]
}

/** Whose product the recording client is, as far as its messages tell. */
export type VendorType =
  | 'oracle'
  | 'ribbon'
  | 'cisco'
  | 'broadworks'
  | 'avaya'
  | 'metaswitch'
  | 'audiocodes'
  | 'genesys'
  | 'jambonz'
  | 'opensips'
  | 'sems'
  | 'twilio'

/** What a recording client told beyond the RFCs: numbers by which other systems know the call. docs/siprec/metadata.md */
export interface VendorFacts {
  readonly type?: VendorType
  /** Avaya's Universal Call ID, 20 digits: node, sequence, time. */
  readonly ucid?: string
  /** User-to-User data (RFC 7433) as it came, hexadecimal. */
  readonly userToUser?: string
  /** RFC 7989 Session-ID: the local part, and the remote one behind `;remote=`. */
  readonly sessionId?: string
  /** Of a Cisco gateway: its Guid header, or GCI of its GTD body. */
  readonly ciscoGuid?: string
  /** Of Cisco BiB: the call of the recorded phone in its cluster. */
  readonly ciscoRefci?: string
  /** Ribbon's global call id. */
  readonly gcid?: string
  /** Call-ID of the recorded dialog, where a client names it. */
  readonly callId?: string
  readonly genesysUuid?: string
  /** BroadWorks' external tracking id; the recorded user and its provider. */
  readonly extTrackingId?: string
  readonly serviceProviderId?: string
  readonly userId?: string
  readonly recordingType?: string
  readonly jambonzCallSid?: string
  readonly jambonzAccountSid?: string
  /** IMS charging id (RFC 7315 §5.6). */
  readonly icid?: string
  /** `X-…` headers of the INVITE, by name in lower case; none that look like a secret. */
  readonly headers: Readonly<Record<string, string>>
  /** All foreign data of the metadata, in its order; the first 64 of them. */
  readonly extensions: readonly VendorExtension[]
}

export interface VendorExtension {
  /** The element it stands in: `recording`, `session`, `participant`, … */
  readonly of: string
  readonly id?: string
  readonly namespace: string
  /** Names from outside in: `callData/gcid`, `header[Call-ID]/value`, `agent@id`. */
  readonly path: string
  readonly value: string
}
