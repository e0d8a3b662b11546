/**
 * What each fact changes in the tables: one short function a fact, all of them safe to run inside a larger
 * transaction. Facts that leave no trace (registrations, refusals) are not in the table.
 */
import type { Transaction } from 'kysely'
import type { RecordingState } from '../call/history.ts'
import { personKeys } from '../core/person.ts'
import type { FactName, FactOf, Participant, RecordingFile, RecordingOrigin } from '../events/catalogue.ts'
import { addCallKeys } from './call-keys.ts'
import { fileRow, participantRow, partySearch, searchText, traceRow } from './rows.ts'
import { insertRows, updateRow } from './statements.ts'
import type { Tables } from './tables.ts'

/** What a writer has to remember between facts of one call, since rows are never read back. */
export interface CallMemory {
  legs: number
  documents: number
  /** Keys that are in the table already. */
  readonly people: Set<string>
  /** Of the metadata documents so far. */
  problems: number
  readonly digits: Map<string, string>
}

type Write<Name extends FactName> = (
  db: Transaction<Tables>,
  fact: FactOf<Name>,
  memory: CallMemory,
) => Promise<unknown>

export const writers: { readonly [Name in FactName]?: Write<Name> } = {
  'call.started': async (db, fact, memory) => {
    await insertRows(db, 'calls', [
      {
        id: fact.callId,
        kind: fact.kind,
        from_uri: fact.from.uri,
        from_name: fact.from.name ?? null,
        from_extension: fact.from.extension ?? null,
        from_private: fact.from.private ? 1 : null,
        to_uri: fact.to.uri,
        to_name: fact.to.name ?? null,
        to_extension: fact.to.extension ?? null,
        started_at_ms: fact.atMs,
        seen_at_ms: fact.atMs,
        search: `${partySearch(fact.from)} ${partySearch(fact.to)}`,
      },
    ])
    await rememberPeople(db, fact.callId, [fact.from, fact.to], memory)
  },

  'call.ringing': (db, fact) => seen(db, fact.callId, fact.atMs),

  'call.answered': (db, fact) =>
    db
      .updateTable('calls')
      .set({ answered_at_ms: fact.atMs, seen_at_ms: fact.atMs })
      .where('id', '=', fact.callId)
      .where('answered_at_ms', 'is', null)
      .execute(),

  'call.ended': (db, fact) =>
    updateRow(db, 'calls', fact.callId, {
      ended_at_ms: fact.atMs,
      end_reason: fact.reason,
      sip_status: fact.sipStatus ?? null,
      seen_at_ms: fact.atMs,
    }),

  'call.traced': (db, fact) =>
    insertRows(
      db,
      'traces',
      fact.messages.map((message, position) => traceRow(fact.callId, position, message)),
    ),

  'leg.started': async (db, fact, memory) => {
    await insertRows(db, 'legs', [
      {
        id: fact.legId,
        call_id: fact.callId,
        position: memory.legs++,
        role: fact.role,
        party_uri: fact.party.uri,
        party_name: fact.party.name ?? null,
        party_extension: fact.party.extension ?? null,
        party_private: fact.party.private ? 1 : null,
        sip_call_id: fact.sipCallId,
        transport: fact.transport,
        remote: fact.remote,
        label: fact.label ?? null,
        started_at_ms: fact.atMs,
        digits: '',
        search: `${partySearch(fact.party)} ${searchText(fact.sipCallId)}`,
      },
    ])
    await rememberPeople(db, fact.callId, [fact.party], memory)
  },

  'leg.answered': (db, fact) => updateRow(db, 'legs', fact.legId, { answered_at_ms: fact.atMs, codec: fact.codec }),

  'leg.encryption': (db, { legId, encryption, suite = null }) => updateRow(db, 'legs', legId, { encryption, suite }),

  'leg.media-started': (db, fact) => updateRow(db, 'legs', fact.legId, { source: fact.source, codec: fact.codec }),

  'leg.digit': (db, fact, memory) => {
    const digits = (memory.digits.get(fact.legId) ?? '') + fact.digit
    memory.digits.set(fact.legId, digits)
    return updateRow(db, 'legs', fact.legId, { digits })
  },

  'leg.ended': (db, { legId, atMs, media, sipStatus }) =>
    updateRow(db, 'legs', legId, {
      ended_at_ms: atMs,
      sip_status: sipStatus,
      ...(media && {
        codec: media.codec,
        source: media.source,
        packets_received: media.packetsReceived,
        packets_lost: media.packetsLost,
        packets_sent: media.packetsSent,
        jitter_ms: media.jitterMs,
        quality: media.quality ? JSON.stringify(media.quality) : null,
      }),
    }),

  'recording.started': (db, fact) => insertRecording(db, fact, fact.atMs),

  'recording.stored': async (db, fact, memory) => {
    await ensureCall(db, fact)
    await ensureRecording(db, fact, fact.atMs - fact.durationMs)
    await db
      .updateTable('recordings')
      .set({
        // Whoever deletes it meanwhile is told its files, and goes on.
        state: (eb) =>
          eb
            .case()
            .when('state', 'in', ['deleting', 'deleted'])
            .then(eb.ref('state'))
            .else(eb.val<RecordingState>(fact.interrupted ? 'interrupted' : 'stored'))
            .end(),
        duration_ms: fact.durationMs,
        marks: fact.marks ? JSON.stringify(fact.marks) : null,
        heard: fact.heard ? JSON.stringify(fact.heard) : null,
        base_name: fact.baseName,
      })
      .where('id', '=', fact.recordingId)
      .execute()
    await replaceFiles(db, fact.recordingId, fact.files)
    await replaceParticipants(db, fact.recordingId, fact.participants)
    await rememberPeople(db, fact.callId, fact.participants, memory)
  },

  'recording.failed': async (db, fact) => {
    await ensureRecording(db, fact, fact.atMs)
    await db
      .updateTable('recordings')
      .set({ state: 'failed', failure_code: fact.code, failure_text: fact.text })
      .where('id', '=', fact.recordingId)
      // Deleted before it could be finished.
      .where('state', 'not in', ['deleting', 'deleted'])
      .execute()
  },

  'siprec.metadata-updated': async (db, fact, memory) => {
    await db
      .insertInto('siprec_metadata')
      .values({
        call_id: fact.callId,
        position: memory.documents++,
        at_ms: fact.atMs,
        raw: fact.raw,
        problems: JSON.stringify(fact.problems),
        sessions: JSON.stringify(fact.sessions),
        vendor: fact.vendor ? JSON.stringify(fact.vendor) : null,
      })
      .execute()
    memory.problems += fact.problems.length
    if (fact.problems.length > 0) await updateRow(db, 'calls', fact.callId, { metadata_problems: memory.problems })
    await addCallKeys(db, fact)
    const running = await db
      .selectFrom('recordings')
      .select('id')
      .where('call_id', '=', fact.callId)
      .where('state', '=', 'recording')
      .execute()
    for (const { id } of running) await replaceParticipants(db, id, fact.participants)
    await rememberPeople(db, fact.callId, fact.participants, memory)
  },
}

