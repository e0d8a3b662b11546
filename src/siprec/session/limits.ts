/**
 * What ends a session that nobody ends: its longest duration, and a client that went away without a BYE (all streams
 * silent, and no answer to an OPTIONS: call/silence-watch.ts).
 */
import { SilenceWatch } from '../../call/silence-watch.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Dialog } from '../../sip/stack.types.ts'
import type { Streams } from '../streams.ts'

export interface SessionLimitsOptions {
  readonly clock: Clock
  readonly streams: Streams
  readonly dialog: Dialog
  readonly answeredAtMs: number
  /** 0 never. */
  readonly maxDurationMs: number
  /** 0 never. */
  readonly askWhenSilentMs: number
  /** It was as long as it may be: one forgotten somewhere does not fill the disk. */
  readonly onTooLong: () => void
  readonly onVanished: () => void
}

export class SessionLimits {
  readonly #longest: Timer | undefined
  readonly #watch: SilenceWatch | undefined

  constructor(options: SessionLimitsOptions) {
    const { clock, streams, dialog, answeredAtMs, maxDurationMs, askWhenSilentMs, onTooLong, onVanished } = options
    if (maxDurationMs > 0) {
      const leftMs = answeredAtMs + maxDurationMs - clock.wallMs()
      this.#longest = clock.after(Math.max(0, leftMs), onTooLong)
    }
    if (askWhenSilentMs > 0) {
      this.#watch = new SilenceWatch({
        clock,
        port: streams,
        dialog,
        rtpTimeoutMs: askWhenSilentMs,
        expectsPackets: () => true,
        onVanished,
      })
    }
  }

  stop(): void {
    this.#longest?.cancel()
    this.#watch?.stop()
  }
}
