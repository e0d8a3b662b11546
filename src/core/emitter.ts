/**
 * A typed event emitter: names map to what is handed to listeners.
 *
 * A listener that throws must not keep the next one from hearing, nor fail the teller: what it threw goes to
 * `onListenerError`, which whoever owns the emitter may set.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>()

  /** What to do with an error thrown by a listener; rethrown in a microtask unless set. */
  onListenerError: (error: unknown) => void = (error) =>
    queueMicrotask(() => {
      throw error
    })

  /** Listen; the returned function stops listening. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, set)
    set.add(listener)
    return () => set.delete(listener)
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
    return (this.#listeners.get(name)?.size ?? 0) > 0
  }

  /** @returns False when a listener threw. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): boolean {
    let ok = true
    for (const listener of Array.from(this.#listeners.get(name) ?? [])) {
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
