/**
 * The last moment before a recording begins.
 *
 * A callee's first packets race its 200: they may come while the answer is still on its way through the signalling.
 * So a port that will be recorded keeps what came last, early media too, for as long as such a race takes, and hands it
 * to the recorder when it starts.
 */
import { copyOf, type SpeechPacket } from './recorder.ts'

/** How far back, ms: a few packets. What came earlier belongs to the ringing, not to the call. */
const keptMs = 100
/** Bound for packets that come faster than time allows. */
const keptPackets = 10

export interface KeptPacket {
  readonly packet: SpeechPacket
  readonly atMs: number
}

export class Preroll {
  #kept: KeptPacket[] = []

  keep(packet: SpeechPacket, nowMs: number): void {
    this.#kept = this.#kept.filter(({ atMs }) => nowMs - atMs < keptMs).slice(1 - keptPackets)
    this.#kept.push({ packet: copyOf(packet), atMs: nowMs })
  }

  /** What came within the last moment, in the order it came; nothing is kept afterwards. */
  take(nowMs: number): readonly KeptPacket[] {
    const recent = this.#kept.filter(({ atMs }) => nowMs - atMs < keptMs)
    this.#kept = []
    return recent
  }
}
