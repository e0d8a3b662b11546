/** `patchbay audit`: who did what, and whether the record of it is whole. */
import { withDatabase } from '../administration.ts'
import { Audit } from '../audit/audit.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import type { Settings } from '../core/settings/schema.ts'
import type { CommandContext } from './commands.ts'
import { UsageError, wrongWord } from './expected.ts'

const usualLimit = 50

/** @returns 1 when the record is not whole. */
export async function runAudit(settings: Settings, { rest, given }: CommandContext): Promise<number> {
  const [action = '', extra] = rest
  if (action !== 'list' && action !== 'verify') throw wrongWord('audit', action, 'list or verify')
  if (extra !== undefined) throw new UsageError(`"${extra}" was given besides; see patchbay --help`)
  return withDatabase(settings, async (database) => {
    const audit = new Audit({ store: database.audit, clock: systemClock, log: silentLogger })
    if (action === 'verify') return verify(audit, text(given['head']))
    const limit = Number(given['limit'] ?? usualLimit)
    if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit: a whole number of 1 or more')
    for (const record of await audit.list({ limit, subject: text(given['subject']) }))
      console.log(JSON.stringify(record))
    return 0
  })
}

const text = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

async function verify(audit: Audit, noted: string | undefined): Promise<number> {
  const { intact, records, head, broken, headFound } = await audit.verify(noted)
  if (broken) {
    console.log(`record ${broken.sequence} is ${broken.fault}; the ${records} before it are whole`)
    return 1
  }
  console.log(`${records} records, head ${head}`)
  if (headFound === false) console.log(`none of them has the hash ${noted}: later ones were taken away or made anew`)
  return intact ? 0 : 1
}
