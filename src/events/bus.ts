import { Emitter } from '../core/emitter.ts'
import type { Fact, FactName, FactOf } from './catalogue.ts'
import { HiddenDigits } from './hidden-digits.ts'

/**
 * Facts inside this process, told in order, each listener called before `publish` returns. Digits that are pressed while
 * a recording is paused are told to nobody.
 */
export class FactBus {
  readonly #emitter = new Emitter<Record<FactName, Fact> & { any: Fact }>()

  readonly #digits = new HiddenDigits()

  /** @param onListenerError A listener's fault must reach the log and nobody else. */
  constructor(onListenerError?: (error: unknown) => void) {
    if (onListenerError) this.#emitter.onListenerError = onListenerError
  }

  publish(given: Fact): void {
    const fact = this.#digits.take(given)
    this.#emitter.emit(fact.name, fact)
    this.#emitter.emit('any', fact)
  }

  /** Listen to one kind of fact; the returned function stops listening. */
  on<Name extends FactName>(name: Name, listener: (fact: FactOf<Name>) => void): () => void {
    return this.#emitter.on(name, (fact) => listener(fact as FactOf<Name>))
  }

  /** Whether digits in SIP messages of this Call-ID are not to be kept now. */
  hidesDigits(sipCallId: string): boolean {
    return this.#digits.hides(sipCallId)
  }

  /** Listen to all facts. */
  onAny(listener: (fact: Fact) => void): () => void {
    return this.#emitter.on('any', listener)
  }
}
