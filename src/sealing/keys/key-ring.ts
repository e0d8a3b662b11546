/**
 * The keys of a server: gives each new recording its data key at once, opens those of old ones, and changes the master key
 * when it is old enough.
 *
 *   recording/  ── newSeal(recording) ─▶  here  ── current, find ─▶  file-keys.ts, environment-keys.ts, service-keys.ts
 *   readers     ── openKey ────────────▶
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { WrappedKey } from '../container/key-place.ts'
import { type CipherName, dataKeyBytes } from '../container/layout.ts'
import type { OpenKey } from '../container/reader.ts'
import type { Seal } from '../container/sealer.ts'
import { SealingError } from '../failures.ts'
import { unwrapDataKey, wrapDataKey } from './data-key.ts'
import type { MasterKey, MasterKeys } from './master-keys.ts'

export interface KeyRingOptions {
  /** The first one's keys are for new recordings, all are for reading. */
  readonly sources: readonly MasterKeys[]
  readonly cipher: CipherName
  /** How old a master key grows; 0: it is never changed by itself. */
  readonly rotateEveryMs?: number
  readonly clock: Clock
  readonly log: Logger
}

/** How often it is looked whether the master key changed (by the command line) or is too old, ms. */
const lookEveryMs = 60_000

export class KeyRing {
  readonly #options: KeyRingOptions
  #current: MasterKey | undefined
  #timer: Timer | undefined
  #looking: Promise<void> | undefined
  #closed = false

  constructor(options: KeyRingOptions) {
    this.#options = options
  }

  /** Get the key for new recordings, now and from time to time. @throws {SealingError} and what the file system throws. */
  async begin(): Promise<void> {
    await this.#refresh()
    this.#lookLater()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  /** @throws {SealingError} `sealing.key-missing` before `begin`. */
  newSeal(recordingId: string): Seal {
    const dataKey = randomBytes(dataKeyBytes)
    return { cipher: this.#options.cipher, recordingId, dataKey, key: this.wrap(dataKey, recordingId) }
  }

  /** Under the master key in force. @throws {SealingError} `sealing.key-missing` before `begin`. */
  wrap(dataKey: Uint8Array, recordingId: string): WrappedKey {
    if (!this.#current) throw new SealingError('sealing.key-missing')
    return wrapDataKey(this.#current, dataKey, recordingId)
  }

  /** Id of the master key in force. @throws {SealingError} `sealing.key-missing` before `begin`. */
  get currentId(): string {
    if (!this.#current) throw new SealingError('sealing.key-missing')
    return this.#current.id
  }

  /** A seal for further files of a recording that has its key already. */
  readonly sealAgain = async (key: WrappedKey, recordingId: string): Promise<Seal> => ({
    cipher: this.#options.cipher,
    recordingId,
    dataKey: await this.openKey(key, recordingId),
    key,
  })

  readonly openKey: OpenKey = async (wrapped, recordingId) => {
    const { master, via } = wrapped
    const kind = master.slice(0, master.indexOf(':'))
    const source = this.#options.sources.find((each) => each.kind === kind)
    if (!source) throw new SealingError('sealing.key-missing', master)
    return unwrapDataKey(await source.find(master, via), wrapped, recordingId)
  }

  #lookLater(): void {
    if (!this.#closed) this.#timer = this.#options.clock.after(lookEveryMs, () => void this.look())
  }

  /** Look whether there is another master key, or time for one. One look at a time; never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#refresh()
      // The former key goes on: recordings must not wait for a service that is away.
      .catch((error: unknown) =>
        this.#options.log.error('The master key could not be looked up', { error: String(error) }),
      )
      .finally(() => {
        this.#looking = undefined
        this.#lookLater()
      })
    return this.#looking
  }

  async #refresh(): Promise<void> {
    const { sources, rotateEveryMs = 0, clock, log } = this.#options
    const [source] = sources
    if (!source) throw new SealingError('sealing.key-missing', 'no source of master keys is configured')
    let current = await source.current()
    const fact = (await source.list()).find(({ id }) => id === current.id)
    const ageMs = clock.wallMs() - (fact?.madeAtMs ?? clock.wallMs())
    if (rotateEveryMs > 0 && ageMs >= rotateEveryMs) {
      current = await source.rotate()
      log.info('The master key was changed', { key: current.id, former: fact?.id })
    }
    this.#current = current
  }
}
