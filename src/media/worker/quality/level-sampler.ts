/**
 * How loud a stream is, by a sample of its packets: whether it is silent, whether it clips.
 *
 *   stream-quality.ts  ── every tenth packet of G.711, or frames that somebody decodes anyway ─▶  here
 *
 * One packet in ten costs some 15 ns a packet (bench/quality.ts), and speech of half a second is still met three times.
 */
import { decodeG711, type G711Law } from '../../../codec/g711.ts'
import { overload, silenceDbov } from '../../../codec/level.ts'

/** One in so many is looked at. */
const sampledPackets = 10
/** The ends of the scale: the outermost level of mu-law is 32124, of A-law 32256. */
const clippedAt = 32_000
/** Below this a line is dead: an open microphone hears more, and the least step of A-law is -72 dBov. */
const deadDbov = -65
const deadPower = overload ** 2 * 10 ** (deadDbov / 10)

/** By code of a law: its level squared, and 1 where it stands at an end of the scale. */
interface Codes {
  readonly power: Float64Array
  readonly clipped: Uint8Array
}

function codesOf(law: G711Law): Codes {
  const levels = decodeG711(
    law,
    Uint8Array.from({ length: 256 }, (_, code) => code),
  )
  return {
    power: Float64Array.from(levels, (level) => level ** 2),
    clipped: Uint8Array.from(levels, (level) => (Math.abs(level) >= clippedAt ? 1 : 0)),
  }
}

const codes: Readonly<Record<G711Law, Codes>> = { PCMU: codesOf('PCMU'), PCMA: codesOf('PCMA') }

export interface LevelReading {
  readonly levelDbov: number
  /** Of samples at the ends of the scale. */
  readonly clippedShare: number
  /** For so long nothing was louder than a dead line. */
  readonly silentMs: number
}

export class LevelSampler {
  #packets = 0
  #energy = 0
  #samples = 0
  #clipped = 0
  #silentSinceMs: number | undefined

  /** A packet of G.711, at `from` in `bytes`. */
  packet(law: G711Law, bytes: Uint8Array, from: number, count: number, nowMs: number): void {
    if (this.#packets++ % sampledPackets !== 0) return
    const { power, clipped } = codes[law]
    let energy = 0
    let atEnds = 0
    for (let i = from; i < from + count; i++) {
      const code = bytes[i] ?? 0
      energy += power[code] ?? 0
      atEnds += clipped[code] ?? 0
    }
    this.#add(energy, atEnds, count, nowMs)
  }

  /** Sound as it came, decoded for somebody. */
  frame(sound: Int16Array, count: number, nowMs: number): void {
    let energy = 0
    let atEnds = 0
    for (let i = 0; i < count; i++) {
      const sample = sound[i] ?? 0
      energy += sample * sample
      if (sample >= clippedAt || sample <= -clippedAt) atEnds++
    }
    this.#add(energy, atEnds, count, nowMs)
  }

  #add(energy: number, atEnds: number, count: number, nowMs: number): void {
    if (count === 0) return
    this.#energy += energy
    this.#samples += count
    this.#clipped += atEnds
    if (energy / count > deadPower) this.#silentSinceMs = undefined
    else this.#silentSinceMs ??= nowMs
  }

  /** Of what came since the last call; undefined when nothing did. */
  read(nowMs: number): LevelReading | undefined {
    if (this.#samples === 0) return undefined
    const power = this.#energy / this.#samples / overload ** 2
    const reading = {
      levelDbov: Math.max(silenceDbov, 10 * Math.log10(power)),
      clippedShare: this.#clipped / this.#samples,
      silentMs: this.#silentSinceMs === undefined ? 0 : nowMs - this.#silentSinceMs,
    }
    this.#energy = 0
    this.#samples = 0
    this.#clipped = 0
    return reading
  }
}
