/**
 * One server for one data folder. A second one would take the live calls of the first for interrupted ones.
 *
 * The claim is a lock that the operating system drops when the process dies, however it dies: SQLite has one on every
 * system (sqlite.org/lockingv3.html), so it is borrowed.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StartError } from './start-error.ts'

/**
 * @param folder Exists and can be written.
 * @returns Gives the folder back.
 * @throws {StartError} when another server holds it.
 */
export function claimFolder(folder: string): () => void {
  const lock = new DatabaseSync(join(folder, 'server.lock'), { timeout: 0 })
  try {
    lock.exec('begin exclusive')
  } catch (cause) {
    lock.close()
    throw new StartError(`${folder} is the data folder of a server that runs; choose another (DATA_DIR)`, { cause })
  }
  return () => lock.close()
}
