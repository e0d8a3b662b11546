/**
 * Finds the phone that went away without a BYE.
 *
 * A leg that should send and was silent for `rtpTimeoutMs` may have vanished, or only suppress silence. So it is asked:
 * an OPTIONS inside the dialog. Whoever answers lives, and is asked again while it stays silent; no answer within the
 * transaction's 32 s, or 481, ends the dialog (RFC 3261 §12.2.1.2) and with it the call.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { MediaPort } from '../media/types.ts'
import type { Dialog } from '../sip/stack.types.ts'

export interface SilenceWatchOptions {
  readonly clock: Clock
  readonly port: Pick<MediaPort, 'stats'>
  readonly dialog: Pick<Dialog, 'request'>
  /** Looked at so often; above 0. */
  readonly rtpTimeoutMs: number
  /** False while the leg is on hold and need not send. */
  readonly expectsPackets: () => boolean
  /** Nobody is there. Told once. */
  readonly onVanished: () => void
}

export class SilenceWatch {
  readonly #options: SilenceWatchOptions
  #timer: Timer | undefined
  #stopped = false

  constructor(options: SilenceWatchOptions) {
    this.#options = options
    this.#lookLater()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #lookLater(): void {
    if (this.#stopped) return
    const { clock, rtpTimeoutMs } = this.#options
    this.#timer = clock.after(rtpTimeoutMs, () => void this.#look())
  }

  async #look(): Promise<void> {
    const { port, dialog, rtpTimeoutMs, expectsPackets, onVanished } = this.#options
    // Without stats the media worker died, and the call hears of that elsewhere.
    const stats = await port.stats().catch(() => undefined)
    if (!stats) return this.#lookLater()
    const { idleMs } = stats
    const silent = expectsPackets() && (idleMs === undefined || idleMs >= rtpTimeoutMs)
    if (this.#stopped || !silent) return this.#lookLater()
    const { status } = await dialog.request('OPTIONS')
    if (this.#stopped) return
    if (status !== 408 && status !== 481) return this.#lookLater()
    this.stop()
    onVanished()
  }
}
