/** Which stores do not do what they should, since when: told once when it begins and once when it is over. */
import type { Clock } from '../core/clock.ts'
import type { FactBus } from '../events/bus.ts'
import { ArchiveError } from './failures.ts'
import type { StoreName } from './types.ts'

interface Trouble {
  readonly sinceMs: number
  readonly text: string
}

export class StoreHealth {
  readonly #clock: Clock
  readonly #bus: FactBus
  readonly #troubles = new Map<StoreName, Trouble>()

  constructor({ clock, bus }: { readonly clock: Clock; readonly bus: FactBus }) {
    this.#clock = clock
    this.#bus = bus
  }

  /** Run what asks a store for something, and note how it went. */
  async watch<Result>(store: StoreName, run: () => Promise<Result>): Promise<Result> {
    try {
      const result = await run()
      if (this.#troubles.delete(store))
        this.#bus.publish({ name: 'archive.recovered', atMs: this.#clock.wallMs(), store })
      return result
    } catch (error) {
      if (error instanceof ArchiveError && error.code !== 'archive.file-gone') this.#failed(store, error)
      throw error
    }
  }

  summary(): string {
    if (this.#troubles.size === 0) return 'ok'
    return [...this.#troubles]
      .map(([store, { sinceMs, text }]) => `${store} fails since ${new Date(sinceMs).toISOString()}: ${text}`)
      .join('; ')
  }

  #failed(store: StoreName, { code, message }: ArchiveError): void {
    const known = this.#troubles.get(store)
    this.#troubles.set(store, { sinceMs: known?.sinceMs ?? this.#clock.wallMs(), text: message })
    if (!known) this.#bus.publish({ name: 'archive.failing', atMs: this.#clock.wallMs(), store, code, text: message })
  }
}
