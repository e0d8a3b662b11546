/**
 * What one side pushes and another reads by `for await`, as fast as it likes: bounded, so that a slow reader loses the
 * oldest items and whoever pushes is told.
 */
export class AsyncQueue<Item> implements AsyncIterable<Item> {
  readonly #limit: number
  readonly #left: () => void
  readonly #items: Item[] = []
  #wake = Promise.withResolvers<void>()
  #over: { readonly error?: unknown } | undefined

  /** @param left The reader left before the end, by `break`, `return` or an error of its own. */
  constructor(limit: number, left: () => void) {
    this.#limit = limit
    this.#left = left
  }

  /** @returns How many older items had to go. */
  push(item: Item): number {
    if (this.#over) return 0
    const lost = this.#items.length < this.#limit ? 0 : this.#items.splice(0).length
    this.#items.push(item)
    this.#wake.resolve()
    return lost
  }

  /** Nothing more comes; what waits is still read. */
  end(): void {
    this.#over ??= {}
    this.#wake.resolve()
  }

  /** The reader gets this error after what waits. */
  fail(error: unknown): void {
    this.#over ??= { error }
    this.#wake.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    let read = false
    try {
      for (;;) {
        for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) yield item
        if (this.#over) break
        this.#wake = Promise.withResolvers()
        await this.#wake.promise
      }
      read = true
      if (this.#over && 'error' in this.#over) throw this.#over.error
    } finally {
      if (!read) this.#left()
    }
  }
}
