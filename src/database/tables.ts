/**
 * The tables as Kysely knows them. Names are snake case, times milliseconds since 1970, flags 0 or 1: all of it means
 * the same in SQLite, PostgreSQL and MariaDB. What makes them is in migrations/.
 */

import type { StoreName } from '../archive/types.ts'
import type { AuditVia } from '../audit/types.ts'
import type { Role } from '../auth/stores.ts'
import type { RecordingState } from '../call/history.ts'
import type { ErasureState, ExportState, Subject } from '../compliance/types.ts'
import type { SrtpMode } from '../core/srtp.ts'
import type { CallKind, Encryption, EndReason, LegRole } from '../events/catalogue.ts'
import type { JobState } from '../jobs/types.ts'
import type { HoldKind } from '../retention/types.ts'
import type { Dialect } from '../siprec/peers/dialects.ts'
import type { SiprecSrtpMode } from '../siprec/peers/peer.ts'

export interface Tables {
  calls: CallsTable
  legs: LegsTable
  recordings: RecordingsTable
  recording_files: RecordingFilesTable
  recording_tags: RecordingTagsTable
  call_tags: CallTagsTable
  call_notes: CallNotesTable
  call_people: CallPeopleTable
  retention_rules: RetentionRulesTable
  holds: HoldsTable
  exports: ExportsTable
  export_calls: ExportCallsTable
  erasures: ErasuresTable
  participants: ParticipantsTable
  traces: TracesTable
  siprec_metadata: SiprecMetadataTable
  call_keys: CallKeysTable
  life_signs: LifeSignsTable
  jobs: JobsTable
  recording_locations: RecordingLocationsTable
  extensions: ExtensionsTable
  registrations: RegistrationsTable
  siprec_peers: SiprecPeersTable
  siprec_sessions: SiprecSessionsTable
  users: UsersTable
  api_keys: ApiKeysTable
  sessions: SessionsTable
  audit: AuditTable
  proofs: ProofsTable
}

export interface ProofsTable {
  serial: number
  recording_id: string
  /** JSON; null when it was erased. */
  statement: string | null
  /** JSON. */
  link: string
  /** base64 */
  signature: string
}

export interface CallsTable {
  id: string
  kind: CallKind
  from_uri: string
  from_name: string | null
  from_extension: string | null
  from_private: number | null
  to_uri: string
  to_name: string | null
  to_extension: string | null
  started_at_ms: number
  answered_at_ms: number | null
  ended_at_ms: number | null
  end_reason: EndReason | null
  sip_status: number | null
  /** SIPREC: how much was wrong with its metadata. */
  metadata_problems: number | null
  /** When the last fact of it was told. */
  seen_at_ms: number
  /** What a search looks through: parties in lower case. Case folding differs between engines, so it is done here. */
  search: string
}

export interface LegsTable {
  id: string
  call_id: string
  /** Order within the call. */
  position: number
  role: LegRole
  party_uri: string
  party_name: string | null
  party_extension: string | null
  party_private: number | null
  sip_call_id: string
  transport: string
  remote: string
  label: string | null
  started_at_ms: number
  answered_at_ms: number | null
  ended_at_ms: number | null
  codec: string | null
  encryption: Encryption['encryption'] | null
  suite: string | null
  sip_status: number | null
  digits: string
  source: string | null
  packets_received: number | null
  packets_lost: number | null
  packets_sent: number | null
  jitter_ms: number | null
  /** JSON of the catalogue's Quality. */
  quality: string | null
  search: string
}

export interface RecordingsTable {
  id: string
  call_id: string
  state: RecordingState
  started_at_ms: number
  duration_ms: number | null
  failure_code: string | null
  failure_text: string | null
  /** JSON of the catalogue's RecordingMarks. */
  marks: string | null
  /** JSON of the catalogue's RecordedLegs. */
  heard: string | null
  /** The names of all its files begin with this; null until they are complete. */
  base_name: string | null
  deleted_at_ms: number | null
  /** The SIPREC peer, or the trunk that the call came in by. */
  peer: string | null
  /** Asked for with the call itself. */
  retention_days: number | null
}

export interface RecordingTagsTable {
  recording_id: string
  tag: string
}

export interface CallTagsTable {
  call_id: string
  tag: string
}

/** What a person wrote about a call. */
export interface CallNotesTable {
  id: string
  call_id: string
  at_ms: number
  who: string
  text: string
}

/** Everybody in a call by key (core/person.ts); the same one may stand there more than once. */
export interface CallPeopleTable {
  call_id: string
  person: string
}

export interface RetentionRulesTable {
  id: string
  name: string
  kind: CallKind | null
  peer: string | null
  tag: string | null
  extension: string | null
  /** Null: for ever. */
  days: number | null
  created_at_ms: number
}

export interface HoldsTable {
  id: string
  kind: HoldKind
  subject: string
  why: string
  placed_by: string
  placed_at_ms: number
  lifted_by: string | null
  lifted_at_ms: number | null
  lifted_why: string | null
}

