/**
 * What stands at a port until it is stopped: sounds played to the party, sound that comes from outside, a tap, a meter.
 *
 *   desk.ts ── order ─▶ Thing ─▶ port, clock
 *           ◀─ told ───
 */
import { decodeWavSamples } from '../../../codec/wav.ts'
import type { GraphEvent, GraphOrder, InjectOrder, PlayOrder } from '../../graph/protocol.ts'
import type { Laid, Music, PlaybackEnd, Sound } from '../../graph/types.ts'
import type { FrameClock, FrameSink } from '../frame-clock.ts'
import type { SoundSource } from '../sound.ts'
import type { SoundStore } from '../sounds/store.ts'
import { Duck } from './duck.ts'
import { Injection } from './injection.ts'
import type { MusicBox } from './music.ts'
import { Player } from './player.ts'

/** A port, as the graph needs it. */
export interface GraphPort {
  /** What the party says. */
  readonly voice: SoundSource
  /** What it hears: a base, and what is laid over it. */
  readonly heard: SoundSource & { readonly base: SoundSource | undefined }
  /** The highest rate that the party can hear. */
  readonly hearsHz: number
  /** The base: a party it is not bridged with. */
  hear(source: SoundSource | undefined): void
  /** @throws {RangeError} when there are too many already. */
  say(source: SoundSource, how: 'instead' | 'over'): () => void
}

/** Something with a number. */
export interface Thing {
  /** An order that concerns it; others change nothing. */
  take(order: GraphOrder): void
  /** Its port was closed: tell, if somebody waits for its end. */
  portClosed(): void
  /** Twice is fine. */
  stop(): void
}

export type Tell = (told: GraphEvent) => void

