/**
 * Where several ports meet: a mixer with its members and what is played to all of them; a supervisor who listens to others.
 *
 *   desk.ts ── order ─▶ Room, Joined, Supervising ─▶ Mixer, ports
 */
import type { GraphOrder, PlayOrder } from '../../graph/protocol.ts'
import type { MemberWishes, MixerWishes, Sound } from '../../graph/types.ts'
import { LoudestStage } from '../mixer/loudest.ts'
import { Mixer } from '../mixer/mixer.ts'
import type { MixerMember } from '../mixer/mixer-member.ts'
import type { SoundStore } from '../sounds/store.ts'
import { atRate } from '../voice/at-rate.ts'
import { Base, changePlayback, type GraphPort, sayIfRoom, type Tell, type Thing } from './at-port.ts'
import { Player } from './player.ts'

/** A conference. What is in it has numbers of its own, and ends with it. */
export class Room implements Thing {
  readonly mixer: Mixer
  readonly #inside = new Set<Thing>()

  constructor({ sampleRateHz, loudest }: MixerWishes) {
    this.mixer = new Mixer({ sampleRateHz, ...(loudest !== undefined && { stage: new LoudestStage(loudest) }) })
  }

  /** Ends with the room. Returns it. */
  holds<Kind extends Thing>(thing: Kind): Kind {
    this.#inside.add(thing)
    return thing
  }

  /** It is over: rooms may last for longer than all who were ever in them. */
  lets(thing: Thing): void {
    this.#inside.delete(thing)
  }

  get size(): number {
    return this.#inside.size
  }

  take(): void {}

  portClosed(): void {}

  stop(): void {
    for (const thing of this.#inside) thing.portClosed()
  }
}

/** A port in a mixer. */
export class Joined implements Thing {
  readonly #room: Room
  readonly #member: MixerMember
  readonly #base: Base
  readonly #tell: Tell
  #over = false

  constructor(port: GraphPort, room: Room, wishes: MemberWishes, tell: Tell) {
    const { mixer } = room
    this.#room = room
    this.#tell = tell
    this.#member = mixer.join(atRate(port.voice, mixer.sampleRateHz), {
      ...wishes,
      talks: (talking) => tell({ name: 'talks', talking }),
    })
    this.#base = new Base(port, this.#member)
  }

  take(order: GraphOrder): void {
    if (order.do === 'change-member') this.#member.change(order.wishes)
  }

  portClosed(): void {
    this.stop()
    this.#tell({ name: 'gone' })
  }

  stop(): void {
    if (this.#over) return
    this.#over = true
    this.#member.leave()
    this.#base.stop()
    this.#room.lets(this)
  }
}

/** Sounds played to all members of a mixer. */
export class PlayedToAll implements Thing {
  readonly #player: Player
  #member: MixerMember | undefined

  constructor(room: Room, store: SoundStore, sounds: readonly Sound[], wishes: PlayOrder, tell: Tell) {
    const { mixer } = room
    this.#player = new Player(store, {
      sampleRateHz: mixer.sampleRateHz,
      sounds,
      times: wishes.times,
      volumeDb: wishes.volumeDb,
      fromMs: wishes.fromMs,
      ended: (end) => {
        room.lets(this)
        tell({ name: 'playback-ended', end })
      },
      silent: () => this.#member?.leave(),
    })
    void this.#player.opened.then(() => {
      if (!this.#player.isOver) this.#member = mixer.join(this.#player, { deaf: true, announces: true })
    })
  }

  take(order: GraphOrder): void {
    if (order.do === 'change-playback') changePlayback(this.#player, order.change)
  }

  portClosed(): void {
    this.#player.stop({ reason: 'closed' })
  }

  stop(): void {
    this.#player.stop()
  }
}

/** A supervisor hears others, and is heard by some of them, by all, or by nobody. */
export class Supervising implements Thing {
  readonly #listener: GraphPort
  readonly #portOf: (port: number) => GraphPort | undefined
  readonly #members: readonly MixerMember[]
  readonly #base: Base
  #ends: readonly (() => void)[] = []

  constructor(listener: GraphPort, parties: readonly GraphPort[], portOf: (port: number) => GraphPort | undefined) {
    this.#listener = listener
    this.#portOf = portOf
    const mixer = new Mixer({ sampleRateHz: supervisionRateHz })
    this.#members = parties.map(({ voice }) => mixer.join(atRate(voice, supervisionRateHz)))
    this.#base = new Base(listener, mixer)
  }

  take(order: GraphOrder): void {
    if (order.do === 'heard-by') this.heardBy(order.ports)
  }

  heardBy(ports: readonly number[]): void {
    for (const end of this.#ends) end()
    this.#ends = ports.flatMap((number) => {
      const port = this.#portOf(number)
      return (port && sayIfRoom(port, this.#listener.voice, 'over')) ?? []
    })
  }

  portClosed(): void {
    this.stop()
  }

  stop(): void {
    this.heardBy([])
    for (const member of this.#members) member.leave()
    this.#base.stop()
  }
}

const supervisionRateHz = 16_000
