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
import { InjectedByThread, TappedByThread } from './by-thread.ts'
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

interface Standing {
  readonly thing: Thing
  readonly ports: readonly number[]
}

export class Desk {
  readonly #options: DeskOptions
  readonly #store = new SoundStore()
  readonly #music = new MusicBox(this.#store)
  readonly #things = new Map<number, Standing>()
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
    if (order.do === 'stop') {
      this.#things.get(order.id)?.thing.stop()
      this.#forget(order.id)
      return
    }
    const known = this.#things.get(order.id)
    if (known) known.thing.take(order)
    else this.#begin(order)
  }

  /** A digit was pressed at a port. */
  digit(port: number, digit: string): void {
    for (const id of this.#atPort.get(port) ?? []) {
      const thing = this.#things.get(id)?.thing
      if (thing instanceof Played) thing.digit(digit)
    }
  }

  /** All that stands there ends. */
  portClosed(port: number): void {
    for (const id of Array.from(this.#atPort.get(port) ?? [])) {
      this.#things.get(id)?.thing.portClosed()
      this.#forget(id)
    }
  }

  #begin(order: GraphOrder): void {
    const { id } = order
    let over = false
    const tell: Tell = (told) => {
      this.#options.tell(id, told)
      over ||= told.name === 'playback-ended' || told.name === 'ended' || told.name === 'gone'
      if (over) this.#forget(id)
    }
    const thing = this.#make(order, tell)
    if (over) return
    // Who orders something for a port that is gone already is told that it is over.
    if (!thing) return tell({ name: 'gone' })
    const ports = portsOf(order)
    this.#things.set(id, { thing, ports })
    for (const port of ports) {
      const ids = this.#atPort.get(port) ?? new Set()
      this.#atPort.set(port, ids)
      ids.add(id)
    }
  }

  #forget(id: number): void {
    const standing = this.#things.get(id)
    this.#things.delete(id)
    for (const port of standing?.ports ?? []) {
      const ids = this.#atPort.get(port)
      ids?.delete(id)
      if (ids?.size === 0) this.#atPort.delete(port)
    }
  }

  #make(order: GraphOrder, tell: Tell): Thing | undefined {
    if (order.do === 'open-mixer') return new Room(order.wishes)
    if (order.do === 'tap') return this.#tap(order, tell)
    if (order.do === 'play-to-mixer') {
      const room = this.#room(order.mixer)
      return room?.holds(new PlayedToAll(room, this.#store, order.sounds, order.wishes, tell))
    }
    const port = 'port' in order ? this.#options.portOf(order.port) : undefined
    return port && 'port' in order ? this.#makeAt(port, order, tell) : undefined
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
        if (order.from) return new InjectedByThread(port, order.from, order.wishes, tell)
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

  #tap({ from, format, credit, to }: Extract<GraphOrder, { do: 'tap' }>, tell: Tell): Thing | undefined {
    const { clock } = this.#options
    const sources = from.flatMap((tapped) => this.#tapped(tapped) ?? [])
    if (sources.length < from.length) {
      to?.close()
      return undefined
    }
    if (to) return new TappedByThread(clock, { format, sources, credit }, to)
    const tap = new Tap({ format, sources, credit, send: (frame) => tell({ name: 'frame', frame }) })
    return new Clocked(clock, tap, (order) => {
      if (order.do === 'credit') tap.give(order.frames)
    })
  }

  #tapped(tapped: Tapped): SoundSource | undefined {
    if ('mixer' in tapped) return this.#room(tapped.mixer)?.mixer
    const port = this.#options.portOf(tapped.port)
    return tapped.side === 'said' ? port?.voice : port?.heard
  }

  #room(id: number): Room | undefined {
    const thing = this.#things.get(id)?.thing
    return thing instanceof Room ? thing : undefined
  }
}

/** The ports that something ends with. */
function portsOf(order: GraphOrder): readonly number[] {
  if (order.do === 'tap') return order.from.flatMap((tapped) => ('port' in tapped ? tapped.port : []))
  return 'port' in order ? [order.port] : []
}
