/**
 * Notices that nothing comes any more: once for each silence.
 *
 *   port  ── packets, descriptions, ticks ─▶  here  ── inactive ─▶  main thread
 */
export class SilenceWatch {
  /** When the last packet came. */
  lastPacketAtMs: number | undefined
  readonly #limitMs: number
  readonly #tell: (idleMs: number) => void
  /** Since when silence counts; undefined before the first description. */
  #sinceMs: number | undefined
  #told = false

  /** @param limitMs 0: never told. */
  constructor(limitMs: number, tell: (idleMs: number) => void) {
    this.#limitMs = limitMs
    this.#tell = tell
  }

  /** What the two sides agreed has changed: silence counts from now on. */
  describe(nowMs: number): void {
    this.#sinceMs = nowMs
    this.#told = false
  }

  packet(nowMs: number): void {
    this.lastPacketAtMs = nowMs
    this.#told = false
  }

  tick(nowMs: number): void {
    if (this.#limitMs === 0 || this.#sinceMs === undefined || this.#told) return
    const idleMs = nowMs - Math.max(this.#sinceMs, this.lastPacketAtMs ?? 0)
    if (idleMs < this.#limitMs) return
    this.#told = true
    this.#tell(idleMs)
  }
}
