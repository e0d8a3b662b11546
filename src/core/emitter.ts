/**
 * A typed event emitter: names map to what is handed to listeners.
 *
 * A listener that throws must not keep the next one from hearing, nor fail the teller: what it threw goes to
 * `onListenerError`, which whoever owns the emitter may set.
 */
type Listener = (event: never) => void

const throwLater = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })

export class Emitter<Events extends object> {
  /** Lists are never changed, but replaced: a recorded session has some twenty, most of one listener. */
  readonly #listeners = new Map<keyof Events, readonly Listener[]>()

  /** What to do with an error thrown by a listener; rethrown in a microtask unless set. */
  onListenerError: (error: unknown) => void = throwLater

  /** Listen; the returned function stops listening. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const before = this.#listeners.get(name) ?? []
    if (!before.includes(listener)) this.#listeners.set(name, [...before, listener])
    return () => this.#forget(name, listener)
  }

  #forget(name: keyof Events, listener: Listener): void {
    const rest = this.#listeners.get(name)?.filter((each) => each !== listener) ?? []
    if (rest.length > 0) this.#listeners.set(name, rest)
    else this.#listeners.delete(name)
  }

  /** Listen for the next one only. */
  once<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const off = this.on(name, (event) => {
      off()
      listener(event)
    })
    return off
  }

  /** True while anybody listens for it. */
  hears(name: keyof Events): boolean {
    return this.#listeners.has(name)
  }

  /** @returns False when a listener threw. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): boolean {
    let ok = true
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        ;(listener as (event: Events[Name]) => void)(event)
      } catch (error) {
        ok = false
        this.onListenerError(error)
      }
    }
    return ok
  }
}
