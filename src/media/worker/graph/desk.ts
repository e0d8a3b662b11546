/**
 * The graph of a worker: does what the main thread orders, and knows what stands where.
 *
 *   media-worker.ts ── order, port closed, digit ─▶ here ─▶ at-port.ts, rooms.ts
 *                   ◀─ GraphEvent ──────────────
 *
 * What stands at a port ends with it.
 */
import type { GraphEvent, GraphOrder, Tapped } from '../../graph/protocol.ts'
import type { FrameClock } from '../frame-clock.ts'
import type { SoundSource } from '../sound.ts'
import { SoundStore } from '../sounds/store.ts'
import { Base, Clocked, type GraphPort, Held, Injected, Played, type Tell, type Thing } from './at-port.ts'
import { Meter } from './meter.ts'
import { MusicBox } from './music.ts'
import { Joined, PlayedToAll, Room, Supervising } from './rooms.ts'
import { Tap } from './tap.ts'

export interface DeskOptions {
  readonly clock: FrameClock
  /** Undefined when there is none, or it carries no sound. */
  readonly portOf: (port: number) => GraphPort | undefined
  readonly tell: (id: number, told: GraphEvent) => void
}

export class Desk {
  readonly #options: DeskOptions
  readonly #store = new SoundStore()
  readonly #music = new MusicBox(this.#store)
  readonly #things = new Map<number, Thing>()
  /** Numbers of what stands at a port. */
  readonly #atPort = new Map<number, Set<number>>()

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /** Things that have not ended. */
  get size(): number {
    return this.#things.size
  }

  obey(order: GraphOrder): void {
    if (order.do === 'stop') return this.#stop(order.id)
    const known = this.#things.get(order.id)
    if (known) return known.take(order)
    const thing = this.#make(order)
    if (thing) this.#things.set(order.id, thing)
  }

  /** A digit was pressed at a port. */
  digit(port: number, digit: string): void {
    for (const id of this.#atPort.get(port) ?? []) {
      const thing = this.#things.get(id)
      if (thing instanceof Played) thing.digit(digit)
    }
  }

  /** All that stands there ends. */
  portClosed(port: number): void {
    const ids = this.#atPort.get(port)
    this.#atPort.delete(port)
    for (const id of ids ?? []) {
      this.#things.get(id)?.portClosed()
      this.#things.delete(id)
    }
  }

  #stop(id: number): void {
    this.#things.get(id)?.stop()
    this.#forget(id)
  }

  #forget(id: number): void {
    this.#things.delete(id)
    for (const ids of this.#atPort.values()) ids.delete(id)
  }

  /** Who orders something for a port that is gone already is told that it is over. */
  #make(order: GraphOrder): Thing | undefined {
    const { id } = order
    const tell: Tell = (told) => {
      this.#options.tell(id, told)
      if (told.name === 'playback-ended' || told.name === 'ended' || told.name === 'gone') this.#forget(id)
    }
    if (order.do === 'open-mixer') return new Room(order.wishes)
    if (order.do === 'play-to-mixer') {
      const room = this.#room(order.mixer)
      return room?.holds(new PlayedToAll(room, this.#store, order.sounds, order.wishes, tell))
    }
    if (order.do === 'tap') return this.#tap(order, tell)
    if (!('port' in order)) return undefined
    const port = this.#options.portOf(order.port)
    if (!port) {
      this.#options.tell(id, { name: 'gone' })
      return undefined
    }
    this.#stands(id, order.port)
    return this.#makeAt(port, order, tell)
  }

  #makeAt(port: GraphPort, order: Extract<GraphOrder, { readonly port: number }>, tell: Tell): Thing | undefined {
    const { clock, portOf } = this.#options
    switch (order.do) {
      case 'play':
        return new Played(port, this.#store, order.sounds, order.wishes, tell)
      case 'hold-music':
        return new Held(port, this.#music, order.sounds, tell)
      case 'echo':
        return new Base(port, port.voice)
      case 'inject':
        return new Injected(port, order.wishes, tell)
      case 'join': {
        const room = this.#room(order.mixer)
        return room?.holds(new Joined(port, room, order.wishes, tell))
      }
      case 'supervise': {
        const parties = order.parties.flatMap((party) => portOf(party) ?? [])
        const supervising = new Supervising(port, parties, portOf)
        supervising.heardBy(order.heardBy)
        return supervising
      }
      default: {
        const levels = (all: readonly number[]): void => tell({ name: 'levels', levels: all })
        return new Clocked(clock, new Meter([port.voice, port.heard], order.everyMs, levels))
      }
    }
  }

  #tap({ id, from, format, credit }: Extract<GraphOrder, { do: 'tap' }>, tell: Tell): Thing | undefined {
    const sources = from.flatMap((tapped) => this.#tapped(tapped) ?? [])
    if (sources.length < from.length) {
      tell({ name: 'gone' })
      return undefined
    }
    for (const tapped of from) if ('port' in tapped) this.#stands(id, tapped.port)
    const tap = new Tap({ format, sources, credit, send: (frame) => tell({ name: 'frame', frame }) })
    return new Clocked(this.#options.clock, tap, (order) => {
      if (order.do === 'credit') tap.give(order.frames)
    })
  }

  #tapped(tapped: Tapped): SoundSource | undefined {
    if ('mixer' in tapped) return this.#room(tapped.mixer)?.mixer
    const port = this.#options.portOf(tapped.port)
    return tapped.side === 'said' ? port?.voice : port?.heard
  }

  #room(id: number): Room | undefined {
    const thing = this.#things.get(id)
    return thing instanceof Room ? thing : undefined
  }

  #stands(id: number, port: number): void {
    const ids = this.#atPort.get(port) ?? new Set()
    this.#atPort.set(port, ids)
    ids.add(id)
  }
}
