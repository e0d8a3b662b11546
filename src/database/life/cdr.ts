/** Call detail records, made of calls, legs and recordings. */
import type { Kysely, Selectable, SqlBool } from 'kysely'
import { sql } from 'kysely'
import type { Cdr, CdrDirection, CdrFilter, CdrStore } from '../../cdr/types.ts'
import { personKey } from '../../core/person.ts'
import type { Quality } from '../../events/catalogue.ts'
import { parseCursor, printCursor } from '../cursor.ts'
import type { CallsTable, LegsTable, Tables } from '../tables.ts'

const one = sql.lit(1).as('one')

export function createCdrStore(db: Kysely<Tables>, settled: () => Promise<void>): CdrStore {
  return {
    async page(filter, limit, cursor) {
      await settled()
      let select = wanted(db, filter)
      if (cursor !== undefined) {
        const { startedAtMs, id } = parseCursor(cursor)
        select = select.where(
          sql<SqlBool>`(${sql.ref('calls.started_at_ms')}, ${sql.ref('calls.id')}) < (${startedAtMs}, ${id})`,
        )
      }
      const rows = await select
        .orderBy('started_at_ms', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      const items = await cdrsOf(db, rows.slice(0, limit))
      const last = rows[limit - 1]
      if (rows.length <= limit || !last) return { items }
      return { items, nextCursor: printCursor({ startedAtMs: last.started_at_ms, id: last.id }) }
    },
    async one(callId) {
      await settled()
      const rows = await db
        .selectFrom('calls')
        .selectAll()
        .where('id', '=', callId)
        .where('ended_at_ms', 'is not', null)
        .execute()
      return (await cdrsOf(db, rows))[0]
    },
  }
}

function wanted(db: Kysely<Tables>, filter: CdrFilter) {
  const { kind, fromMs, untilMs, person, extension, tag, endReason, answered, recorded } = filter
  let select = db.selectFrom('calls').selectAll('calls').where('ended_at_ms', 'is not', null)
  if (kind) select = select.where('kind', '=', kind)
  if (fromMs !== undefined) select = select.where('started_at_ms', '>=', fromMs)
  if (untilMs !== undefined) select = select.where('started_at_ms', '<', untilMs)
  if (endReason) select = select.where('end_reason', '=', endReason)
  if (answered !== undefined) select = select.where('answered_at_ms', answered ? 'is not' : 'is', null)
  if (extension)
    select = select.where((eb) => eb.or([eb('from_extension', '=', extension), eb('to_extension', '=', extension)]))
  if (person)
    select = select.where((eb) =>
      eb.exists(
        eb
          .selectFrom('call_people')
          .select(one)
          .whereRef('call_people.call_id', '=', 'calls.id')
          .where('call_people.person', '=', personKey(person) ?? ''),
      ),
    )
  if (tag)
    select = select.where((eb) =>
      eb.or([
        eb.exists(
          eb
            .selectFrom('call_tags')
            .select(one)
            .whereRef('call_tags.call_id', '=', 'calls.id')
            .where('call_tags.tag', '=', tag),
        ),
        eb.exists(
          eb
            .selectFrom('recording_tags')
            .innerJoin('recordings', 'recordings.id', 'recording_tags.recording_id')
            .select(one)
            .whereRef('recordings.call_id', '=', 'calls.id')
            .where('recording_tags.tag', '=', tag),
        ),
      ]),
    )
  if (recorded !== undefined)
    select = select.where((eb) => {
      const some = eb.exists(eb.selectFrom('recordings').select(one).whereRef('recordings.call_id', '=', 'calls.id'))
      return recorded ? some : eb.not(some)
    })
  return select
}

async function cdrsOf(db: Kysely<Tables>, calls: readonly Selectable<CallsTable>[]): Promise<Cdr[]> {
  if (calls.length === 0) return []
  const ids = calls.map(({ id }) => id)
  const legs = await db.selectFrom('legs').selectAll().where('call_id', 'in', ids).orderBy('position').execute()
  const recordings = await db
    .selectFrom('recordings')
    .select(['id', 'call_id', 'state', 'peer'])
    .where('call_id', 'in', ids)
    .orderBy('started_at_ms')
    .orderBy('id')
    .execute()
  const callTags = await db.selectFrom('call_tags').selectAll().where('call_id', 'in', ids).execute()
  const recordingTags = await db
    .selectFrom('recording_tags')
    .innerJoin('recordings', 'recordings.id', 'recording_tags.recording_id')
    .select(['recordings.call_id', 'recording_tags.tag'])
    .where('recordings.call_id', 'in', ids)
    .execute()
  return calls.map((call) => {
    const ofCall = <Row extends { readonly call_id: string }>(rows: readonly Row[]): Row[] =>
      rows.filter(({ call_id }) => call_id === call.id)
    const own = ofCall(recordings)
    const tags = [...ofCall(callTags), ...ofCall(recordingTags)].map(({ tag }) => tag)
    const peer = own.find((recording) => recording.peer !== null)?.peer
    return {
      ...partiesAndTimes(call),
      ...mediaOf(ofCall(legs)),
      recordings: own.map(({ id, state }) => ({ id, state })),
      ...(typeof peer === 'string' && { peer }),
      tags: [...new Set(tags)].toSorted(),
    }
  })
}

function partiesAndTimes(call: Selectable<CallsTable>) {
  const endedAtMs = call.ended_at_ms ?? call.seen_at_ms
  const answeredAtMs = call.answered_at_ms
  return {
    callId: call.id,
    kind: call.kind,
    direction: directionOf(call),
    from: call.from_uri,
    ...(call.from_name !== null && { fromName: call.from_name }),
    ...(call.from_extension !== null && { fromExtension: call.from_extension }),
    to: call.to_uri,
    ...(call.to_name !== null && { toName: call.to_name }),
    ...(call.to_extension !== null && { toExtension: call.to_extension }),
    startedAtMs: call.started_at_ms,
    ...(answeredAtMs !== null && { answeredAtMs }),
    endedAtMs,
    ringMs: Math.max(0, (answeredAtMs ?? endedAtMs) - call.started_at_ms),
    talkMs: answeredAtMs === null ? 0 : Math.max(0, endedAtMs - answeredAtMs),
    endReason: call.end_reason ?? ('interrupted' as const),
    ...(call.sip_status !== null && { sipStatus: call.sip_status }),
  }
}

function directionOf({ kind, from_extension: from, to_extension: to }: Selectable<CallsTable>): CdrDirection {
  if (kind === 'siprec') return 'recorded'
  if (from !== null) return to === null ? 'outbound' : 'internal'
  return to === null ? 'transit' : 'inbound'
}

function mediaOf(legs: readonly Selectable<LegsTable>[]) {
  const codecs = legs.flatMap(({ codec }) => codec ?? [])
  const scores = legs.flatMap(({ quality }) => (quality === null ? [] : ((JSON.parse(quality) as Quality).mos ?? [])))
  const sum = (column: 'packets_received' | 'packets_lost'): number =>
    legs.reduce((total, leg) => total + (leg[column] ?? 0), 0)
  return {
    sipCallIds: [...new Set(legs.map(({ sip_call_id }) => sip_call_id))],
    codecs: [...new Set(codecs)],
    ...(scores.length > 0 && { mos: Math.min(...scores) }),
    packetsReceived: sum('packets_received'),
    packetsLost: sum('packets_lost'),
  }
}
