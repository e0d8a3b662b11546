import { Emitter } from '../core/emitter.ts'
import type { Fact, FactName, FactOf } from './catalogue.ts'

/** Facts inside this process, told in order, each listener called before `publish` returns. */
export class FactBus {
  readonly #emitter = new Emitter<Record<FactName, Fact> & { any: Fact }>()

  /** @param onListenerError A listener's fault must reach the log and nobody else. */
  constructor(onListenerError?: (error: unknown) => void) {
    if (onListenerError) this.#emitter.onListenerError = onListenerError
  }

  publish(fact: Fact): void {
    this.#emitter.emit(fact.name, fact)
    this.#emitter.emit('any', fact)
  }

  /** Listen to one kind of fact; the returned function stops listening. */
  on<Name extends FactName>(name: Name, listener: (fact: FactOf<Name>) => void): () => void {
    return this.#emitter.on(name, (fact) => listener(fact as FactOf<Name>))
  }

  /** Listen to all facts. */
  onAny(listener: (fact: Fact) => void): () => void {
    return this.#emitter.on('any', listener)
  }
}
