/**
 * Which packets of a stream came already (RFC 3711 §3.3.2): the last 128 are known, older ones count as seen.
 */

/** RFC 3711 asks for 64 at least; reordering on mobile networks goes beyond. A power of two. */
const size = 128

export class ReplayWindow {
  /** The highest index taken; -1 before the first. */
  highest: number
  /** A bit for each index, at its place modulo `size`. */
  readonly #seen = new Uint32Array(size / 32)

  /** @param highest Of the packets under another key: they cannot come again, but the counting goes on. */
  constructor(highest = -1) {
    this.highest = highest
  }

  /** Whether the packet with this index is new. */
  isNew(index: number): boolean {
    if (index > this.highest) return true
    if (this.highest - index >= size) return false
    const place = index % size
    return ((this.#seen[place >>> 5] ?? 0) & (1 << (place & 31))) === 0
  }

  take(index: number): void {
    if (index - this.highest >= size) this.#seen.fill(0)
    else for (let between = this.highest + 1; between < index; between++) this.#set(between % size, false)
    this.#set(index % size, true)
    if (index > this.highest) this.highest = index
  }

  #set(place: number, seen: boolean): void {
    const bit = 1 << (place & 31)
    const word = this.#seen[place >>> 5] ?? 0
    this.#seen[place >>> 5] = seen ? word | bit : word & ~bit
  }
}
