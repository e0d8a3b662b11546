/**
 * The RTP ports that are free: even numbers, each with the odd one above it for RTCP (RFC 3550 §11).
 *
 * Handed out in a random order, so that nobody can tell the next one. One that was freed rests a while, so that what still
 * comes in for the old call does not reach a new one; when all others are in use it is taken all the same, for a call
 * that fails is worse, and strays are refused by source-lock.ts.
 */
import { randomInt } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import type { PortPoolStats } from './types.ts'

/** As long as a BYE is repeated that nobody answers (RFC 3261 timer F): until then a peer may send. */
const restMs = 32_000

export class PortPool {
  readonly #clock: Clock
  readonly #free: number[] = []
  /** The one that has rested longest first. */
  readonly #resting: { readonly rtpPort: number; readonly sinceMs: number }[] = []
  readonly #pairs: number
  #takenEarly = 0
  #exhausted = 0

  /** @param portMax The last RTCP port may be this. */
  constructor(portMin: number, portMax: number, clock: Clock) {
    this.#clock = clock
    for (let port = portMin + (portMin % 2); port + 1 <= portMax; port += 2) this.#free.push(port)
    this.#pairs = this.#free.length
  }

  stats(): PortPoolStats {
    this.#wake()
    const [free, resting] = [this.#free.length, this.#resting.length]
    const inUse = this.#pairs - free - resting
    return { pairs: this.#pairs, inUse, free, resting, takenEarly: this.#takenEarly, exhausted: this.#exhausted }
  }

  /** The RTP port of a free pair; undefined when all are taken. */
  take(): number | undefined {
    this.#wake()
    const last = this.#free.pop()
    if (last === undefined) return this.#takeResting()
    const index = randomInt(this.#free.length + 1)
    const chosen = this.#free[index]
    if (chosen === undefined) return last
    this.#free[index] = last
    return chosen
  }

  /** This pair and no other; false when it is taken, or none of ours. */
  takeThis(rtpPort: number): boolean {
    const free = this.#free.indexOf(rtpPort)
    if (free >= 0) this.#free.splice(free, 1)
    const resting = free >= 0 ? -1 : this.#resting.findIndex((one) => one.rtpPort === rtpPort)
    if (resting >= 0) this.#resting.splice(resting, 1)
    return free >= 0 || resting >= 0
  }

  #takeResting(): number | undefined {
    const rested = this.#resting.shift()
    if (rested) this.#takenEarly++
    else this.#exhausted++
    return rested?.rtpPort
  }

  giveBack(rtpPort: number): void {
    this.#resting.push({ rtpPort, sinceMs: this.#clock.now() })
  }

  /** Those that have rested are free again. */
  #wake(): void {
    const untilMs = this.#clock.now() - restMs
    const rested = this.#resting.findIndex(({ sinceMs }) => sinceMs > untilMs)
    const count = rested < 0 ? this.#resting.length : rested
    for (const { rtpPort } of this.#resting.splice(0, count)) this.#free.push(rtpPort)
  }
}
