/** `patchbay cdr`: call detail records as CSV or JSON lines. */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { auditHere, withDatabase } from '../administration.ts'
import { cdrFilterSchema } from '../api/schemas/cdr.ts'
import { type CdrFormat, cdrFormats, cdrStream } from '../cdr/print.ts'
import type { Settings } from '../core/settings/schema.ts'
import { type CommandContext, checked } from './commands.ts'
import { UsageError } from './expected.ts'

export async function runCdr(settings: Settings, { rest, given, output }: CommandContext): Promise<number> {
  if (rest[0] !== undefined) throw new UsageError(`"${rest[0]}" was given besides; see patchbay --help`)
  const format = (given['format'] ?? 'csv') as CdrFormat
  if (!cdrFormats.includes(format)) throw new UsageError('--format: csv or jsonl')
  const { person, tag, extension, kind } = given
  const wanted = { person, tag, extension, kind, fromMs: timeOf(given['from']), untilMs: timeOf(given['until']) }
  const filter = checked(cdrFilterSchema, wanted)
  await withDatabase(settings, async (database) => {
    await auditHere(database, 'cdr.exported', 'cdr:all')
    const records = cdrStream(database.cdr, filter, format)
    if (output === undefined) await pipeline(records, process.stdout, { end: false })
    // Who called whom is nobody else's business.
    else await pipeline(records, createWriteStream(output, { mode: 0o600 }))
  })
  return 0
}

/** `2026-11-20` or with a time, UTC unless it says otherwise. */
function timeOf(given: string | boolean | undefined): number | undefined {
  if (typeof given !== 'string') return undefined
  const ms = Date.parse(/T.*[Z+-]|^[^T]*$/.test(given) ? given : `${given}Z`)
  if (Number.isNaN(ms)) throw new UsageError(`"${given}" is no date such as 2026-11-20 or 2026-11-20T08:00:00Z`)
  return ms
}
