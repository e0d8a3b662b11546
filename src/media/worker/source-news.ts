/**
 * Tells that somebody speaks, and from where: of each source once, and of a peer that speaks from two places by turns not with
 * every turn.
 *
 *   port  ── speech from here ─▶  here  ── media-started ─▶  main thread
 */
import { endpointText } from '../../core/ip.ts'
import type { PortEvents } from '../types.ts'
import type { Endpoint } from './io/io.ts'

/** Sources that are told of at once; after that one in so many ms. */
const sourcesTold = 8
const toldEveryMs = 1000

export class SourceNews {
  readonly #tell: (started: PortEvents['media-started']) => void
  #told: Endpoint | undefined
  #count = 0
  #toldAtMs = 0

  constructor(tell: (started: PortEvents['media-started']) => void) {
    this.#tell = tell
  }

  /** @param source The same object for packets that follow each other from one source. */
  speech(source: Endpoint | undefined, codec: string, nowMs: number): void {
    if (!source || source === this.#told) return
    if (this.#count >= sourcesTold && nowMs - this.#toldAtMs < toldEveryMs) return
    this.#told = source
    this.#count++
    this.#toldAtMs = nowMs
    this.#tell({ source: endpointText(source.ip, source.port), codec })
  }
}
