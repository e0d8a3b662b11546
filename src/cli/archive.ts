/** `patchbay archive`: copies of recordings that were there before the archive. */
import { auditHere, withDatabase } from '../administration.ts'
import { storesOn } from '../archive/open-stores.ts'
import { backfill } from '../backfill.ts'
import { systemClock } from '../core/clock.ts'
import type { Settings } from '../core/settings/schema.ts'
import type { CommandContext } from './commands.ts'
import { UsageError, wrongWord } from './expected.ts'

/** A running server begins within seconds; else the next start does. */
export async function runArchive(
  settings: Settings,
  { rest, given }: Pick<CommandContext, 'rest' | 'given'>,
): Promise<number> {
  const [action = '', extra] = rest
  if (action !== 'backfill' || extra !== undefined) throw wrongWord('archive', rest.join(' '), 'backfill')
  const { sealing, storage } = settings
  if (storesOn(storage).length === 0 && !sealing.proof)
    throw new UsageError('neither a store (RECORDING_STORAGE_ENABLED) nor proof is switched on')
  const isDry = given['dry-run'] === true
  return withDatabase(settings, async (database) => {
    const { recordings, jobs, gone, goneInAll } = await backfill(
      settings,
      database,
      isDry ? undefined : systemClock.wallMs(),
    )
    if (!isDry) await auditHere(database, 'archive.backfilled', 'archive', { recordings, jobs })
    const [lack, add] = isDry ? ['lack', 'would be added'] : ['lacked', 'added']
    console.log(`${recordings} recordings ${lack} a copy or proof; ${jobs} jobs ${add}`)
    for (const id of gone) console.log(`${id}\ta file of it is not on the disk`)
    if (goneInAll > gone.length) console.log(`and ${goneInAll - gone.length} more`)
    return 0
  })
}