export interface ExportsTable {
  id: string
  /** JSON of a Subject. */
  subject: string
  state: ExportState
  asked_by: string
  asked_at_ms: number
  done: number
  total: number
  bytes: number | null
  sha256: string | null
  expires_at_ms: number | null
  error: string | null
  /** Null before it is ready, and when it lacks nothing. */
  missing: number | null
}

export interface ExportCallsTable {
  export_id: string
  call_id: string
}

export interface ErasuresTable {
  id: string
  kind: Subject['kind']
  /** JSON of a Subject; null when it is over. */
  subject: string | null
  state: ErasureState
  asked_by: string
  asked_at_ms: number
  finished_at_ms: number | null
  /** JSON of an ErasureReport. */
  report: string | null
  audit_hash: string | null
  /** Why it is not over yet; null when nothing holds it up. */
  waits: string | null
}

/** What was done, by whom: each row's hash covers the one before (audit/chain.ts). */
export interface AuditTable {
  sequence: number
  at_ms: number
  who: string
  via: AuditVia
  source: string | null
  action: string
  subject: string | null
  /** JSON, as it was hashed. */
  details: string
  previous: string
  hash: string
}

export interface RecordingFilesTable {
  recording_id: string
  position: number
  name: string
  kind: 'leg' | 'combined' | 'raw'
  leg_id: string | null
  label: string | null
  channels: number
  sample_rate_hz: number
  samples: number
  bytes: number
  started_at_ms: number
}

export interface ParticipantsTable {
  recording_id: string
  position: number
  uri: string | null
  name: string | null
  leg_id: string | null
  label: string | null
  channel: number | null
  guessed: number | null
  /** A JSON list of HeardSpan. */
  heard: string | null
}

export interface TracesTable {
  call_id: string
  position: number
  at_ms: number
  direction: 'in' | 'out'
  transport: string
  local: string
  remote: string
  sip_call_id: string
  summary: string
  text: string
}

/** Each metadata document of a SIPREC session as it came. */
export interface SiprecMetadataTable {
  call_id: string
  position: number
  at_ms: number
  raw: string
  /** A JSON list of sentences. */
  problems: string
  /** JSON of the communication sessions so far. */
  sessions: string | null
  /** JSON of VendorFacts. */
  vendor: string | null
}

/** By what a call is found beside its parties: numbers of other systems, and who joined later. In lower case. */
export interface CallKeysTable {
  call_id: string
  /** `ucid`, `x-call-reference`, `callData/gcid`, `participant`. */
  name: string
  value: string
}

/** One row: when the process last wrote, while calls lived. Says when interrupted calls ended. */
export interface LifeSignsTable {
  id: number
  at_ms: number
}

/** A copy of one file in an archive. */
export interface RecordingLocationsTable {
  recording_id: string
  file: string
  store: StoreName
  key: string
  uri: string
  bytes: number
  sha256: string
  stored_at_ms: number
  cold: number
}

/** What still has to be done; what is done is gone. */
export interface JobsTable {
  id: string
  kind: string
  key: string
  subject: string | null
  /** JSON. */
  payload: string
  /** 0 is the most urgent. */
  priority: number
  state: JobState
  attempts: number
  not_before_ms: number
  added_at_ms: number
  last_error: string | null
  /** It was added once more while it ran. */
  again: number
}

export interface ExtensionsTable {
  number: string
  display_name: string
  realm: string
  ha1_md5: string
  ha1_sha256: string
  ha1_sha512: string | null
  ring_seconds: number
  record: number
  max_contacts: number
  /** Null: as the server's setting says. */
  srtp: SrtpMode | null
  /** Names, separated by commas. */
  codecs: string | null
  /** JSON of a VoiceProcessing. */
  sound: string | null
  /** As RECORD_TO has it; empty: none. */
  record_to: string | null
  created_at_ms: number
}

/** Recording sessions that run. */
export interface SiprecSessionsTable {
  id: string
  /** base64 */
  sealed: string
}

/** Recording clients. */
export interface SiprecPeersTable {
  id: string
  name: string
  enabled: number
  /** Addresses and networks, separated by commas. */
  sources: string
  username: string | null
  /** JSON of DigestHashes. */
  hashes: string | null
  certificate: string | null
  dialect: Dialect
  /** Null: as the server's setting says. */
  srtp: SiprecSrtpMode | null
  /** Names, separated by commas; null for all. */
  codecs: string | null
  retention_days: number | null
  /** A JSON list. */
  tags: string
  contact: string | null
  created_at_ms: number
}

/** Devices registered by datagrams: where they are reached after a restart. */
export interface RegistrationsTable {
  id: string
  extension: string
  contact: string
  /** A JSON list of Route values. */
  path: string
  local_ip: string
  local_port: number
  remote_ip: string
  remote_port: number
  sip_call_id: string
  cseq: number
  user_agent: string | null
  expires_at_ms: number
  proof: string
}

export interface UsersTable {
  id: string
  name: string
  password_hash: string
  role: Role
  created_at_ms: number
}

export interface ApiKeysTable {
  id: string
  name: string
  hash: string
  role: Role
  created_at_ms: number
  last_used_at_ms: number | null
}

export interface SessionsTable {
  hash: string
  user_id: string
  expires_at_ms: number
}
