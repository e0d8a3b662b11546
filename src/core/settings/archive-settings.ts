/** Settings of archives: where finished recordings are copied to. docs/archive.md shows how each store is set up. */
import { z } from 'zod'
import { duration, flag, fromText, oneOf, setting, text, whole } from './fields.ts'

const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never)

const prefixError =
  'a folder within the store, of letters, digits, ._-/ and {yyyy} {mm} {dd} {hh} {kind} {peer} {from} {to} {call} {recording}'
/** A store's own folder for recordings, with places that each recording fills. */
const prefix = () =>
  fromText(
    (given) => given.replaceAll(/^\/+|\/+$/g, ''),
    z
      .string()
      .refine((given) => /^(?:[\w.@/-]|\{(?:yyyy|mm|dd|hh|kind|peer|from|to|call|recording)\})*$/.test(given), {
        error: prefixError,
      })
      .refine((given) => !given.split('/').some((part) => part === '..' || part === '.'), { error: prefixError }),
  )

const prefixMeaning =
  'Folder within it; `{yyyy} {mm} {dd} {hh} {kind} {peer} {from} {to} {call} {recording}` stand for what each recording has (UTC).'

export const storageSettings = section({
  enabled: setting(flag().default(false), {
    env: 'RECORDING_STORAGE_ENABLED',
    description: 'Copy finished recordings to the stores that are switched on ([archive.md](archive.md)).',
  }),
  keepLocal: setting(flag().default(true), {
    env: 'RECORDING_STORAGE_KEEP_LOCAL',
    description:
      'Keep the local copy. When false, a sound file goes when every store that is switched on has it, checked; notes and proof stay.',
  }),
  verify: setting(oneOf(['checksum', 'read']).default('checksum'), {
    env: 'RECORDING_STORAGE_VERIFY',
    description:
      '`checksum`: what the store compared on arrival, and the length. `read`: each file is read back from the store besides and its SHA-256 compared.',
  }),
  uploads: setting(whole(1, 64).default(4), {
    env: 'RECORDING_STORAGE_UPLOADS',
    description: 'Recordings that are copied to one store at a time; each takes about 10 MB of memory.',
  }),
  lockDays: setting(whole(0, 36_500).default(0), {
    env: 'RECORDING_STORAGE_LOCK_DAYS',
    description: 'Days for which S3, GCS and Azure must not let anybody delete a copy (object lock). 0: no lock.',
  }),
  lockMode: setting(oneOf(['governance', 'compliance']).default('governance'), {
    env: 'RECORDING_STORAGE_LOCK_MODE',
    description: '`governance`: who has a special right may lift a lock. `compliance`: nobody can, erasure neither.',
  }),
  coldAfter: setting(duration().default(0), {
    env: 'RECORDING_STORAGE_COLD_AFTER',
    description: 'Move copies to the colder class of their store when they are so old. 0: never.',
  }),
  local: section({
    dir: setting(text().default(''), {
      env: 'RECORDING_STORAGE_LOCAL_DIR',
      description: 'Folder on another disk or a mounted share to copy recordings to; it is not made. Empty: none.',
    }),
    prefix: setting(prefix().default(''), { env: 'RECORDING_STORAGE_LOCAL_PREFIX', description: prefixMeaning }),
  }),
  s3: section({
    enabled: setting(flag().default(false), {
      env: 'RECORDING_STORAGE_S3_ENABLED',
      description: 'Copy recordings to a bucket of Amazon S3, or of what speaks its protocol.',
    }),
    bucket: setting(text().default(''), { env: 'RECORDING_STORAGE_S3_BUCKET', description: 'Its name.' }),
    region: setting(text().default('us-east-1'), { env: 'RECORDING_STORAGE_S3_REGION', description: 'Its region.' }),
    prefix: setting(prefix().default(''), { env: 'RECORDING_STORAGE_S3_PREFIX', description: prefixMeaning }),
    endpoint: setting(text().default(''), {
      env: 'RECORDING_STORAGE_S3_ENDPOINT',
      description: 'Where another store than Amazon’s is: `https://s3.example.com`.',
    }),
    pathStyle: setting(flag().default(false), {
      env: 'RECORDING_STORAGE_S3_PATH_STYLE',
      description: 'The bucket stands in the path of its addresses, not in the name of the host.',
    }),
    accessKey: setting(text().default(''), {
      env: 'RECORDING_STORAGE_S3_ACCESS_KEY',
      description: 'Without it AWS_ACCESS_KEY_ID, the profile or the instance’s role is used.',
    }),
    secretKey: setting(text().default(''), {
      env: 'RECORDING_STORAGE_S3_SECRET_KEY',
      description: 'Its secret, or `env:NAME` or `file:/path` with it.',
      secret: true,
    }),
    encryption: setting(oneOf(['bucket', 'AES256', 'aws:kms']).default('bucket'), {
      env: 'RECORDING_STORAGE_S3_ENCRYPTION',
      description: 'How the store encrypts: as the bucket says, with its own key, or with one of KMS.',
    }),
    kmsKey: setting(text().default(''), {
      env: 'RECORDING_STORAGE_S3_KMS_KEY',
      description: 'ARN of the key for `aws:kms`; empty takes the account’s.',
    }),
    class: setting(text().default(''), {
      env: 'RECORDING_STORAGE_S3_CLASS',
      description: 'Storage class of new copies, such as `STANDARD_IA`.',
    }),
    coldClass: setting(text().default('GLACIER_IR'), {
      env: 'RECORDING_STORAGE_S3_COLD_CLASS',
      description: 'Class after RECORDING_STORAGE_COLD_AFTER.',
    }),
  }),
  gcs: section({
    enabled: setting(flag().default(false), {
      env: 'RECORDING_STORAGE_GCS_ENABLED',
      description: 'Copy recordings to a bucket of Google Cloud Storage.',
    }),
    bucket: setting(text().default(''), { env: 'RECORDING_STORAGE_GCS_BUCKET', description: 'Its name.' }),
    prefix: setting(prefix().default(''), { env: 'RECORDING_STORAGE_GCS_PREFIX', description: prefixMeaning }),
    serviceAccount: setting(text().default(''), {
      env: 'RECORDING_STORAGE_GCS_SERVICE_ACCOUNT',
      description:
        'Path of a service account’s key file, or its JSON. Without it GOOGLE_APPLICATION_CREDENTIALS or the instance is asked.',
      secret: true,
    }),
    endpoint: setting(text().default(''), {
      env: 'RECORDING_STORAGE_GCS_ENDPOINT',
      description:
        'Another place of the store, `https://storage.example.com`; by plain `http` an emulator without tokens.',
    }),
    kmsKey: setting(text().default(''), {
      env: 'RECORDING_STORAGE_GCS_KMS_KEY',
      description: 'Name of a key of Cloud KMS; empty leaves it to the bucket.',
    }),
    class: setting(text().default(''), {
      env: 'RECORDING_STORAGE_GCS_CLASS',
      description: 'Storage class of new copies, such as `NEARLINE`.',
    }),
    coldClass: setting(text().default('COLDLINE'), {
      env: 'RECORDING_STORAGE_GCS_COLD_CLASS',
      description: 'Class after RECORDING_STORAGE_COLD_AFTER.',
    }),
  }),
  azure: section({
    enabled: setting(flag().default(false), {
      env: 'RECORDING_STORAGE_AZURE_ENABLED',
      description: 'Copy recordings to a container of Azure Blob Storage.',
    }),
    account: setting(text().default(''), {
      env: 'RECORDING_STORAGE_AZURE_ACCOUNT',
      description: 'Name of the storage account.',
    }),
    container: setting(text().default(''), {
      env: 'RECORDING_STORAGE_AZURE_CONTAINER',
      description: 'Name of the container.',
    }),
    prefix: setting(prefix().default(''), { env: 'RECORDING_STORAGE_AZURE_PREFIX', description: prefixMeaning }),
    accessKey: setting(text().default(''), {
      env: 'RECORDING_STORAGE_AZURE_ACCESS_KEY',
      description: 'Key of the account, or `env:NAME` or `file:/path`. A SAS token may do less, and is better.',
      secret: true,
    }),
    sasToken: setting(text().default(''), {
      env: 'RECORDING_STORAGE_AZURE_SAS_TOKEN',
      description:
        'SAS token of the container, or `env:NAME` or `file:/path`. Without it and a key the machine’s identity is used.',
      secret: true,
    }),
    endpoint: setting(text().default(''), {
      env: 'RECORDING_STORAGE_AZURE_ENDPOINT',
      description: 'Instead of `https://<account>.blob.core.windows.net`: another cloud, a private endpoint.',
    }),
    encryptionScope: setting(text().default(''), {
      env: 'RECORDING_STORAGE_AZURE_ENCRYPTION_SCOPE',
      description: 'Encryption scope of new copies; empty leaves it to the container.',
    }),
    tier: setting(text().default(''), {
      env: 'RECORDING_STORAGE_AZURE_TIER',
      description: 'Access tier of new copies, such as `Cool`.',
    }),
    coldTier: setting(text().default('Cold'), {
      env: 'RECORDING_STORAGE_AZURE_COLD_TIER',
      description: 'Tier after RECORDING_STORAGE_COLD_AFTER.',
    }),
  }),
})

