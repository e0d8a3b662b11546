/** Which recordings a list shows: each filter a condition on `recordings`, all of them have to hold. */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely'
import type { RecordingQuery } from '../call/history.ts'
import { personKey } from '../core/person.ts'
import { matches } from './call-search.ts'
import type { Tables } from './tables.ts'

type Builder = ExpressionBuilder<Tables, 'recordings'>
type Condition = ExpressionWrapper<Tables, 'recordings', SqlBool>

export type RecordingFilter = Omit<RecordingQuery, 'limit' | 'cursor' | 'count'>

const one = sql.lit(1).as('one')

export function isWanted(eb: Builder, query: RecordingFilter): Condition {
  const { kind, search, fromMs, untilMs, person, peer, tag, minDurationMs, maxDurationMs, verdict, held, state } = query
  const conditions: Condition[] = []
  if (fromMs !== undefined) conditions.push(eb('started_at_ms', '>=', fromMs))
  if (untilMs !== undefined) conditions.push(eb('started_at_ms', '<', untilMs))
  if (minDurationMs !== undefined) conditions.push(eb('duration_ms', '>=', minDurationMs))
  if (maxDurationMs !== undefined) conditions.push(eb('duration_ms', '<=', maxDurationMs))
  if (peer) conditions.push(eb('peer', '=', peer))
  if (state) conditions.push(eb('state', '=', state))
  if (kind || search) conditions.push(callIs(eb, kind, search))
  if (person) conditions.push(hasPerson(eb, person))
  if (tag) conditions.push(hasTag(eb, tag))
  if (verdict) conditions.push(hasVerdict(eb, verdict))
  if (held !== undefined) conditions.push(held ? isHeld(eb) : eb.not(isHeld(eb)))
  return eb.and(conditions)
}

function callIs(eb: Builder, kind: RecordingFilter['kind'], search: string | undefined): Condition {
  let call = eb.selectFrom('calls').select(one).whereRef('calls.id', '=', 'recordings.call_id')
  if (kind) call = call.where('kind', '=', kind)
  if (search) call = call.where((inner) => matches(inner, search))
  return eb.exists(call)
}

/** Who is neither number nor address is in no call. */
const hasPerson = (eb: Builder, person: string): Condition =>
  eb.exists(
    eb
      .selectFrom('call_people')
      .select(one)
      .whereRef('call_people.call_id', '=', 'recordings.call_id')
      .where('call_people.person', '=', personKey(person) ?? ''),
  )

/** Of the recording, or of its call. */
const hasTag = (eb: Builder, tag: string): Condition =>
  eb.or([
    eb.exists(
      eb
        .selectFrom('recording_tags')
        .select(one)
        .whereRef('recording_tags.recording_id', '=', 'recordings.id')
        .where('recording_tags.tag', '=', tag),
    ),
    eb.exists(
      eb
        .selectFrom('call_tags')
        .select(one)
        .whereRef('call_tags.call_id', '=', 'recordings.call_id')
        .where('call_tags.tag', '=', tag),
    ),
  ])

/** One leg of the call was told so; the quality is kept as JSON. */
const hasVerdict = (eb: Builder, code: string): Condition =>
  eb.exists(
    eb
      .selectFrom('legs')
      .select(one)
      .whereRef('legs.call_id', '=', 'recordings.call_id')
      .where(
        sql<SqlBool>`${sql.ref('legs.quality')} like ${`%"code":"${code.replaceAll(/[!%_]/g, '!$&')}"%`} escape '!'`,
      ),
  )

const isHeld = (eb: Builder): Condition =>
  eb.exists(
    eb
      .selectFrom('holds')
      .select(one)
      .where('holds.lifted_at_ms', 'is', null)
      .where((inner) =>
        inner.or([
          inner.and([
            inner('holds.kind', '=', 'recording'),
            inner('holds.subject', '=', sql.ref<string>('recordings.id')),
          ]),
          inner.and([
            inner('holds.kind', '=', 'call'),
            inner('holds.subject', '=', sql.ref<string>('recordings.call_id')),
          ]),
          inner.and([
            inner('holds.kind', '=', 'person'),
            inner.exists(
              inner
                .selectFrom('call_people')
                .select(one)
                .where('call_people.call_id', '=', sql.ref<string>('recordings.call_id'))
                .whereRef('call_people.person', '=', 'holds.subject'),
            ),
          ]),
        ]),
      ),
  )
