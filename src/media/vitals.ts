/**
 * Whether a media worker runs, and how busy it is, by looking at its pulse again and again.
 *
 *   slot.ts  ── look, each half second ─▶  here  ── Pulse
 *            ◀─ what became of it ───────
 *
 * Time is counted in looks, not read from a clock: while the whole process stood still nobody looked, and nobody is blamed.
 */
import type { Pulse } from './pulse.ts'

export const lookEveryMs = 500
/** Sockets hold five seconds of a stream (worker/io/io.ts): what is told so early has cost nothing but delay. */
const stalledAfterMs = 2_000
/** How much of a new reading counts: who becomes busy is known as such within two seconds. */
const newShare = 0.3

/** `stalled` and `runs-again` are told once each time; `hopeless` from when it has stood still for as long as is waited. */
export type Change = 'stalled' | 'runs-again' | 'hopeless'

export interface Look {
  /** By a clock that never jumps. */
  readonly nowMs: number
  /** One that stands still for so long is hopeless; 0 never. */
  readonly limitMs: number
  /** Sessions and ports on it. */
  readonly parts: number
}

export class Vitals {
  readonly #pulse: Pulse
  #beats = 0
  #cpuMs = 0
  #readAtMs: number | undefined
  #silentMs = 0
  #busy = 0
  #parts = 0

  constructor(pulse: Pulse) {
    this.#pulse = pulse
  }

  /** It has loaded. One that never does is not stalled: a crowded machine takes its time. */
  get started(): boolean {
    return this.#pulse.beats !== 0
  }

  /** How long it has stood still, to half a second; 0 while it runs. */
  get stalledMs(): number {
    return this.#silentMs >= stalledAfterMs ? this.#silentMs : 0
  }

  /** Share of a core that it takes, 0 to 1, smoothed over some seconds; the last known while it stands still. */
  get busy(): number {
    return this.#busy
  }

  /** How many parts it took that for. */
  get partsThen(): number {
    return this.#parts
  }

  /** Each `lookEveryMs`. */
  look({ nowMs, limitMs, parts }: Look): Change | undefined {
    const { beats } = this.#pulse
    if (beats === 0) return undefined
    const wasStalled = this.stalledMs > 0
    if (beats === this.#beats) {
      this.#silentMs += lookEveryMs
      if (limitMs > 0 && this.#silentMs >= limitMs) return 'hopeless'
      return this.stalledMs > 0 && !wasStalled ? 'stalled' : undefined
    }
    this.#beats = beats
    this.#silentMs = 0
    this.#read(nowMs, parts)
    return wasStalled ? 'runs-again' : undefined
  }

  #read(nowMs: number, parts: number): void {
    const { cpuMs } = this.#pulse
    if (this.#readAtMs !== undefined) {
      const busy = Math.min(1, ((cpuMs - this.#cpuMs) | 0) / Math.max(1, nowMs - this.#readAtMs))
      this.#busy += newShare * (busy - this.#busy)
      this.#parts += newShare * (parts - this.#parts)
    }
    this.#readAtMs = nowMs
    this.#cpuMs = cpuMs
  }
}
