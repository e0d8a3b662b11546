/** Tags and notes of calls, who was in them, retention rules, legal holds. Calls from before get their people too. */
import type { Kysely } from 'kysely'
import { personKeys } from '../../core/person.ts'

const idType = 'varchar(64)'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('recordings').addColumn('deleted_at_ms', 'bigint').execute()
  await db.schema
    .createIndex('recordings_by_state')
    .on('recordings')
    .columns(['state', 'started_at_ms', 'id'])
    .execute()
  await db.schema.createIndex('recording_files_by_name').on('recording_files').column('name').execute()
  await createLabels(db)
  await createPeople(db)
  await db.schema
    .createTable('retention_rules')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('name', 'varchar(128)', (column) => column.notNull())
    .addColumn('kind', 'varchar(16)')
    .addColumn('peer', 'varchar(128)')
    .addColumn('tag', idType)
    .addColumn('extension', idType)
    .addColumn('days', 'integer')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('holds')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('kind', 'varchar(16)', (column) => column.notNull())
    .addColumn('subject', 'varchar(255)', (column) => column.notNull())
    .addColumn('why', 'text', (column) => column.notNull())
    .addColumn('placed_by', 'varchar(128)', (column) => column.notNull())
    .addColumn('placed_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('lifted_by', 'varchar(128)')
    .addColumn('lifted_at_ms', 'bigint')
    .addColumn('lifted_why', 'text')
    .execute()
  await db.schema.createIndex('holds_by_subject').on('holds').columns(['subject', 'kind']).execute()
}

async function createLabels(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('call_tags')
    .addColumn('call_id', idType, (column) => column.notNull().references('calls.id').onDelete('cascade'))
    .addColumn('tag', idType, (column) => column.notNull())
    .addPrimaryKeyConstraint('call_tags_key', ['call_id', 'tag'])
    .execute()
  await db.schema.createIndex('call_tags_by_tag').on('call_tags').column('tag').execute()
  await db.schema
    .createTable('call_notes')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('call_id', idType, (column) => column.notNull().references('calls.id').onDelete('cascade'))
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('who', 'varchar(128)', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('call_notes_by_call').on('call_notes').columns(['call_id', 'at_ms']).execute()
}

type Before = {
  calls: { id: string; from_uri: string; from_extension: string | null; to_uri: string; to_extension: string | null }
  legs: { call_id: string; party_uri: string; party_extension: string | null }
  recordings: { id: string; call_id: string }
  participants: { recording_id: string; uri: string | null }
  call_people: { call_id: string; person: string }
}

const callsAtATime = 200

async function createPeople(unknown: Kysely<unknown>): Promise<void> {
  await unknown.schema
    .createTable('call_people')
    .addColumn('call_id', idType, (column) => column.notNull().references('calls.id').onDelete('cascade'))
    .addColumn('person', 'varchar(255)', (column) => column.notNull())
    .execute()
  await unknown.schema.createIndex('call_people_by_person').on('call_people').columns(['person', 'call_id']).execute()
  await unknown.schema.createIndex('call_people_by_call').on('call_people').column('call_id').execute()
  const db = unknown.withTables<Before>()
  for (let behind = ''; ; ) {
    const calls = await db
      .selectFrom('calls')
      .selectAll()
      .where('id', '>', behind)
      .orderBy('id')
      .limit(callsAtATime)
      .execute()
    if (calls.length === 0) return
    behind = calls.at(-1)?.id ?? ''
    const ids = calls.map(({ id }) => id)
    const legs = await db.selectFrom('legs').selectAll().where('call_id', 'in', ids).execute()
    const participants = await db
      .selectFrom('participants')
      .innerJoin('recordings', 'recordings.id', 'participants.recording_id')
      .select(['recordings.call_id', 'participants.uri'])
      .where('recordings.call_id', 'in', ids)
      .execute()
    const rows = [
      ...calls.flatMap((call) => keys(call.id, call.from_uri, call.from_extension)),
      ...calls.flatMap((call) => keys(call.id, call.to_uri, call.to_extension)),
      ...legs.flatMap((leg) => keys(leg.call_id, leg.party_uri, leg.party_extension)),
      ...participants.flatMap(({ call_id, uri }) => (uri === null ? [] : keys(call_id, uri, null))),
    ]
    const fresh = [...new Map(rows.map((row) => [`${row.call_id} ${row.person}`, row])).values()]
    for (let from = 0; from < fresh.length; from += callsAtATime)
      await db
        .insertInto('call_people')
        .values(fresh.slice(from, from + callsAtATime))
        .execute()
  }
}

const keys = (callId: string, uri: string, extension: string | null): { call_id: string; person: string }[] =>
  personKeys(uri, extension ?? undefined).map((person) => ({ call_id: callId, person }))