export type StorageSettings = z.infer<typeof storageSettings>

/** What a store that is switched on needs. @returns The line that ends a start, or nothing. */
export function missingForStorage({ enabled, s3, gcs, azure }: StorageSettings): string | undefined {
  if (!enabled) return undefined
  const needed: readonly (readonly [on: boolean, given: string, name: string, what: string, because: string])[] = [
    [s3.enabled, s3.bucket, 'RECORDING_STORAGE_S3_BUCKET', 'the name of a bucket', 'RECORDING_STORAGE_S3_ENABLED'],
    [gcs.enabled, gcs.bucket, 'RECORDING_STORAGE_GCS_BUCKET', 'the name of a bucket', 'RECORDING_STORAGE_GCS_ENABLED'],
    [
      azure.enabled,
      azure.account,
      'RECORDING_STORAGE_AZURE_ACCOUNT',
      'the name of an account',
      'RECORDING_STORAGE_AZURE_ENABLED',
    ],
    [
      azure.enabled,
      azure.container,
      'RECORDING_STORAGE_AZURE_CONTAINER',
      'the name of a container',
      'RECORDING_STORAGE_AZURE_ENABLED',
    ],
    [
      s3.enabled && s3.accessKey !== '',
      s3.secretKey,
      'RECORDING_STORAGE_S3_SECRET_KEY',
      'the secret',
      'RECORDING_STORAGE_S3_ACCESS_KEY',
    ],
  ]
  const missing = needed.find(([on, given]) => on && given === '')
  return missing && `${missing[2]}: nothing was given; must be ${missing[3]} with ${missing[4]}`
}
