/**
 * AWS KMS, by its official client (loaded on use), which finds credentials and region as every AWS program does. A symmetric
 * key; `kms:Encrypt` and `kms:Decrypt` must be allowed. AWS KMS API reference, Encrypt and Decrypt.
 */
import type { KMSClient, KMSClientConfig } from '@aws-sdk/client-kms'
import type { KeyService } from './service-keys.ts'

/** Bound to the text: who may decrypt with this key for other things cannot do so for ours unless told so. */
const context = { purpose: 'patchbay-recordings' }
const patienceMs = 10_000

export class AwsKms implements KeyService {
  readonly kind = 'aws-kms'
  readonly #config: KMSClientConfig
  #client: KMSClient | undefined

  /** @param config Left out: what the environment, files and the machine's role say. */
  constructor(config: KMSClientConfig = {}) {
    this.#config = config
  }

  async wrap(keyName: string, key: Uint8Array): Promise<Uint8Array> {
    const { EncryptCommand } = await import('@aws-sdk/client-kms')
    const command = new EncryptCommand({ KeyId: keyName, Plaintext: key, EncryptionContext: context })
    const { CiphertextBlob } = await (await this.#clientOf(keyName)).send(command, { abortSignal: patience() })
    if (!CiphertextBlob) throw new Error('the answer holds no CiphertextBlob')
    return CiphertextBlob
  }

  async unwrap(keyName: string, wrapped: Uint8Array): Promise<Uint8Array> {
    const { DecryptCommand } = await import('@aws-sdk/client-kms')
    const command = new DecryptCommand({ KeyId: keyName, CiphertextBlob: wrapped, EncryptionContext: context })
    const { Plaintext } = await (await this.#clientOf(keyName)).send(command, { abortSignal: patience() })
    if (!Plaintext) throw new Error('the answer holds no Plaintext')
    return Plaintext
  }

  /** The region stands in an ARN: `arn:aws:kms:REGION:ACCOUNT:key/ID`. */
  async #clientOf(keyName: string): Promise<KMSClient> {
    if (this.#client) return this.#client
    const { KMSClient: Client } = await import('@aws-sdk/client-kms')
    const region = /^arn:[^:]+:kms:([^:]+):/.exec(keyName)?.[1]
    this.#client = new Client({ ...(region !== undefined && { region }), ...this.#config })
    return this.#client
  }
}

const patience = (): AbortSignal => AbortSignal.timeout(patienceMs)
