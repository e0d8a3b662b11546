/**
 * The RTP ports that are free: even numbers, each with the odd one above it for RTCP (RFC 3550 §11).
 *
 * Handed out in a random order, so that nobody can tell the next one, and freed ones go to the end of the queue, so that
 * what still comes in for an old call does not reach a new one as long as others are free.
 */
import { randomInt } from 'node:crypto'

export class PortPool {
  readonly #free: number[] = []

  /** @param portMax The last RTCP port may be this. */
  constructor(portMin: number, portMax: number) {
    for (let port = portMin + (portMin % 2); port + 1 <= portMax; port += 2) this.#free.push(port)
    for (let i = this.#free.length - 1; i > 0; i--) {
      const j = randomInt(i + 1)
      const [a, b] = [this.#free[i] ?? 0, this.#free[j] ?? 0]
      this.#free[i] = b
      this.#free[j] = a
    }
  }

  get free(): number {
    return this.#free.length
  }

  /** The RTP port of a free pair; undefined when all are taken. */
  take(): number | undefined {
    return this.#free.shift()
  }

  giveBack(rtpPort: number): void {
    this.#free.push(rtpPort)
  }
}
