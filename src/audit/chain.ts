/**
 * What makes the audit record a chain: each record's hash covers the one before.
 *
 * Who changes, takes out or puts in a record has to make all later hashes anew, and then no longer meets a hash that
 * was noted elsewhere: the log tells the latest, and `patchbay audit verify --head HASH` looks for it. The end can be
 * cut off unseen only by who also knows that nobody noted it.
 *
 * Hash: SHA-256, in hex, over the UTF-8 of the JSON list
 * `[sequence, atMs, who, via, source or null, action, subject or null, details, previous]` without blanks; `details` is
 * the text of its JSON as it is stored.
 */
import { createHash } from 'node:crypto'
import type { AuditRecord } from './types.ts'

export const noHash = '0'.repeat(64)

/** A record before its hash; `details` is JSON. */
export interface Hashed extends Omit<AuditRecord, 'details' | 'hash'> {
  readonly details: string
}

export function hashOf(record: Hashed): string {
  const { sequence, atMs, who, via, source = null, action, subject = null, details, previous } = record
  return createHash('sha256')
    .update(JSON.stringify([sequence, atMs, who, via, source, action, subject, details, previous]))
    .digest('hex')
}

export type ChainFault = 'missing' | 'changed' | 'unlinked'

/** What is wrong with a record, seen from the one before; undefined when nothing is. */
export function faultOf(before: Pick<AuditRecord, 'sequence' | 'hash'>, record: AuditRecord): ChainFault | undefined {
  if (record.sequence !== before.sequence + 1) return 'missing'
  if (record.previous !== before.hash) return 'unlinked'
  if (hashOf({ ...record, details: JSON.stringify(record.details) }) !== record.hash) return 'changed'
  return undefined
}