/** Ends it again; undefined when there are too many at the port already. */
export function sayIfRoom(port: GraphPort, source: SoundSource, how: 'instead' | 'over'): (() => void) | undefined {
  try {
    return port.say(source, how)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** A source at a port, in the way that was wished. */
class Layer {
  #end: (() => void) | undefined
  #duck: Duck | undefined

  /** @returns False when there are too many at the port already. */
  lay(port: GraphPort, source: SoundSource, how: Laid): boolean {
    if (typeof how === 'object') {
      const sampleRateHz = Math.max(source.sampleRateHz, port.hearsHz)
      this.#duck = new Duck(source, () => port.heard.base, how.duckDb, sampleRateHz)
    }
    this.#end = sayIfRoom(port, this.#duck ?? source, how === 'over' ? 'over' : 'instead')
    return this.#end !== undefined
  }

  /** The source has nothing more to say. */
  end(): void {
    const end = this.#end
    this.#end = undefined
    if (this.#duck && end) this.#duck.end(end)
    else end?.()
  }
}

/** Sounds played to the party of a port. */
export class Played implements Thing {
  readonly #player: Player
  readonly #layer = new Layer()
  readonly #stopOn: string

  constructor(port: GraphPort, store: SoundStore, sounds: readonly Sound[], wishes: PlayOrder, tell: Tell) {
    this.#stopOn = wishes.stopOn
    this.#player = new Player(store, {
      sounds,
      upToHz: port.hearsHz,
      times: wishes.times,
      volumeDb: wishes.volumeDb,
      fromMs: wishes.fromMs,
      ended: (end) => tell({ name: 'playback-ended', end }),
      silent: () => this.#layer.end(),
    })
    void this.#begin(port, wishes.how)
  }

  /** What was heard before goes on until there is something to be heard instead. */
  async #begin(port: GraphPort, how: Laid): Promise<void> {
    await this.#player.opened
    if (this.#player.isOver || this.#layer.lay(port, this.#player, how)) return
    this.#player.stop({ reason: 'failed', failure: 'media.too-many-sounds' })
  }

  take(order: GraphOrder): void {
    if (order.do === 'change-playback') changePlayback(this.#player, order.change)
  }

  digit(digit: string): void {
    if (this.#stopOn.includes(digit)) this.#player.stop({ reason: 'digit', digit })
  }

  portClosed(): void {
    this.#player.stop({ reason: 'closed' })
  }

  stop(): void {
    this.#player.stop()
  }
}

export function changePlayback(player: Player, change: Extract<GraphOrder, { do: 'change-playback' }>['change']): void {
  if ('seekMs' in change) player.seek(change.seekMs)
  else if ('volumeDb' in change) player.setVolume(change.volumeDb)
  else if (change.paused) player.pause()
  else player.resume()
}

/** Music that others hear too. */
export class Held implements Thing {
  readonly #layer = new Layer()
  readonly #leave: () => void
  #over = false

  constructor(port: GraphPort, music: MusicBox, sounds: readonly Music[], tell: Tell) {
    const failed = (end: PlaybackEnd): void => tell({ name: 'playback-ended', end })
    const { player, leave } = music.listen(sounds, failed)
    this.#leave = leave
    void player.opened.then(() => {
      if (!this.#over && !player.isOver) this.#layer.lay(port, player, 'instead')
    })
  }

  take(): void {}

  portClosed(): void {
    this.stop()
  }

  stop(): void {
    this.#over = true
    this.#layer.end()
    this.#leave()
  }
}

/** Sound that comes from outside the worker. */
export class Injected implements Thing {
  readonly #injection: Injection
  readonly #layer = new Layer()
  readonly #encoding: InjectOrder['encoding']
  readonly #tell: Tell
  /** Half a sample that came at the end of a write. */
  #half = new Uint8Array(0)

  constructor(port: GraphPort, { sampleRateHz, encoding, how, prebufferMs, lowMs, mostMs }: InjectOrder, tell: Tell) {
    this.#encoding = encoding
    this.#tell = tell
    this.#injection = new Injection({
      sampleRateHz,
      prebufferMs,
      lowMs,
      mostMs,
      tell: (name, event) => tell({ name, event } as GraphEvent),
      silent: () => this.#layer.end(),
    })
    if (!this.#layer.lay(port, this.#injection, how)) this.#injection.stop()
  }

  take(order: GraphOrder): void {
    if (order.do === 'audio') this.#injection.write(this.#decode(order.bytes))
    else if (order.do === 'mark') this.#injection.mark(order.name)
    else if (order.do === 'end-audio') this.#injection.end()
    else if (order.do === 'flush') {
      this.#tell({ name: 'flushed', ask: order.ask, unplayedMs: this.#injection.flush() })
      this.#half = new Uint8Array(0)
    }
  }

  #decode(bytes: Uint8Array): Int16Array {
    if (this.#encoding === 'PCMU') return decodeWavSamples('PCMU', bytes)
    const all = this.#half.length === 0 ? bytes : Buffer.concat([this.#half, bytes])
    this.#half = all.slice(all.length - (all.length % 2))
    return decodeWavSamples('pcm16', all)
  }

  portClosed(): void {
    this.stop()
  }

  stop(): void {
    this.#injection.stop()
  }
}

/** Something that the clock drives: a tap, a meter. */
export class Clocked implements Thing {
  readonly #clock: FrameClock
  readonly #sink: FrameSink
  readonly #take: (order: GraphOrder) => void

  constructor(clock: FrameClock, sink: FrameSink, take: (order: GraphOrder) => void = () => {}) {
    this.#clock = clock
    this.#sink = sink
    this.#take = take
    clock.add(sink)
  }

  take(order: GraphOrder): void {
    this.#take(order)
  }

  portClosed(): void {
    this.stop()
  }

  stop(): void {
    this.#clock.remove(this.#sink)
  }
}

/** The base of a port, until another took its place. */
export class Base implements Thing {
  readonly #port: GraphPort
  readonly #source: SoundSource

  constructor(port: GraphPort, source: SoundSource) {
    this.#port = port
    this.#source = source
    port.hear(source)
  }

  take(): void {}

  portClosed(): void {
    this.stop()
  }

  stop(): void {
    if (this.#port.heard.base === this.#source) this.#port.hear(undefined)
  }
}
