/**
 * Brings a database to the layout this version knows, and refuses one that is newer.
 *
 * A migration is a numbered file in migrations/, listed here; once released it is never edited.
 */
import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { DatabaseError } from './failures.ts'
import { up as first } from './migrations/0001-first.ts'
import { up as registrations } from './migrations/0002-registrations.ts'
import { up as sha512 } from './migrations/0003-sha512.ts'
import { up as hidden } from './migrations/0004-private.ts'
import { up as quality } from './migrations/0005-quality.ts'
import { up as extensionSrtp } from './migrations/0006-extension-srtp.ts'
import { up as extensionCodecs } from './migrations/0007-extension-codecs.ts'
import { up as extensionSound } from './migrations/0008-extension-sound.ts'
import { up as legEncryption } from './migrations/0009-leg-encryption.ts'
import { up as originAndAudit } from './migrations/0010-origin-and-audit.ts'
import { up as recordingMarks } from './migrations/0011-recording-marks.ts'
import { up as siprecModel } from './migrations/0012-siprec-model.ts'
import { up as jobs } from './migrations/0013-jobs.ts'
import { up as life } from './migrations/0014-life.ts'
import { up as recordingHeard } from './migrations/0015-recording-heard.ts'
import { up as siprecPeers } from './migrations/0016-siprec-peers.ts'
import { up as proofs } from './migrations/0017-proofs.ts'
import { up as compliance } from './migrations/0018-compliance.ts'
import { up as siprecSessions } from './migrations/0019-siprec-sessions.ts'
import { up as recordingLocations } from './migrations/0020-recording-locations.ts'
import { up as extensionRecordTo } from './migrations/0021-extension-record-to.ts'
import { up as whatIsLeft } from './migrations/0022-what-is-left.ts'
import type { Tables } from './tables.ts'

const migrations: Readonly<Record<string, Migration>> = {
  '0001-first': { up: first },
  '0002-registrations': { up: registrations },
  '0003-sha512': { up: sha512 },
  '0004-private': { up: hidden },
  '0005-quality': { up: quality },
  '0006-extension-srtp': { up: extensionSrtp },
  '0007-extension-codecs': { up: extensionCodecs },
  '0008-extension-sound': { up: extensionSound },
  '0009-leg-encryption': { up: legEncryption },
  '0010-origin-and-audit': { up: originAndAudit },
  '0011-recording-marks': { up: recordingMarks },
  '0012-siprec-model': { up: siprecModel },
  '0013-jobs': { up: jobs },
  '0014-life': { up: life },
  '0015-recording-heard': { up: recordingHeard },
  '0016-siprec-peers': { up: siprecPeers },
  '0017-proofs': { up: proofs },
  '0018-compliance': { up: compliance },
  '0019-siprec-sessions': { up: siprecSessions },
  '0020-recording-locations': { up: recordingLocations },
  '0021-extension-record-to': { up: extensionRecordTo },
  '0022-what-is-left': { up: whatIsLeft },
}

/** @throws {DatabaseError} `database.newer-schema`, `database.migration-failed` */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const unknown = (await applied(db)).filter((name) => !(name in migrations))
  if (unknown.length > 0) throw new DatabaseError('database.newer-schema', `it knows ${unknown.join(', ')}`)
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } })
  const { error, results } = await migrator.migrateToLatest()
  if (error) {
    const failed = results?.find(({ status }) => status === 'Error')
    throw new DatabaseError('database.migration-failed', failed?.migrationName, { cause: error })
  }
}

async function applied(db: Kysely<Tables>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === 'kysely_migration')) return []
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .execute()
  return rows.map(({ name }) => name)
}
