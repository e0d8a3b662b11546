/** From rows to the records of call/history.ts, and the other way. */
import type { Selectable } from 'kysely'
import type { CallRecord, LegRecord, RecordingRecord } from '../call/history.ts'
import type {
  MediaSummary,
  Participant,
  Party,
  Quality,
  RecordedLeg,
  RecordingFile,
  RecordingMark,
  TracedMessage,
} from '../events/catalogue.ts'
import type { HeardSpan } from '../events/siprec.ts'
import type {
  CallsTable,
  LegsTable,
  ParticipantsTable,
  RecordingFilesTable,
  RecordingsTable,
  TracesTable,
} from './tables.ts'

/** A record without the fields that are null in the row: absent means unknown. */
type Filled<Row> = { [Key in keyof Row]?: Exclude<Row[Key], null> }
function filled<Row extends object>(row: Row): Filled<Row> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Filled<Row>
}

const partyOf = (uri: string, name: string | null, extension: string | null, hidden: number | null = null): Party => ({
  uri,
  ...filled({ name, extension }),
  ...(hidden === 1 && { private: true }),
})

export const partiesOf = (row: Selectable<CallsTable>): Pick<CallRecord, 'kind' | 'from' | 'to'> => ({
  kind: row.kind,
  from: partyOf(row.from_uri, row.from_name, row.from_extension, row.from_private),
  to: partyOf(row.to_uri, row.to_name, row.to_extension),
})

export const callOf = (
  row: Selectable<CallsTable>,
  legs: readonly LegRecord[],
  recordings: readonly RecordingRecord[],
): CallRecord => ({
  id: row.id,
  ...partiesOf(row),
  startedAtMs: row.started_at_ms,
  ...filled({
    answeredAtMs: row.answered_at_ms,
    endedAtMs: row.ended_at_ms,
    endReason: row.end_reason,
    sipStatus: row.sip_status,
    metadataProblems: row.metadata_problems,
  }),
  legs,
  recordings,
})

export const legOf = (row: Selectable<LegsTable>): LegRecord => ({
  id: row.id,
  role: row.role,
  party: partyOf(row.party_uri, row.party_name, row.party_extension, row.party_private),
  sipCallId: row.sip_call_id,
  transport: row.transport,
  remote: row.remote,
  startedAtMs: row.started_at_ms,
  ...filled({
    label: row.label,
    answeredAtMs: row.answered_at_ms,
    endedAtMs: row.ended_at_ms,
    codec: row.codec,
    encryption: row.encryption,
    suite: row.suite,
    sipStatus: row.sip_status,
    media: mediaOf(row),
  }),
  digits: row.digits,
})

function mediaOf(row: Selectable<LegsTable>): MediaSummary | null {
  if (row.packets_received === null) return null
  return {
    ...filled({ codec: row.codec, source: row.source }),
    packetsReceived: row.packets_received,
    packetsLost: row.packets_lost ?? 0,
    packetsSent: row.packets_sent ?? 0,
    jitterMs: row.jitter_ms ?? 0,
    ...(row.quality !== null && { quality: JSON.parse(row.quality) as Quality }),
  }
}

export const recordingOf = (
  row: Selectable<RecordingsTable>,
  files: readonly RecordingFile[],
  participants: readonly Participant[],
  tags: readonly string[],
): RecordingRecord => ({
  id: row.id,
  callId: row.call_id,
  state: row.state,
  startedAtMs: row.started_at_ms,
  ...(row.marks !== null && { marks: JSON.parse(row.marks) as RecordingMark[] }),
  ...(row.heard !== null && { heard: JSON.parse(row.heard) as RecordedLeg[] }),
  ...filled({
    durationMs: row.duration_ms,
    peer: row.peer,
    retentionDays: row.retention_days,
    deletedAtMs: row.deleted_at_ms,
  }),
  tags,
  files,
  participants,
})

export const fileOf = (row: Selectable<RecordingFilesTable>): RecordingFile => ({
  name: row.name,
  kind: row.kind,
  ...filled({ legId: row.leg_id, label: row.label }),
  channels: row.channels,
  sampleRateHz: row.sample_rate_hz,
  samples: row.samples,
  bytes: row.bytes,
  startedAtMs: row.started_at_ms,
})

export const fileRow = (recordingId: string, position: number, file: RecordingFile): RecordingFilesTable => ({
  recording_id: recordingId,
  position,
  name: file.name,
  kind: file.kind,
  leg_id: file.legId ?? null,
  label: file.label ?? null,
  channels: file.channels,
  sample_rate_hz: file.sampleRateHz,
  samples: file.samples,
  bytes: file.bytes,
  started_at_ms: file.startedAtMs,
})

export const participantOf = (row: Selectable<ParticipantsTable>): Participant =>
  filled({
    uri: row.uri,
    name: row.name,
    legId: row.leg_id,
    label: row.label,
    channel: row.channel,
    guessed: row.guessed === null ? null : row.guessed === 1,
    heard: row.heard === null ? null : (JSON.parse(row.heard) as readonly HeardSpan[]),
  })

export const participantRow = (recordingId: string, position: number, who: Participant): ParticipantsTable => ({
  recording_id: recordingId,
  position,
  uri: who.uri ?? null,
  name: who.name ?? null,
  leg_id: who.legId ?? null,
  label: who.label ?? null,
  channel: who.channel ?? null,
  guessed: who.guessed === undefined ? null : Number(who.guessed),
  heard: who.heard ? JSON.stringify(who.heard) : null,
})

export const messageOf = (row: Selectable<TracesTable>): TracedMessage => ({
  atMs: row.at_ms,
  direction: row.direction,
  transport: row.transport,
  local: row.local,
  remote: row.remote,
  sipCallId: row.sip_call_id,
  summary: row.summary,
  text: row.text,
})

export const traceRow = (callId: string, position: number, message: TracedMessage): TracesTable => ({
  call_id: callId,
  position,
  at_ms: message.atMs,
  direction: message.direction,
  transport: message.transport,
  local: message.local,
  remote: message.remote,
  sip_call_id: message.sipCallId,
  summary: message.summary,
  text: message.text,
})

/** What a search looks through, in lower case: engines fold cases differently. */
export const searchText = (...parts: readonly (string | undefined)[]): string =>
  parts
    .filter((part) => part !== undefined)
    .join(' ')
    .toLowerCase()

export const partySearch = (party: Party): string => searchText(party.uri, party.name, party.extension)
