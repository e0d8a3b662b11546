/**
 * Cursors of lists that run newest first by (started_at_ms, id): the place after the last row of a page.
 *
 * Rows that come or go meanwhile neither repeat nor hide others, and a late page costs no more than the first.
 */
import { DatabaseError } from './failures.ts'

export interface Place {
  readonly startedAtMs: number
  readonly id: string
}

export const printCursor = (place: Place): string =>
  Buffer.from(`${place.startedAtMs}:${place.id}`, 'utf8').toString('base64url')

/** @throws {DatabaseError} `database.bad-cursor` */
export function parseCursor(cursor: string): Place {
  const match = /^(\d{1,15}):(.{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))
  if (!match?.[1] || !match[2]) throw new DatabaseError('database.bad-cursor')
  return { startedAtMs: Number(match[1]), id: match[2] }
}
