/**
 * The last moment before a recording begins.
 *
 * A callee's first packets race its 200: they may come while the answer is still on its way through the signalling.
 * So a port that will be recorded keeps what came last, early media too, for as long as such a race takes, and hands it
 * to the recorder when it starts.
 */
import { copyOf, type SpeechPacket } from './speech-packet.ts'

/** How far back while the peer has not answered, ms: what it sends then can only be speech that overtook its answer. */
const overtakingMs = 2000
/** How far back in early media, ms: a few packets. What came earlier belongs to the ringing, not to the call. */
const earlyMediaMs = 100
/** Bound for packets that come faster than one each 10 ms. */
const packetsAMs = 0.1

export interface KeptPacket {
  readonly packet: SpeechPacket
  readonly atMs: number
}

export class Preroll {
  #kept: KeptPacket[] = []
  #windowMs = overtakingMs

  /** @param earlyMedia The peer has told by a description that it sends before it answers. */
  keep(packet: SpeechPacket, nowMs: number, earlyMedia: boolean): void {
    this.#windowMs = earlyMedia ? earlyMediaMs : overtakingMs
    this.#kept = this.#recent(nowMs).slice(1 - this.#windowMs * packetsAMs)
    this.#kept.push({ packet: copyOf(packet), atMs: nowMs })
  }

  /** What came within the last moment, in the order it came; nothing is kept afterwards. */
  take(nowMs: number): readonly KeptPacket[] {
    const recent = this.#recent(nowMs)
    this.#kept = []
    return recent
  }

  #recent(nowMs: number): KeptPacket[] {
    return this.#kept.filter(({ atMs }) => nowMs - atMs < this.#windowMs)
  }
}
