/** Settings of sealing: whether recordings are encrypted, with what, and where the keys are. Part of schema.ts. */
import { duration, flag, list, oneOf, setting, text } from './fields.ts'

export const sealingSettings = {
  recordings: setting(flag().default(false), {
    env: 'ENABLE_RECORDING_ENCRYPTION',
    description:
      'Seal recordings as the call runs: encrypted, and so that every change is noticed (docs/recording-format.md). Who loses the master keys loses the recordings.',
  }),
  notes: setting(flag().default(false), {
    env: 'ENABLE_METADATA_ENCRYPTION',
    description: 'Seal the notes beside a sealed recording too (`<name>.json`: who spoke). The database is not sealed.',
  }),
  cipher: setting(oneOf(['aes-256-gcm', 'chacha20-poly1305']).default('aes-256-gcm'), {
    env: 'ENCRYPTION_ALGORITHM',
    description: '`chacha20-poly1305` is faster on processors without instructions for AES.',
  }),
  keys: setting(oneOf(['auto', 'file', 'environment', 'aws-kms', 'gcp-kms', 'azure-key-vault']).default('auto'), {
    env: 'MASTER_KEYS',
    description:
      'Where the master keys are that wrap the keys of recordings. `auto`: in the environment where SIPREC_MASTER_KEY is set, else in the files of MASTER_KEY_PATH.',
  }),
  keysDir: setting(text().default(''), {
    env: 'MASTER_KEY_PATH',
    description:
      'Folder of the master key files and of the key that signs proofs; `keys` in DATA_DIR when empty. Made at first use, for the owner alone.',
  }),
  keyBackupDir: setting(text().default(''), {
    env: 'KEY_BACKUP_PATH',
    description: 'Folder, best on another disk, that each key file is copied to when it is made; none when empty.',
  }),
  masterKey: setting(text().default(''), {
    env: 'SIPREC_MASTER_KEY',
    description: 'Master key: 32 bytes in base64 or hex, such as `openssl rand -base64 32` makes.',
    secret: true,
  }),
  formerMasterKeys: setting(list().default([]), {
    env: 'SIPREC_FORMER_MASTER_KEYS',
    description:
      'Former values of SIPREC_MASTER_KEY, separated by commas, for recordings that are still wrapped by them.',
    secret: true,
  }),
  keyId: setting(text().default(''), {
    env: 'MASTER_KEY_ID',
    description:
      'The key in the service: ARN of AWS KMS, `projects/…/cryptoKeys/…` of Google Cloud KMS, or `https://VAULT.vault.azure.net/keys/NAME` of Azure Key Vault.',
  }),
  proof: setting(flag().default(true), {
    env: 'RECORDING_PROOF',
    description: 'Sign for each finished recording what its files are, in a chain (docs/proof.md).',
  }),
  rotateEvery: setting(duration().default(90 * 86_400_000), {
    env: 'KEY_ROTATION_INTERVAL',
    description: 'Age at which a master key is followed by a new one; the former ones stay for reading. 0: never.',
  }),
}
