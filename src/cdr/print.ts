/**
 * Call detail records as text that programs and spreadsheets read, a line at a time.
 *
 * CSV is RFC 4180: a header, CRLF, quotes doubled. A name that a stranger gave himself must not become a formula where
 * the file is opened (OWASP, CSV Injection): what begins like one has an apostrophe before it. A telephone number
 * with its plus does not count as one.
 */
import { Readable } from 'node:stream'
import type { Cdr, CdrFilter, CdrStore } from './types.ts'

export const cdrFormats = ['csv', 'jsonl'] as const
export type CdrFormat = (typeof cdrFormats)[number]

const rowsAtATime = 200

const iso = (atMs: number | undefined): string => (atMs === undefined ? '' : new Date(atMs).toISOString())
const seconds = (ms: number): string => String(Math.round(ms / 100) / 10)

/** In the order of the columns. New ones are added at the end. */
const columns: readonly (readonly [name: string, value: (cdr: Cdr) => string | number | undefined])[] = [
  ['call_id', ({ callId }) => callId],
  ['kind', ({ kind }) => kind],
  ['direction', ({ direction }) => direction],
  ['from', ({ from }) => from],
  ['from_name', ({ fromName }) => fromName],
  ['from_extension', ({ fromExtension }) => fromExtension],
  ['to', ({ to }) => to],
  ['to_name', ({ toName }) => toName],
  ['to_extension', ({ toExtension }) => toExtension],
  ['started_at', ({ startedAtMs }) => iso(startedAtMs)],
  ['answered_at', ({ answeredAtMs }) => iso(answeredAtMs)],
  ['ended_at', ({ endedAtMs }) => iso(endedAtMs)],
  ['ring_seconds', ({ ringMs }) => seconds(ringMs)],
  ['talk_seconds', ({ talkMs }) => seconds(talkMs)],
  ['end_reason', ({ endReason }) => endReason],
  ['sip_status', ({ sipStatus }) => sipStatus],
  ['sip_call_ids', ({ sipCallIds }) => sipCallIds.join(' ')],
  ['codecs', ({ codecs }) => codecs.join(' ')],
  ['mos', ({ mos }) => mos],
  ['packets_received', ({ packetsReceived }) => packetsReceived],
  ['packets_lost', ({ packetsLost }) => packetsLost],
  ['recording_ids', ({ recordings }) => recordings.map(({ id }) => id).join(' ')],
  ['recording_states', ({ recordings }) => recordings.map(({ state }) => state).join(' ')],
  ['peer', ({ peer }) => peer],
  ['tags', ({ tags }) => tags.join(' ')],
]

export const csvHeader = `${columns.map(([name]) => name).join(',')}\r\n`

export const csvLine = (cdr: Cdr): string => `${columns.map(([, value]) => field(value(cdr))).join(',')}\r\n`

function field(value: string | number | undefined): string {
  const text = String(value ?? '')
  const safe = /^[=+\-@\t\r]/.test(text) && !/^\+\d{1,32}$/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** All records that fit, newest first, read as fast as they are taken. */
export const cdrStream = (store: CdrStore, filter: CdrFilter, format: CdrFormat): Readable =>
  Readable.from(linesOf(store, filter, format), { objectMode: false })

async function* linesOf(store: CdrStore, filter: CdrFilter, format: CdrFormat): AsyncGenerator<string> {
  if (format === 'csv') yield csvHeader
  let cursor: string | undefined
  do {
    const page = await store.page(filter, rowsAtATime, cursor)
    cursor = page.nextCursor
    yield page.items.map((cdr) => (format === 'csv' ? csvLine(cdr) : `${JSON.stringify(cdr)}\n`)).join('')
  } while (cursor !== undefined)
}
