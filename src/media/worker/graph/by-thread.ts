/**
 * Taps and injections of other threads: sound goes straight there and comes straight from there, past the main thread.
 *
 *   desk.ts ── order with a MessagePort ─▶ here ◀── frames, audio ──▶ that thread
 */
import type { MessagePort } from 'node:worker_threads'
import type { GraphOrder, InjectOrder } from '../../graph/protocol.ts'
import type { InjectMessage, TapFrame } from '../../graph/types.ts'
import type { FrameClock } from '../frame-clock.ts'
import { Clocked, type GraphPort, Injected, type Tell, type Thing } from './at-port.ts'
import { Tap, type TapOptions } from './tap.ts'

/** Sound that comes from another thread, by a channel of its own. */
export class InjectedByThread implements Thing {
  readonly #injected: Injected

  constructor(port: GraphPort, from: MessagePort, wishes: InjectOrder, tell: Tell) {
    this.#injected = new Injected(port, wishes, (told) => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      from.postMessage(told)
      if (told.name !== 'ended') return
      from.close()
      tell(told)
    })
    from.on('message', (message: InjectMessage) => this.#injected.take(orderOf(message)))
  }

  take(): void {}

  portClosed(): void {
    this.stop()
  }

  stop(): void {
    this.#injected.stop()
  }
}

/** As an order of the main thread; numbers are for those who share a channel. */
function orderOf(message: InjectMessage): GraphOrder {
  if ('audio' in message) return { do: 'audio', id: 0, bytes: message.audio }
  if ('mark' in message) return { do: 'mark', id: 0, name: message.mark }
  if ('flush' in message) return { do: 'flush', id: 0, ask: message.flush }
  return { do: 'end-audio', id: 0 }
}

/** A tap whose frames go to another thread, by a channel of its own. */
export class TappedByThread implements Thing {
  readonly #clocked: Clocked
  readonly #to: MessagePort

  constructor(clock: FrameClock, options: Omit<TapOptions, 'send'>, to: MessagePort) {
    const send = (frame: TapFrame): void =>
      to.postMessage(
        frame,
        frame.tracks.map(({ buffer }) => buffer as ArrayBuffer),
      )
    const tap = new Tap({ ...options, send })
    this.#to = to
    this.#clocked = new Clocked(clock, tap)
    to.on('message', (frames: number) => tap.give(frames))
  }

  take(): void {}

  portClosed(): void {
    this.stop()
  }

  stop(): void {
    this.#clocked.stop()
    this.#to.close()
  }
}
