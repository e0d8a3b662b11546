/** How many there are of each of many keys. A key of which there are none takes no memory. */
export class Tally {
  readonly #counts = new Map<string, number>()

  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  add(...keys: readonly string[]): void {
    for (const key of keys) this.#counts.set(key, this.of(key) + 1)
  }

  /** Add, and return how to take it back; to do so twice is fine. */
  take(...keys: readonly string[]): () => void {
    this.add(...keys)
    let taken = true
    return () => {
      if (taken) this.remove(...keys)
      taken = false
    }
  }

  /** Take back what was added, once for each time. */
  remove(...keys: readonly string[]): void {
    for (const key of keys) {
      const left = this.of(key) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    }
  }
}
