/**
 * What master keys are, and where they come from: file-keys.ts, environment-keys.ts, and service-keys.ts for AWS KMS, Google
 * Cloud KMS and Azure Key Vault. All of equal shape.
 *
 *   master key  ── wraps ─▶  data key of a recording  ── HKDF ─▶  key of each of its files
 *
 * A master key is in memory while it is in force, so a call never waits for a service. Of a service the key in memory is one
 * between (`via`): made here, wrapped there, and told in each file that it protects.
 */

export interface MasterKey {
  /** `file:20261120T170400123Z-1f2e3d4c`: told in files, so that the right one is found. */
  readonly id: string
  /** 32 bytes. Secret. */
  readonly key: Uint8Array
  /** Of a service: this key as the service wrapped it. */
  readonly via?: string
}

export interface MasterKeyFact {
  readonly id: string
  readonly madeAtMs?: number
  /** New recordings are sealed with it. */
  readonly current: boolean
}

export interface MasterKeys {
  /** What ids begin with: `file`, `env`, `aws-kms`, `gcp-kms`, `azure-key-vault`. */
  readonly kind: string
  /** The key for new recordings, made when there is none. @throws {SealingError} `sealing.key-missing` */
  current(): Promise<MasterKey>
  /** Make a new key for new recordings; former ones stay for reading. @throws {SealingError} `sealing.no-rotation` */
  rotate(): Promise<MasterKey>
  /** @throws {SealingError} `sealing.key-missing`, `sealing.key-refused`, `sealing.key-service` */
  find(id: string, via?: string): Promise<MasterKey>
  list(): Promise<readonly MasterKeyFact[]>
}
