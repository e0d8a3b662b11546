/**
 * The statements that each call runs again and again: Kysely makes the text of one once for each shape, later rows only
 * bring their values.
 *
 *   write-fact.ts  ── table, row ─▶  here  ── SQL, parameters ─▶  Kysely's driver
 */
import { type Compilable, CompiledQuery, type Insertable, type Transaction, type Updateable } from 'kysely'
import type { Tables } from './tables.ts'

/** Texts by shape, of each database that is open. Shapes are few: they follow the code, and `rowsPerInsert`. */
const textsOf = new WeakMap<object, Map<string, string>>()

/** SQLite takes 32,766 parameters a statement, others 65,535: many rows go in pieces. */
const rowsPerInsert = 200

/** @param rows All with the same columns in the same order; a value that is not known is null. */
export async function insertRows<Name extends keyof Tables>(
  db: Transaction<Tables>,
  table: Name,
  rows: readonly Insertable<Tables[Name]>[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsPerInsert) {
    const some = rows.slice(from, from + rowsPerInsert)
    const shape = `insert ${some.length} ${table} ${Object.keys(some[0] ?? {}).join()}`
    const parameters = some.flatMap((row) => Object.values(row))
    await run(db, shape, parameters, () => db.insertInto(table).values(some))
  }
}

/** @param changes Only columns that are known: an undefined one is left as it is. */
export async function updateRow<Name extends 'calls' | 'legs'>(
  db: Transaction<Tables>,
  table: Name,
  id: string,
  changes: Updateable<Tables[Name]>,
): Promise<void> {
  const known = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  const shape = `update ${table} ${Object.keys(known).join()}`
  await run(db, shape, [...Object.values(known), id], () =>
    // The compiler does not see that both tables have an `id`.
    db
      .updateTable(table as 'calls')
      .set(known)
      .where('id', '=', id),
  )
}

async function run(
  db: Transaction<Tables>,
  shape: string,
  parameters: readonly unknown[],
  make: () => Compilable,
): Promise<void> {
  const { adapter } = db.getExecutor()
  const texts = textsOf.get(adapter) ?? new Map<string, string>()
  textsOf.set(adapter, texts)
  const text = texts.get(shape) ?? make().compile().sql
  texts.set(shape, text)
  await db.executeQuery(CompiledQuery.raw(text, [...parameters]))
}
