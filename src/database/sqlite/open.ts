/** Opens the SQLite file: the only place with words that only SQLite knows. */
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
import type { Clock } from '../../core/clock.ts'
import { countInFile } from '../../core/count-in-file.ts'
import type { Logger } from '../../core/logger.ts'
import { DatabaseError } from '../failures.ts'
import type { Tables } from '../tables.ts'
import { Checkpoints } from './checkpoints.ts'
import { adapt } from './node-sqlite.ts'

const inMemory = ':memory:'
/** How long a write waits for another process (a backup, the command line) before it fails. */
const busyMs = 5_000
/**
 * A log longer than this, in pages of 4 KiB, is written back by whoever commits, though a thread does so every five
 * seconds: what bounds it when the disk of a busy server is slow. 300 calls a second make 10,000 pages in that time.
 */
const longestLogPages = 32_768

/** Half a second of a usual disk. */
const mostMadeAnew = 128 << 20

export interface OpenedSqlite {
  readonly db: Kysely<Tables>
  /** Another number than before: another process has written (sqlite.org/pragma.html#pragma_data_version). */
  readonly foreignVersion: () => number
  /** From now on a thread of its own writes the log back into the file. Undefined when there is no file. */
  /**
   * Writes the log back whole. When one of the texts still stands in the file, all pages are made anew, which holds up
   * everybody: not in a file larger than `mostMadeAnew`.
   * @returns How often one of them stands there at the end.
   */
  readonly scrub: (texts: readonly string[]) => Promise<number>
  readonly startCheckpoints: (clock: Clock, log: Logger) => Checkpoints | undefined
}

/**
 * @param path A file, made with its folder when missing and readable by its owner only, or `:memory:`.
 * @throws {DatabaseError} `database.cannot-open`
 */
export function openSqlite(path: string): OpenedSqlite {
  const file = openFile(path)
  const version = file.prepare('pragma data_version')
  return {
    db: new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapt(file) }) }),
    scrub: (texts) => scrub(file, path, texts),
    foreignVersion: () => Number(version.get()?.['data_version']),
    startCheckpoints(clock, log) {
      if (path === inMemory) return undefined
      file.exec(`pragma wal_autocheckpoint = ${longestLogPages}`)
      return new Checkpoints(path, clock, log)
    },
  }
}

async function scrub(file: DatabaseSync, path: string, texts: readonly string[]): Promise<number> {
  if (path === inMemory) return 0
  const writeBack = (): void => file.exec('pragma wal_checkpoint(truncate)')
  writeBack()
  const found = await countInFile(path, texts)
  if (found === 0 || statSync(path).size > mostMadeAnew || file.isTransaction) return found
  file.exec('vacuum')
  writeBack()
  return countInFile(path, texts)
}

function openFile(path: string): DatabaseSync {
  try {
    if (path !== inMemory) {
      mkdirSync(dirname(path), { recursive: true })
      closeSync(openSync(path, 'a', 0o600))
    }
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: busyMs })
    // NORMAL in WAL mode: a killed process loses nothing, a power cut at most the last transactions (sqlite.org/wal.html).
    // Deleted rows are overwritten with zeros (sqlite.org/pragma.html#pragma_secure_delete): an erasure counts on it.
    database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on;')
    return database
  } catch (error) {
    throw new DatabaseError('database.cannot-open', path, { cause: error })
  }
}
