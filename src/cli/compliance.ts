/** `patchbay export` and `patchbay erase`. An export is written here and now; an erasure is done by the server. */
import { resolve } from 'node:path'
import { auditHere, userOfMachine, withDatabase } from '../administration.ts'
import type { WantedSubject } from '../compliance/subject.ts'
import type { ErasureReport } from '../compliance/types.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import type { Settings } from '../core/settings/schema.ts'
import { FactBus } from '../events/bus.ts'
import { Jobs } from '../jobs/runner.ts'
import { joinArchive } from '../join-archive.ts'
import { joinLife, type LifeParts, type LifeSide } from '../join-life.ts'
import { keyRingOf } from '../join-sealing.ts'
import type { CommandContext } from './commands.ts'
import { UsageError } from './expected.ts'

export function runExport(settings: Settings, { given, output }: CommandContext): Promise<number> {
  const wanted = subjectIn(given)
  if (output === undefined) throw new UsageError('--output is missing: the file to write')
  return withDatabase(settings, async (database) => {
    const { exports } = lifeOf(settings, database, await reading(settings, database))
    const { calls, missing } = await exports.writeTo(resolve(output), wanted, new AbortController().signal)
    await auditHere(database, 'export.made', 'export:command-line', {
      kind: wanted.callId === undefined ? 'person' : 'call',
      calls,
      missing: missing.length,
    })
    console.log(`${calls} calls written to ${output}`)
    for (const { file, why } of missing) console.error(`${file} is missing: ${why}`)
    return missing.length > 0 ? 1 : 0
  })
}

export function runErase(settings: Settings, { rest, given }: CommandContext): Promise<number> {
  return withDatabase(settings, async (database) => {
    const { erasures } = lifeOf(settings, database, idle(database))
    if (rest[0] === 'show') {
      const { state, report, waits, askedBy, auditHash } = await erasures.find(rest[1] ?? '')
      console.log(`${state}, asked for by ${askedBy}`)
      if (waits !== undefined) console.log(`waits: ${waits}`)
      if (report) tell(report)
      if (auditHash !== undefined) console.log(`audit record ${auditHash}`)
      return state === 'incomplete' ? 1 : 0
    }
    const wanted = subjectIn(given)
    if (given['yes'] !== true) {
      const { refused, ...counts } = await erasures.preview(wanted)
      tell({ ...counts, left: [], verified: false })
      console.log(
        refused
          ? `would be refused (${refused.code}): ${refused.text}`
          : 'nothing was changed; --yes --why TEXT erases it',
      )
      return refused ? 1 : 0
    }
    const { why } = given
    if (typeof why !== 'string' || why === '') throw new UsageError('--why is missing: it stands in the audit record')
    const { id } = await erasures.begin(wanted, why, { who: userOfMachine(), via: 'command-line' })
    console.log(
      `erasure ${id} begun; the server does it within seconds, or at its next start: patchbay erase show ${id}`,
    )
    return 0
  })
}

function subjectIn({ person, call }: CommandContext['given']): WantedSubject {
  if ((typeof person === 'string') === (typeof call === 'string'))
    throw new UsageError('give one of --person and --call')
  return typeof call === 'string' ? { callId: call } : { person: String(person).split(',') }
}

function tell({ calls, recordings, files, copies, rows, mentions, exports, left }: ErasureReport): void {
  console.log(
    `${calls} calls, ${recordings} recordings in ${files} files, ${exports} exports, ${mentions} mentions elsewhere`,
  )
  for (const [store, number] of Object.entries(copies)) console.log(`  archive ${store}: ${number} copies`)
  for (const [table, number] of Object.entries(rows)) console.log(`  ${table}: ${number} rows`)
  for (const { where, count, why } of left) console.log(`  left in ${where}: ${count}, ${why}`)
}

type Parts = Pick<LifeParts, 'jobs' | 'bus' | 'archive'>

/** Nothing of it runs here: jobs are for the server. */
function idle(database: LifeParts['database']): Parts {
  const bus = new FactBus()
  return {
    bus,
    jobs: new Jobs({ store: database.jobs, clock: systemClock, log: silentLogger, bus }),
    archive: { remove: () => Promise.resolve([]), open: () => Promise.resolve(undefined) },
  }
}

/** With the stores of the archive, which are read from as the server does. @throws {ArchiveError} when one cannot be used. */
async function reading(settings: Settings, database: LifeParts['database']): Promise<Parts> {
  const parts = idle(database)
  const recordingDir = resolve(settings.recording.dir)
  const { archive } = await joinArchive({
    ...parts,
    settings,
    clock: systemClock,
    log: silentLogger,
    database,
    recordingDir,
  })
  return { ...parts, archive }
}

const lifeOf = (settings: Settings, database: LifeParts['database'], parts: Parts): LifeSide =>
  joinLife({
    ...parts,
    settings: settings.recording,
    dataDir: settings.data.dir,
    clock: systemClock,
    log: silentLogger,
    database,
    recordingDir: resolve(settings.recording.dir),
    openKey: keyRingOf(settings, systemClock, silentLogger).openKey,
  })
