/** The keys of a call: by what it is found beside its parties. Written with each metadata document, looked up by index. */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql, type Transaction } from 'kysely'
import type { FactOf } from '../events/catalogue.ts'
import type { VendorFacts } from '../events/siprec.ts'
import { insertRows } from './statements.ts'
import type { CallKeysTable, Tables } from './tables.ts'

const longestName = 128
const longestValue = 255

/** Those that are not there yet; a session that lasts names the same ones again and again. */
export async function addCallKeys(db: Transaction<Tables>, fact: FactOf<'siprec.metadata-updated'>): Promise<void> {
  const wanted = keysOf(fact)
  if (wanted.length === 0) return
  const rows = await db.selectFrom('call_keys').select(['name', 'value']).where('call_id', '=', fact.callId).execute()
  const known = new Set(rows.map(({ name, value }) => `${name} ${value}`))
  const added = new Map(wanted.map((row) => [`${row.name} ${row.value}`, row]))
  await insertRows(
    db,
    'call_keys',
    [...added].filter(([key]) => !known.has(key)).map(([, row]) => row),
  )
}

function keysOf({ callId, participants, vendor }: FactOf<'siprec.metadata-updated'>): CallKeysTable[] {
  const people = participants.flatMap(({ uri, name }) => [uri, name].filter((value) => value !== undefined))
  const values = [...people.map((value) => ['participant', value] as const), ...(vendor ? valuesOf(vendor) : [])]
  return values.map(([name, value]) => ({
    call_id: callId,
    name: name.slice(0, longestName),
    value: value.toLowerCase().slice(0, longestValue),
  }))
}

const valuesOf = ({ headers, extensions, ...named }: VendorFacts): (readonly [string, string])[] => [
  ...Object.entries(named).filter(([name]) => name !== 'type'),
  ...Object.entries(headers),
  ...extensions.map(({ path, value }) => [path, value] as const),
]

type Condition = ExpressionWrapper<Tables, 'calls', SqlBool>

/** The call has this key, in full. */
export const hasKey = (eb: ExpressionBuilder<Tables, 'calls'>, value: string): Condition =>
  eb.exists(keysOfCall(eb).where('call_keys.value', '=', value.toLowerCase().slice(0, longestValue)))

/** @param pattern Of `like`, escaped by `!`. */
export const hasKeyLike = (eb: ExpressionBuilder<Tables, 'calls'>, pattern: string): Condition =>
  eb.exists(keysOfCall(eb).where(sql<SqlBool>`${sql.ref('call_keys.value')} like ${pattern} escape '!'`))

const keysOfCall = (eb: ExpressionBuilder<Tables, 'calls'>) =>
  eb.selectFrom('call_keys').select(sql.lit(1).as('one')).whereRef('call_keys.call_id', '=', 'calls.id')
