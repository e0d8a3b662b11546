/** Calls and recordings as they are kept, newest first: reads what the journal wrote. */
import type { ExpressionBuilder, ExpressionWrapper, Kysely, Selectable, SqlBool } from 'kysely'
import { sql } from 'kysely'
import type {
  CallHistory,
  CallQuery,
  CallRecord,
  Page,
  RecordingPage,
  RecordingQuery,
  RecordingRecord,
  RecordingWithCall,
} from '../call/history.ts'
import { hasKey } from './call-keys.ts'
import { callMetadata } from './call-metadata.ts'
import { matches } from './call-search.ts'
import { type Place, parseCursor, printCursor } from './cursor.ts'
import { isWanted } from './recordings-filter.ts'
import { callOf, fileOf, legOf, messageOf, participantOf, partiesOf, recordingOf } from './rows.ts'
import type { CallsTable, RecordingsTable, Tables } from './tables.ts'

/** More are not counted: a person reads `10000` as many. */
const mostCounted = 10_000

type Condition = ExpressionWrapper<Tables, 'calls', SqlBool>

/** @param settled Resolves when all facts told so far are written, so that a reader sees what it has just heard of. */
export function createCallHistory(db: Kysely<Tables>, settled: () => Promise<void>): CallHistory {
  return {
    async calls(query) {
      await settled()
      return callsPage(db, query)
    },
    async call(id) {
      await settled()
      const rows = await db.selectFrom('calls').selectAll().where('id', '=', id).execute()
      return (await withParts(db, rows))[0]
    },
    async metadata(callId) {
      await settled()
      return callMetadata(db, callId)
    },
    async messages(callId) {
      await settled()
      const rows = await db.selectFrom('traces').selectAll().where('call_id', '=', callId).orderBy('position').execute()
      return rows.map(messageOf)
    },
    async recordings(query) {
      await settled()
      return recordingsPage(db, query)
    },
    async recording(id) {
      await settled()
      const rows = await db.selectFrom('recordings').selectAll().where('id', '=', id).execute()
      return (await withCalls(db, await withFiles(db, rows)))[0]
    },
  }
}

async function callsPage(db: Kysely<Tables>, query: CallQuery): Promise<Page<CallRecord>> {
  let select = db.selectFrom('calls').selectAll()
  if (query.kind) select = select.where('kind', '=', query.kind)
  if (query.endReason) select = select.where('end_reason', '=', query.endReason)
  if (query.fromMs !== undefined) select = select.where('started_at_ms', '>=', query.fromMs)
  if (query.untilMs !== undefined) select = select.where('started_at_ms', '<', query.untilMs)
  const { search, recorded, key } = query
  if (key) select = select.where((eb) => hasKey(eb, key))
  if (search) select = select.where((eb) => matches(eb, search))
  if (recorded !== undefined) select = select.where((eb) => (recorded ? isRecorded(eb) : eb.not(isRecorded(eb))))
  if (query.cursor) select = select.where(isBehind(parseCursor(query.cursor)))
  const rows = await select
    .orderBy('started_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute()
  return cut(await withParts(db, rows.slice(0, query.limit)), rows.length > query.limit)
}

async function recordingsPage(db: Kysely<Tables>, query: RecordingQuery): Promise<RecordingPage> {
  const wanted = db.selectFrom('recordings').where((eb) => isWanted(eb, query))
  let select = wanted.selectAll('recordings')
  if (query.cursor) select = select.where(isBehind(parseCursor(query.cursor)))
  const rows = await select
    .orderBy('started_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute()
  const records = await withFiles(db, rows.slice(0, query.limit))
  const page = cut(await withCalls(db, records), rows.length > query.limit)
  if (!query.count) return page
  const counted = wanted.select('recordings.id').limit(mostCounted)
  const { total } = await db
    .selectFrom(counted.as('counted'))
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { ...page, total }
}

/** Newest first, what comes after this place: a row value compares as the order of the list does. */
const isBehind = ({ startedAtMs, id }: Place) =>
  sql<SqlBool>`(${sql.ref('started_at_ms')}, ${sql.ref('id')}) < (${startedAtMs}, ${id})`

function cut<Item extends Place>(items: readonly Item[], more: boolean): Page<Item> {
  const last = items.at(-1)
  return more && last ? { items, nextCursor: printCursor(last) } : { items }
}

function isRecorded(eb: ExpressionBuilder<Tables, 'calls'>): Condition {
  return eb.exists(
    eb.selectFrom('recordings').select(sql.lit(1).as('one')).whereRef('recordings.call_id', '=', 'calls.id'),
  )
}

async function withParts(db: Kysely<Tables>, rows: readonly Selectable<CallsTable>[]): Promise<CallRecord[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const legRows = await db.selectFrom('legs').selectAll().where('call_id', 'in', ids).orderBy('position').execute()
  const recordingRows = await db
    .selectFrom('recordings')
    .selectAll()
    .where('call_id', 'in', ids)
    .orderBy('started_at_ms')
    .orderBy('id')
    .execute()
  const legs = Map.groupBy(legRows, ({ call_id }) => call_id)
  const recordings = Map.groupBy(await withFiles(db, recordingRows), ({ callId }) => callId)
  return rows.map((row) => callOf(row, (legs.get(row.id) ?? []).map(legOf), recordings.get(row.id) ?? []))
}

/** Rows of recordings with their files, people and tags. */
export async function withFiles(
  db: Kysely<Tables>,
  rows: readonly Selectable<RecordingsTable>[],
): Promise<RecordingRecord[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const fileRows = await db
    .selectFrom('recording_files')
    .selectAll()
    .where('recording_id', 'in', ids)
    .orderBy('position')
    .execute()
  const participantRows = await db
    .selectFrom('participants')
    .selectAll()
    .where('recording_id', 'in', ids)
    .orderBy('position')
    .execute()
  const tagRows = await db
    .selectFrom('recording_tags')
    .selectAll()
    .where('recording_id', 'in', ids)
    .orderBy('tag')
    .execute()
  const files = Map.groupBy(fileRows, ({ recording_id }) => recording_id)
  const participants = Map.groupBy(participantRows, ({ recording_id }) => recording_id)
  const tags = Map.groupBy(tagRows, ({ recording_id }) => recording_id)
  return rows.map((row) =>
    recordingOf(
      row,
      (files.get(row.id) ?? []).map(fileOf),
      (participants.get(row.id) ?? []).map(participantOf),
      (tags.get(row.id) ?? []).map(({ tag }) => tag),
    ),
  )
}

async function withCalls(db: Kysely<Tables>, recordings: readonly RecordingRecord[]): Promise<RecordingWithCall[]> {
  if (recordings.length === 0) return []
  const ids = [...new Set(recordings.map(({ callId }) => callId))]
  const rows = await db.selectFrom('calls').selectAll().where('id', 'in', ids).execute()
  const calls = new Map(rows.map((row) => [row.id, partiesOf(row)]))
  return recordings.flatMap((recording) => {
    const call = calls.get(recording.callId)
    return call ? [{ ...recording, call }] : []
  })
}
