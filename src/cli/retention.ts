/** `patchbay retention` and `patchbay hold`: what is kept how long, and what may not be deleted. */
import { resolve } from 'node:path'
import { auditHere, userOfMachine, withDatabase } from '../administration.ts'
import { newHoldSchema, newRetentionRuleSchema } from '../api/schemas/retention.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import type { Settings } from '../core/settings/schema.ts'
import { Holds } from '../retention/holds.ts'
import { findOrphans } from '../retention/orphans.ts'
import { type Due, Retention } from '../retention/retention.ts'
import type { HoldStore, RetentionStore } from '../retention/types.ts'
import { type CommandContext, checked } from './commands.ts'
import { UsageError, wrongWord } from './expected.ts'

const mostShown = 50
const mostOrphans = 10_000

interface RetentionStores {
  readonly retention: RetentionStore
  readonly holds: HoldStore
}

/** A running server notices rules at its next sweep. */
export function runRetention(
  settings: Settings,
  { rest, given }: Pick<CommandContext, 'rest' | 'given'>,
): Promise<number> {
  const [action = '', what] = rest
  return withDatabase(settings, async (database) => {
    const retention = retentionOf(settings, database)
    switch (action) {
      case 'rules':
        for (const rule of await retention.rules()) console.log(JSON.stringify(rule))
        return 0
      case 'why':
        return why(retention, needed(what, 'the id of the recording'))
      case 'preview':
        return preview(retention)
      case 'orphans': {
        const folder = resolve(settings.recording.dir)
        const { items, complete } = await findOrphans(folder, database.retention, systemClock.wallMs(), mostOrphans)
        for (const { name, bytes, changedAtMs } of items)
          console.log(`${new Date(changedAtMs).toISOString()}\t${bytes}\t${name}`)
        console.log(`${items.length} files belong to no recording${complete ? '' : '; there are more'}`)
        return 0
      }
      case 'add': {
        const { kind, peer, tag, extension, days } = given
        const wanted = {
          name: needed(what, 'the name of the rule'),
          ...(kind !== undefined && { kind }),
          ...(peer !== undefined && { peer }),
          ...(tag !== undefined && { tag }),
          ...(extension !== undefined && { extension }),
          ...(days !== undefined && { days: wholeDays(days) }),
        }
        const rule = await retention.addRule(checked(newRetentionRuleSchema, wanted))
        await auditHere(database, 'retention-rule.added', `retention-rule:${rule.id}`, wanted)
        console.log(`rule ${rule.id} added`)
        return 0
      }
      case 'remove': {
        const id = needed(what, 'the id of the rule')
        await retention.removeRule(id)
        await auditHere(database, 'retention-rule.removed', `retention-rule:${id}`)
        console.log(`rule ${id} removed`)
        return 0
      }
      default:
        throw wrongWord('retention', action, 'rules, why, preview, orphans, add or remove')
    }
  })
}

function wholeDays(given: string | boolean): number {
  const days = Number(given)
  if (!Number.isInteger(days)) throw new UsageError('--days: a whole number')
  return days
}

export function runHold(settings: Settings, { rest, given }: Pick<CommandContext, 'rest' | 'given'>): Promise<number> {
  const [action = '', what] = rest
  const asker = { who: userOfMachine(), via: 'command-line' } as const
  return withDatabase(settings, async (database) => {
    const holds = new Holds({ store: database.holds, clock: systemClock })
    switch (action) {
      case 'list':
        for (const hold of await holds.list()) console.log(JSON.stringify(hold))
        return 0
      case 'add': {
        const { recording: recordingId, call: callId, person, why: reason } = given
        if (typeof reason !== 'string' || reason === '') throw new UsageError('--why is missing: why it is kept')
        if ([recordingId, callId, person].filter((one) => one !== undefined).length !== 1)
          throw new UsageError('hold add: give one of --recording, --call and --person')
        const hold = await holds.place(checked(newHoldSchema, { recordingId, callId, person, why: reason }), asker)
        console.log(`hold ${hold.id} placed`)
        return 0
      }
      case 'lift': {
        const { why: reason } = given
        if (typeof reason !== 'string' || reason === '') throw new UsageError('--why is missing: why it is lifted')
        const hold = await holds.lift(needed(what, 'the id of the hold'), reason, asker)
        console.log(`hold ${hold.id} lifted`)
        return 0
      }
      default:
        throw wrongWord('hold', action, 'list, add or lift')
    }
  })
}

const retentionOf = ({ recording }: Settings, { retention: store, holds }: RetentionStores): Retention =>
  new Retention({
    store,
    holds,
    clock: systemClock,
    log: silentLogger,
    settingDays: () => recording.cleanupDays,
    everyMs: 0,
    wake: () => {},
  })

function needed(given: string | undefined, what: string): string {
  if (given === undefined || given === '') throw new UsageError(`${what} is missing; see patchbay --help`)
  return given
}

async function why(retention: Retention, recordingId: string): Promise<number> {
  const due = await retention.why(recordingId)
  if (!due) throw new UsageError(`recording ${recordingId} is not there, is being made or is deleted`)
  console.log(inWords(due))
  for (const { by, name, days } of due.decision.reasons)
    console.log(`  ${by}${name === undefined ? '' : ` ${name}`}: ${days === undefined ? 'for ever' : `${days} days`}`)
  for (const hold of due.holds) console.log(`  hold ${hold.id} by ${hold.placedBy}: ${hold.why}`)
  return 0
}

async function preview(retention: Retention): Promise<number> {
  const { items, due, held, complete } = await retention.preview(mostShown)
  for (const item of items) console.log(`${item.recording.recordingId}\t${inWords(item)}`)
  console.log(
    `${due} would go now, ${held} of them are held${complete ? '' : '; there are more that were not looked at'}`,
  )
  return 0
}

function inWords({ decision: { keepUntilMs }, holds }: Due): string {
  if (holds.length > 0) return 'held'
  return keepUntilMs === undefined ? 'kept for ever' : `kept until ${new Date(keepUntilMs).toISOString()}`
}
