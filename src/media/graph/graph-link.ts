/**
 * The things of one session in its worker's graph: numbered here, ordered there, told of here.
 *
 *   playback.ts, tap.ts, … ── begin, order ─▶ here ── link.ts ─▶ worker
 *                          ◀─ GraphEvent ──       ◀─ plane.ts ──
 */
import type { MessagePort } from 'node:worker_threads'
import type { GraphEvent, GraphOrder } from './protocol.ts'

export type Told = (told: GraphEvent) => void

/** @param transfer Goes over to the worker with it. */
export type SendOrder = (order: GraphOrder, transfer?: MessagePort) => void

/** One numbering for all workers. */
let nextThing = 1

export class GraphLink {
  readonly #order: SendOrder
  /** Of all sessions of a plane, which gets the notices. */
  readonly #things: Map<number, Told>
  readonly #own = new Map<number, Told>()
  #over = false

  constructor(order: SendOrder, things: Map<number, Told>) {
    this.#order = order
    this.#things = things
  }

  /**
   * Order something new. When the session is over, or its worker died, it is gone at once.
   * @param told Hears of it until it has ended.
   * @returns Its number.
   */
  begin(make: (id: number) => GraphOrder, told: Told = () => {}, transfer?: MessagePort): number {
    const id = nextThing++
    if (this.#over) {
      transfer?.close()
      queueMicrotask(() => told({ name: 'gone' })) // whoever asked knows its number by then
      return id
    }
    const heard: Told = (event) => {
      if (isLast(event)) this.#forget(id)
      told(event)
    }
    this.#own.set(id, heard)
    this.#things.set(id, heard)
    this.#order(make(id), transfer)
    return id
  }

  /** Of something that has not ended. */
  order(order: GraphOrder): void {
    if (this.#own.has(order.id)) this.#order(order)
  }

  /** Nothing is told of it any more, but its end where that is waited for. */
  stop(id: number, awaited = false): void {
    this.order({ do: 'stop', id })
    if (!awaited) this.#forget(id)
  }

  /** Mixers, and whatever else has no port to end with. */
  close(): void {
    for (const id of Array.from(this.#own.keys())) this.#order({ do: 'stop', id })
    this.lose()
  }

  /** The worker is gone, or nothing more will come from it. */
  lose(): void {
    this.#over = true
    for (const told of Array.from(this.#own.values())) told({ name: 'gone' })
  }

  #forget(id: number): void {
    this.#own.delete(id)
    this.#things.delete(id)
  }
}

const isLast = ({ name }: GraphEvent): boolean => name === 'playback-ended' || name === 'ended' || name === 'gone'
