/**
 * Watches each stream for packets: logs the first, the half of RTP_TIMEOUT and its end, and marks what is missing in the
 * recording. A silent stream ends nothing: the others go on, and it may come back.
 *
 *   streams.ts ── first packet, half of the time without one ─▶  here  ─▶ log, ActiveRecording.noteSilence
 *
 * The sentences are those that people search a log for (section "Troubleshooting" of the SIPREC document).
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { MediaPort, PortStats } from '../media/types.ts'

/** A stream that is to send. */
export interface WatchedStream {
  readonly legId: string
  readonly label?: string | undefined
  readonly port: Pick<MediaPort, 'stats'>
}

export interface SilentStreamsOptions {
  readonly clock: Clock
  readonly log: Logger
  /** RTP_TIMEOUT; 0 never. */
  readonly timeoutMs: number
  /** Whether the stream is still there and its client said that it sends. */
  readonly expected: (legId: string) => boolean
  /** Since when it is silent, wall time; undefined when it is heard again. */
  readonly silent: (legId: string, sinceMs: number | undefined) => void
}

/** How often a stream that timed out is looked at. */
const lookAgainMs = 1000
/** Clocks of threads differ a little. */
const toleranceMs = 100

export class SilentStreams {
  readonly #options: SilentStreamsOptions
  readonly #timers = new Map<string, Timer>()
  readonly #silent = new Set<string>()

  constructor(options: SilentStreamsOptions) {
    this.#options = options
  }

  /** After so long without a packet a port is to tell `inactive`; 0 never. */
  get noticeAfterMs(): number {
    return this.#options.timeoutMs / 2
  }

  /** Its first packet came. */
  heard({ legId, label }: WatchedStream, source: string, codec: string): void {
    this.#options.log.info('First RTP packet received successfully', { legId, label, source, codec })
  }

  /** Half of the time passed without a packet. */
  async inactive(stream: WatchedStream, idleMs: number): Promise<void> {
    const { clock, log, timeoutMs, expected } = this.#options
    const { legId, label } = stream
    if (!expected(legId) || this.#silent.has(legId)) return
    log.warn('RTP stream inactive - no packets received for extended period', {
      legId,
      label,
      idleMs: Math.round(idleMs),
      timeoutMs,
      ...counts(await stream.port.stats()),
    })
    this.#lookAfter(stream, clock.now() - idleMs, timeoutMs - idleMs)
  }

  /** No stream is watched any more. */
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  /** @param sinceMs Of our clock: when the last packet came, or was first expected. */
  #lookAfter(stream: WatchedStream, sinceMs: number, ms: number): void {
    this.#timers.get(stream.legId)?.cancel()
    this.#timers.set(
      stream.legId,
      this.#options.clock.after(ms, () => void this.#look(stream, sinceMs)),
    )
  }

  async #look(stream: WatchedStream, sinceMs: number): Promise<void> {
    const { clock, log, timeoutMs, expected, silent } = this.#options
    const { legId, label, port } = stream
    this.#timers.delete(legId)
    const stats = await port.stats()
    const quietMs = clock.now() - sinceMs
    const idleMs = Math.min(stats.idleMs ?? quietMs, quietMs)
    const isSilent = expected(legId) && idleMs >= timeoutMs - toleranceMs
    if (isSilent && !this.#silent.has(legId)) {
      this.#silent.add(legId)
      log.warn('RTP timeout detected - the recording of the other streams goes on', {
        legId,
        label,
        idleMs: Math.round(idleMs),
        timeoutMs,
        ...counts(stats),
      })
      silent(legId, clock.wallMs() - idleMs)
    } else if (!isSilent && this.#silent.delete(legId)) {
      log.info('RTP stream is active again', { legId, label, ...counts(stats) })
      silent(legId, undefined)
    }
    if (this.#silent.has(legId)) this.#lookAfter(stream, sinceMs, lookAgainMs)
  }
}

/** What tells a firewall from a wrong setting: whether anything came at all, and was refused. */
const counts = ({ packetsReceived, packetsRefused }: PortStats) => ({ packetsReceived, packetsRefused })
