/**
 * Master keys in a folder: one file each, for the owner alone, made at first use. The newest is in force, all others stay for
 * reading. Who loses the folder loses every recording that is sealed: keep a copy elsewhere (KEY_BACKUP_PATH).
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { dataKeyBytes } from '../container/layout.ts'
import { SealingError } from '../failures.ts'
import type { MasterKey, MasterKeyFact, MasterKeys } from './master-keys.ts'

const keyFile = /^master-(\d{8}T\d{9}Z-[0-9a-f]{8})\.key$/

export class FileKeys implements MasterKeys {
  readonly kind = 'file'
  readonly #folder: string
  readonly #backup: string | undefined
  readonly #clock: Clock
  readonly #known = new Map<string, MasterKey>()

  /** @param backup A folder that each key is copied to. */
  constructor(folder: string, clock: Clock, backup?: string) {
    this.#folder = folder
    this.#backup = backup
    this.#clock = clock
  }

  async current(): Promise<MasterKey> {
    const newest = (await this.#stamps()).at(-1)
    if (newest === undefined) return this.rotate()
    await this.#copyAway(newest)
    return this.find(`file:${newest}`)
  }

  async rotate(): Promise<MasterKey> {
    const stamp = new Date(this.#clock.wallMs()).toISOString().replaceAll(/[-:.]/g, '')
    const name = `${stamp}-${randomBytes(4).toString('hex')}`
    const key = randomBytes(dataKeyBytes)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await writeSecret(this.#pathOf(name), `${key.toString('base64')}\n`)
    await this.#copyAway(name)
    return this.find(`file:${name}`)
  }

  async find(id: string): Promise<MasterKey> {
    const known = this.#known.get(id)
    if (known) return known
    const stamp = id.replace(/^file:/, '')
    if (!keyFile.test(`master-${stamp}.key`)) throw new SealingError('sealing.key-missing', id)
    const found = { id, key: await this.#read(stamp, id) }
    this.#known.set(id, found)
    return found
  }

  async list(): Promise<readonly MasterKeyFact[]> {
    const stamps = await this.#stamps()
    return stamps.map((stamp) => ({
      id: `file:${stamp}`,
      madeAtMs: Date.parse(stamp.replace(/^(....)(..)(..)T(..)(..)(..)(...)Z.*/, '$1-$2-$3T$4:$5:$6.$7Z')),
      current: stamp === stamps.at(-1),
    }))
  }

  /** Oldest first. */
  async #stamps(): Promise<string[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return names.flatMap((name) => keyFile.exec(name)?.[1] ?? []).sort()
  }

  async #read(stamp: string, id: string): Promise<Uint8Array> {
    const text = await readFile(this.#pathOf(stamp), 'utf8').catch((cause: unknown) => {
      throw new SealingError('sealing.key-missing', id, { cause })
    })
    const key = Buffer.from(text.trim(), 'base64')
    if (key.length !== dataKeyBytes) throw new SealingError('sealing.key-refused', `${id} is no key of 32 bytes`)
    return key
  }

  async #copyAway(stamp: string): Promise<void> {
    if (this.#backup === undefined) return
    await backUp(this.#pathOf(stamp), this.#backup)
  }

  #pathOf(stamp: string): string {
    return join(this.#folder, `master-${stamp}.key`)
  }
}

/** Write a secret so that it is there whole and for its owner alone, or not at all. */
export async function writeSecret(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  // A name survives a power cut when its folder is synced; what is sealed with a key that did not is lost.
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Copy a key file to a folder, unless it is there; what a crash cut short counts as not there. */
export async function backUp(path: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const copy = join(folder, path.slice(path.search(/[^/\\]+$/)))
  const text = await readFile(path, 'utf8')
  const there = await readFile(copy, 'utf8').catch(() => '')
  if (there.length < text.length) await writeSecret(copy, text)
}
