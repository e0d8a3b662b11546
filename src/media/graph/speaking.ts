/** Sound of our own to a party, as the main thread holds it. */
import { Emitter } from '../../core/emitter.ts'
import { checkInject } from './checks.ts'
import type { GraphLink } from './graph-link.ts'
import type { InjectOrder } from './protocol.ts'
import type { Injection, InjectionEvents, InjectOptions } from './types.ts'

/** @throws {RangeError} */
export function readInject(options: InjectOptions): InjectOrder {
  checkInject(options)
  const { sampleRateHz, encoding, how = 'instead', prebufferMs = 0, lowMs = 200, mostMs = 60_000 } = options
  return { sampleRateHz, encoding, how, prebufferMs, lowMs, mostMs }
}

export class InjectionHandle implements Injection {
  readonly #graph: GraphLink
  readonly #id: number
  readonly #events = new Emitter<InjectionEvents>()
  readonly #flushing = new Map<number, (unplayedMs: number) => void>()
  #nextAsk = 1
  #over = false

  /** @throws {RangeError} */
  constructor(graph: GraphLink, port: number, options: InjectOptions) {
    const wishes = readInject(options)
    this.#graph = graph
    this.#id = graph.begin(
      (id) => ({ do: 'inject', id, port, wishes }),
      (told) => {
        if (told.name === 'flushed') this.#flushed(told.ask, told.unplayedMs)
        else if (told.name === 'low') this.#events.emit('low', told.event)
        else if (told.name === 'mark') this.#events.emit('mark', told.event)
        else if (told.name === 'ended') this.#end(told.event)
        else if (told.name === 'gone') this.#end({ playedMs: 0, droppedMs: 0 })
      },
    )
  }

  on<Name extends keyof InjectionEvents>(name: Name, listener: (event: InjectionEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  write(bytes: Uint8Array): void {
    this.#graph.order({ do: 'audio', id: this.#id, bytes })
  }

  mark(name: string): void {
    this.#graph.order({ do: 'mark', id: this.#id, name })
  }

  flush(): Promise<number> {
    if (this.#over) return Promise.resolve(0)
    const ask = this.#nextAsk++
    const { promise, resolve } = Promise.withResolvers<number>()
    this.#flushing.set(ask, resolve)
    this.#graph.order({ do: 'flush', id: this.#id, ask })
    return promise
  }

  end(): void {
    this.#graph.order({ do: 'end-audio', id: this.#id })
  }

  stop(): void {
    this.#graph.stop(this.#id, true)
  }

  #flushed(ask: number, unplayedMs: number): void {
    this.#flushing.get(ask)?.(unplayedMs)
    this.#flushing.delete(ask)
  }

  #end(event: InjectionEvents['ended']): void {
    this.#over = true
    for (const ask of Array.from(this.#flushing.keys())) this.#flushed(ask, 0)
    this.#events.emit('ended', event)
  }
}
