/** The stores that the settings switch on. The client of a cloud is loaded when it is needed, and may not be installed. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { StorageSettings } from '../core/settings/archive-settings.ts'
import { resolveSecret } from '../core/settings/load.ts'
import type { StoreInUse } from './archive.ts'
import { AzureStore } from './azure/store.ts'
import { ArchiveError, wordsOf } from './failures.ts'
import { GcsStore } from './gcs/store.ts'
import { LocalStore } from './local/store.ts'
import { S3Store } from './s3/store.ts'
import type { ArchiveStore, StoreName } from './types.ts'

/** The local folder first: it is the quickest to read from. @throws {ArchiveError} @throws {SettingsError} */
export async function openStores(settings: StorageSettings, clock: Clock): Promise<readonly StoreInUse[]> {
  const stores: StoreInUse[] = []
  for (const name of storesOn(settings))
    stores.push({ store: await openers[name](settings, () => clock.wallMs()), prefix: settings[name].prefix })
  return stores
}

export function storesOn({ enabled, local, s3, gcs, azure }: StorageSettings): readonly StoreName[] {
  if (!enabled) return []
  const on = { local: local.dir !== '', s3: s3.enabled, gcs: gcs.enabled, azure: azure.enabled }
  return (['local', 's3', 'gcs', 'azure'] as const).filter((name) => on[name])
}

type Opener = (settings: StorageSettings, wallMs: () => number) => Promise<ArchiveStore>

/** What is empty was not given. */
const given = (text: string): string | undefined => (text === '' ? undefined : text)
const secret = (written: string): string | undefined => (written === '' ? undefined : resolveSecret(written))

const openers: Readonly<Record<StoreName, Opener>> = {
  local: ({ local }) => Promise.resolve(new LocalStore(resolve(local.dir))),

  async s3({ s3, lockDays, lockMode }, wallMs) {
    const sdk = await client('@aws-sdk/client-s3', () => import('@aws-sdk/client-s3'))
    const secretAccessKey = secret(s3.secretKey)
    const mode = lockMode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE'
    return new S3Store(
      sdk,
      {
        bucket: s3.bucket,
        region: s3.region,
        endpoint: given(s3.endpoint),
        pathStyle: s3.pathStyle,
        credentials:
          s3.accessKey !== '' && secretAccessKey !== undefined
            ? { accessKeyId: s3.accessKey, secretAccessKey }
            : undefined,
        encryption: s3.encryption === 'bucket' ? undefined : s3.encryption,
        kmsKey: given(s3.kmsKey),
        storageClass: given(s3.class),
        coldClass: given(s3.coldClass),
        lock: lockDays > 0 ? { mode, days: lockDays } : undefined,
      },
      wallMs,
    )
  },

  async gcs({ gcs, lockDays, lockMode }, wallMs) {
    const sdk = await client('@google-cloud/storage', () => import('@google-cloud/storage'))
    const account = accountOf(gcs.serviceAccount)
    const mode = lockMode === 'compliance' ? 'Locked' : 'Unlocked'
    return new GcsStore(
      sdk,
      {
        bucket: gcs.bucket,
        account,
        projectId: account?.project_id,
        endpoint: given(gcs.endpoint),
        kmsKey: given(gcs.kmsKey),
        storageClass: given(gcs.class),
        coldClass: given(gcs.coldClass),
        lock: lockDays > 0 ? { mode, days: lockDays } : undefined,
      },
      wallMs,
    )
  },

  async azure({ azure, lockDays, lockMode }, wallMs) {
    const sdk = await client('@azure/storage-blob', () => import('@azure/storage-blob'))
    const mode = lockMode === 'compliance' ? 'Locked' : 'Unlocked'
    return new AzureStore(
      sdk,
      {
        account: azure.account,
        container: azure.container,
        accessKey: secret(azure.accessKey),
        sasToken: secret(azure.sasToken),
        endpoint: given(azure.endpoint),
        encryptionScope: given(azure.encryptionScope),
        tier: given(azure.tier),
        coldTier: given(azure.coldTier),
        lock: lockDays > 0 ? { mode, days: lockDays } : undefined,
      },
      wallMs,
    )
  },
}

async function client<Sdk>(name: string, load: () => Promise<Sdk>): Promise<Sdk> {
  try {
    return await load()
  } catch (cause) {
    throw new ArchiveError('archive.client-missing', `run "npm install" without --omit=optional (${name})`, { cause })
  }
}

interface ServiceAccount {
  readonly client_email: string
  readonly private_key: string
  readonly project_id?: string
}

/** A path, or the JSON itself. @throws {ArchiveError} `archive.bad-settings` without a word of what it holds. */
function accountOf(written: string): ServiceAccount | undefined {
  if (written === '') return undefined
  const name = 'RECORDING_STORAGE_GCS_SERVICE_ACCOUNT'
  let text = written
  try {
    if (!written.trimStart().startsWith('{'))
      text = written.startsWith('env:') ? resolveSecret(written) : readFileSync(written.replace(/^file:/, ''), 'utf8')
  } catch (cause) {
    throw new ArchiveError('archive.bad-settings', `${name}: ${wordsOf(cause)}`, { cause })
  }
  try {
    const account = JSON.parse(text) as Partial<ServiceAccount>
    if (account.client_email !== undefined && account.private_key !== undefined) return account as ServiceAccount
  } catch {
    // Told below: the fault of a parser quotes what it read.
  }
  throw new ArchiveError('archive.bad-settings', `${name}: not the key file of a service account`)
}