async function rememberPeople(
  db: Transaction<Tables>,
  callId: string,
  people: readonly { readonly uri?: string; readonly extension?: string }[],
  memory: CallMemory,
): Promise<void> {
  const keys = people.flatMap(({ uri, extension }) => (uri === undefined ? [] : personKeys(uri, extension)))
  const fresh = [...new Set(keys)].filter((key) => !memory.people.has(key))
  for (const key of fresh) memory.people.add(key)
  await insertRows(
    db,
    'call_people',
    fresh.map((person) => ({ call_id: callId, person })),
  )
}

const seen = (db: Transaction<Tables>, callId: string, atMs: number) =>
  updateRow(db, 'calls', callId, { seen_at_ms: atMs })

interface RecordingBegun {
  readonly recordingId: string
  readonly callId: string
  readonly origin?: RecordingOrigin
}

/** A recording is kept though its call could not be written, because the disk was full then: what is known of it is who spoke. */
async function ensureCall(db: Transaction<Tables>, fact: FactOf<'recording.stored'>): Promise<void> {
  const { callId, atMs, durationMs, files, participants } = fact
  const known = await db.selectFrom('calls').select('id').where('id', '=', callId).executeTakeFirst()
  if (known) return
  const [from, to] = [participants[0], participants[1]].map((who) => ({ name: who?.name, uri: who?.uri ?? nobody }))
  await insertRows(db, 'calls', [
    {
      id: callId,
      kind: files.some(({ label }) => label !== undefined) ? 'siprec' : 'pbx',
      from_uri: from?.uri ?? nobody,
      from_name: from?.name ?? null,
      to_uri: to?.uri ?? nobody,
      to_name: to?.name ?? null,
      started_at_ms: atMs - durationMs,
      ended_at_ms: atMs,
      end_reason: 'interrupted',
      seen_at_ms: atMs,
      search: participants.map(({ uri = '', name = '' }) => searchText(`${name} ${uri}`)).join(' '),
    },
  ])
}

/** RFC 3323 §4.1.1.3. */
const nobody = 'sip:anonymous@anonymous.invalid'

/** A repaired recording may be one whose start was never written. */
async function ensureRecording(db: Transaction<Tables>, fact: RecordingBegun, startedAtMs: number): Promise<void> {
  const known = await db.selectFrom('recordings').select('id').where('id', '=', fact.recordingId).executeTakeFirst()
  if (!known) await insertRecording(db, fact, startedAtMs)
}

async function insertRecording(
  db: Transaction<Tables>,
  { recordingId, callId, origin }: RecordingBegun,
  startedAtMs: number,
): Promise<void> {
  await db
    .insertInto('recordings')
    .values({
      id: recordingId,
      call_id: callId,
      state: 'recording',
      started_at_ms: startedAtMs,
      peer: origin?.peer ?? null,
      retention_days: origin?.retentionDays ?? null,
    })
    .execute()
  const tags = [...new Set(origin?.tags)].map((tag) => ({ recording_id: recordingId, tag }))
  if (tags.length > 0) await db.insertInto('recording_tags').values(tags).execute()
}

async function replaceFiles(
  db: Transaction<Tables>,
  recordingId: string,
  files: readonly RecordingFile[],
): Promise<void> {
  await db.deleteFrom('recording_files').where('recording_id', '=', recordingId).execute()
  if (files.length === 0) return
  await db
    .insertInto('recording_files')
    .values(files.map((file, position) => fileRow(recordingId, position, file)))
    .execute()
}

async function replaceParticipants(
  db: Transaction<Tables>,
  recordingId: string,
  participants: readonly Participant[],
): Promise<void> {
  await db.deleteFrom('participants').where('recording_id', '=', recordingId).execute()
  if (participants.length === 0) return
  await db
    .insertInto('participants')
    .values(participants.map((who, position) => participantRow(recordingId, position, who)))
    .execute()
}
