/** Joins the master keys of the settings to the recordings that are sealed with them. */
import { join, resolve } from 'node:path'
import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import type { RecordingKeys } from './recording/sealing.ts'
import type { CipherName } from './sealing/container/layout.ts'
import { AwsKms } from './sealing/keys/aws-kms.ts'
import { AzureKeyVault } from './sealing/keys/azure-key-vault.ts'
import { EnvironmentKeys } from './sealing/keys/environment-keys.ts'
import { FileKeys } from './sealing/keys/file-keys.ts'
import { GcpKms } from './sealing/keys/gcp-kms.ts'
import { KeyRing } from './sealing/keys/key-ring.ts'
import type { MasterKeys } from './sealing/keys/master-keys.ts'
import { ServiceKeys } from './sealing/keys/service-keys.ts'

const ciphers: Readonly<Record<Settings['sealing']['cipher'], CipherName>> = {
  'aes-256-gcm': 'AES-256-GCM',
  'chacha20-poly1305': 'ChaCha20-Poly1305',
}

/** Where the keys of new recordings are. */
export function keysIn({ keys, masterKey }: Settings['sealing']): Exclude<Settings['sealing']['keys'], 'auto'> {
  if (keys !== 'auto') return keys
  return masterKey === '' ? 'file' : 'environment'
}

/** Where key files are. */
export const keysFolder = ({ sealing, data }: Settings): string =>
  resolve(sealing.keysDir === '' ? join(data.dir, 'keys') : sealing.keysDir)

/** Of these settings, not begun: for reading, and for the command line. @throws {SealingError} `sealing.key-refused` */
export function keyRingOf(settings: Settings, clock: Clock, log: Logger): KeyRing {
  const { sealing } = settings
  const { cipher, rotateEvery } = sealing
  const sources = masterKeysOf(settings, clock)
  return new KeyRing({ sources, cipher: ciphers[cipher], rotateEveryMs: rotateEvery, clock, log })
}

/** Where master keys are, that of new recordings first. @throws {SealingError} `sealing.key-refused` */
export function masterKeysOf(settings: Settings, clock: Clock): readonly [MasterKeys, ...MasterKeys[]] {
  const { sealing } = settings
  const { keyBackupDir, masterKey, formerMasterKeys, keyId } = sealing
  const files = new FileKeys(keysFolder(settings), clock, keyBackupDir === '' ? undefined : resolve(keyBackupDir))
  const environment = new EnvironmentKeys([masterKey, ...formerMasterKeys].filter((key) => key !== ''))
  const wanted = keysIn(sealing)
  // Loaded on use: a server without them needs none of their packages.
  const services = [new AwsKms(), new GcpKms(), new AzureKeyVault()].map(
    (service) => new ServiceKeys(service, service.kind === wanted && keyId !== '' ? keyId : undefined, clock),
  )
  const all: readonly MasterKeys[] = [files, environment, ...services]
  const kind = wanted === 'environment' ? 'env' : wanted
  const chosen = all.find((each) => each.kind === kind) ?? files
  return [chosen, ...all.filter((each) => each !== chosen)]
}

/** Begin what new recordings are sealed with, if they are. @throws {SealingError} and what the file system throws. */
export async function recordingKeysOf(ring: KeyRing, { sealing }: Settings): Promise<RecordingKeys> {
  if (sealing.recordings) await ring.begin()
  return {
    newSeal: sealing.recordings ? (recordingId) => ring.newSeal(recordingId) : undefined,
    sealNotes: sealing.recordings && sealing.notes,
    sealAgain: ring.sealAgain,
    openKey: ring.openKey,
  }
}
