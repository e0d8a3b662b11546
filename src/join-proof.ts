/** Joins proofs to the recordings, the database and the key that signs them. */
import { resolve } from 'node:path'
import type { Clock } from './core/clock.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Database } from './database/open.ts'
import type { FactBus } from './events/bus.ts'
import { keysFolder } from './join-sealing.ts'
import { type ProofDeps, Proofs } from './proof/proofs.ts'
import { SigningKey } from './proof/signing-key.ts'
import type { AfterStep } from './recording/after.ts'
import type { OpenKey } from './sealing/container/reader.ts'

export interface ProofJoin {
  readonly settings: Settings
  readonly database: Pick<Database, 'proofs' | 'locations'>
  readonly openKey: OpenKey
  readonly clock: Clock
  readonly bus?: FactBus
}

/** @throws {ProofError} `proof.key-unreadable` */
export async function joinProofs({ settings, database, openKey, clock, bus }: ProofJoin): Promise<Proofs> {
  const { keyBackupDir } = settings.sealing
  const key = await SigningKey.open(keysFolder(settings), keyBackupDir === '' ? undefined : resolve(keyBackupDir))
  const folder = resolve(settings.recording.dir)
  const copiesOf: ProofDeps['copiesOf'] = async (recordingId) =>
    (await database.locations.of(recordingId)).filter(({ storedAtMs }) => storedAtMs > 0)
  return new Proofs({ store: database.proofs, folder, key, openKey, copiesOf, clock, ...(bus && { bus }) })
}

export const proveKind = 'recording.prove'

/** What comes first after a recording was stored, or converted: nobody has had time to change it. */
export const proofStep = (proofs: Proofs, wanted: boolean): AfterStep => ({
  kind: proveKind,
  parts: wanted ? [''] : [],
  atATime: 1,
  // It is on the way to the archive, and a disk that is full for a day has room again.
  attempts: Infinity,
  run: ({ recordingId }) => proofs.prove(recordingId),
})
