/** Mixers and supervisors of a session, as the main thread holds them. */
import { Emitter } from '../../core/emitter.ts'
import type { MediaPort } from '../types.ts'
import { checkMember, checkMixer } from './checks.ts'
import type { GraphLink } from './graph-link.ts'
import { type TakeFrame, TapHandle } from './listening.ts'
import { PlaybackHandle } from './playback.ts'
import type {
  Member,
  MemberEvents,
  MemberWishes,
  Mixer,
  MixerWishes,
  Playback,
  PlayOptions,
  Sound,
  Supervision,
  Tap,
  TapFormat,
} from './types.ts'

/** The number of a port of this session. @throws {MediaError} `media.other-session` */
export type NumberOf = (port: MediaPort) => number

export class MixerHandle implements Mixer {
  readonly #graph: GraphLink
  readonly #numberOf: NumberOf
  readonly #id: number

  /** @throws {RangeError} */
  constructor(graph: GraphLink, wishes: MixerWishes, numberOf: NumberOf) {
    checkMixer(wishes)
    this.#graph = graph
    this.#numberOf = numberOf
    this.#id = graph.begin((id) => ({ do: 'open-mixer', id, wishes }))
  }

  join(port: MediaPort, wishes: MemberWishes = {}): Member {
    return new MemberHandle(this.#graph, this.#id, this.#numberOf(port), wishes)
  }

  play(sounds: readonly Sound[], options: Omit<PlayOptions, 'how' | 'stopOn'> = {}): Playback {
    const mixer = this.#id
    return new PlaybackHandle(this.#graph, sounds, options, (id, wishes) => ({
      do: 'play-to-mixer',
      id,
      mixer,
      sounds,
      wishes,
    }))
  }

  tap(format: TapFormat, take: TakeFrame): Tap {
    return new TapHandle(this.#graph, [{ mixer: this.#id }], format, take)
  }

  close(): void {
    this.#graph.stop(this.#id)
  }
}

class MemberHandle implements Member {
  readonly #graph: GraphLink
  readonly #id: number
  readonly #events = new Emitter<MemberEvents>()

  constructor(graph: GraphLink, mixer: number, port: number, wishes: MemberWishes) {
    checkMember(wishes)
    this.#graph = graph
    this.#id = graph.begin(
      (id) => ({ do: 'join', id, mixer, port, wishes }),
      (told) => {
        if (told.name === 'talks') this.#events.emit('talks', { talking: told.talking })
      },
    )
  }

  on<Name extends keyof MemberEvents>(name: Name, listener: (event: MemberEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  change(wishes: MemberWishes): void {
    checkMember(wishes)
    this.#graph.order({ do: 'change-member', id: this.#id, wishes })
  }

  leave(): void {
    this.#graph.stop(this.#id)
  }
}

export class SupervisionHandle implements Supervision {
  readonly #graph: GraphLink
  readonly #numberOf: NumberOf
  readonly #id: number

  constructor(graph: GraphLink, listener: MediaPort, parties: readonly MediaPort[], numberOf: NumberOf) {
    this.#graph = graph
    this.#numberOf = numberOf
    const [port, others] = [numberOf(listener), parties.map(numberOf)]
    this.#id = graph.begin((id) => ({ do: 'supervise', id, port, parties: others, heardBy: [] }))
  }

  heardBy(ports: readonly MediaPort[]): void {
    this.#graph.order({ do: 'heard-by', id: this.#id, ports: ports.map(this.#numberOf) })
  }

  stop(): void {
    this.#graph.stop(this.#id)
  }
}
