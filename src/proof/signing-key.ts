/**
 * The key that signs proofs: Ed25519, made at the first start, in the folder of the master keys for the owner alone
 * (`proof-signing.pem`). Its public half lies beside it; keys of former servers are put there as `proof-<anything>.pem`.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { backUp, writeSecret } from '../sealing/keys/file-keys.ts'
import { ProofError } from './failures.ts'

const privateName = 'proof-signing.pem'

export class SigningKey {
  readonly id: string
  /** PEM. */
  readonly publicKey: string
  readonly #private: KeyObject
  /** By id, the own one too. */
  readonly #known: ReadonlyMap<string, KeyObject>

  private constructor(own: KeyObject, known: readonly KeyObject[]) {
    const publicKey = createPublicKey(own)
    this.#private = own
    this.id = idOf(publicKey)
    this.publicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    this.#known = new Map([...known, publicKey].map((key) => [idOf(key), key]))
  }

  /**
   * Read the key, or make it.
   * @param backup A folder that a new key is copied to.
   * @throws {ProofError} `proof.key-unreadable`
   */
  static async open(folder: string, backup?: string): Promise<SigningKey> {
    const path = join(folder, privateName)
    try {
      const own = createPrivateKey((await existing(path)) ?? (await make(folder)))
      if (backup !== undefined) await backUp(path, backup)
      return new SigningKey(own, await publicKeysIn(folder))
    } catch (cause) {
      throw new ProofError('proof.key-unreadable', path, { cause })
    }
  }

  /** base64. */
  sign(text: string): string {
    return sign(null, Buffer.from(text), this.#private).toString('base64')
  }

  /** @param id Of the key that signed. @returns undefined when that key is not known here. */
  verify(text: string, signature: string, id: string): boolean | undefined {
    const key = this.#known.get(id)
    return key && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
  }
}

/** 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo. */
const idOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)

async function existing(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

async function make(folder: string): Promise<string> {
  const pair = generateKeyPairSync('ed25519')
  const text = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeSecret(join(folder, privateName), text)
  await writeFile(join(folder, 'proof-public.pem'), pair.publicKey.export({ type: 'spki', format: 'pem' }))
  return text
}

async function publicKeysIn(folder: string): Promise<KeyObject[]> {
  const names = (await readdir(folder)).filter((name) => /^proof-.*\.pem$/.test(name))
  return Promise.all(names.map(async (name) => createPublicKey(await readFile(join(folder, name)))))
}
