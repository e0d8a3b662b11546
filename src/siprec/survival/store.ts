/**
 * Where what is known of running sessions is kept, so that the process after this one can take them up. Implemented in
 * memory here, by SQLite in database/, by Redis in redis-store.ts; all pass one contract (store.contract.test.ts).
 */

/** One session, sealed: nobody but the holder of the key reads or changes it. */
export interface KeptSession {
  readonly id: string
  readonly sealed: Uint8Array
}

/** A session that is to be kept so, or, without `sealed`, forgotten. */
export type SessionChange = Pick<KeptSession, 'id'> & { readonly sealed: Uint8Array | undefined }

export interface SessionStore {
  /** All or nothing, as far as the store can; in the order of the calls. */
  write(changes: readonly SessionChange[]): Promise<void>
  all(): Promise<readonly KeptSession[]>
  /** Twice is fine. */
  close(): Promise<void>
}

/** Forgets all when the process ends: nothing is taken up. */
export class MemorySessions implements SessionStore {
  readonly #kept = new Map<string, Uint8Array>()

  write(changes: readonly SessionChange[]): Promise<void> {
    for (const { id, sealed } of changes) {
      if (sealed) this.#kept.set(id, sealed)
      else this.#kept.delete(id)
    }
    return Promise.resolve()
  }

  all(): Promise<readonly KeptSession[]> {
    return Promise.resolve(Array.from(this.#kept, ([id, sealed]) => ({ id, sealed })))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
