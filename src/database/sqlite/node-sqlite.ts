/**
 * node:sqlite in the shape Kysely's SQLite dialect asks for (that of better-sqlite3), with prepared statements kept.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

/** The queries of the whole program are fewer; a list of ids of every length must not fill the memory. */
const keptStatements = 200

export function adapt(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>()
  return {
    close() {
      kept.clear()
      database.close()
    },
    prepare(text) {
      const known = kept.get(text)
      if (known) return known
      const statement = adaptStatement(database.prepare(text))
      if (kept.size >= keptStatements) kept.delete(kept.keys().next().value ?? '')
      kept.set(text, statement)
      return statement
    },
  }
}

const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[]

function adaptStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  }
}
