/**
 * Comfort noise, RFC 3389: what silence sounds like, said in a few bytes, and made again.
 *
 *   silence ── describeNoise ─▶ level, reflection coefficients (payload) ── ComfortNoise ─▶ noise like it
 *
 * The payload is the level in -dBov, then one byte for each coefficient of an all-pole model. The sign of the
 * coefficients is left open by the RFC; here A(z) = 1 + k1 z^-1 ..., so that k1 of low-pitched noise is negative, as
 * ffmpeg and WebRTC write and read it.
 */
import { levelDbov } from './level.ts'

/** More coefficients than this are ignored; a receiver may do that (§3.2). */
export const mostCoefficients = 12
/** §3.3: N = 127 + k / (258 / 32768). */
const coefficientStep = 258 / 32_768
const overload = 32_768

const toCoefficient = (byte: number): number => Math.max(-0.99, Math.min(0.99, coefficientStep * (byte - 127)))
const toByte = (k: number): number => Math.max(0, Math.min(254, Math.round(k / coefficientStep) + 127))

/**
 * Write the payload that describes `count` samples of background noise.
 *
 * @param order Coefficients to describe the spectrum by, 0 to 12; 0 says the level alone, which every receiver knows.
 * @returns Bytes written from `toByteAt`: 1 + order.
 */
export function describeNoise(
  samples: Int16Array,
  from: number,
  count: number,
  order: number,
  payload: Uint8Array,
  toByteAt: number,
): number {
  payload[toByteAt] = Math.round(-levelDbov(samples, from, count))
  const correlation = new Float64Array(order + 1)
  for (let lag = 0; lag <= order; lag++) {
    let sum = 0
    for (let i = lag; i < count; i++) sum += (samples[from + i] ?? 0) * (samples[from + i - lag] ?? 0)
    correlation[lag] = sum
  }
  const reflection = levinson(correlation, order)
  for (let i = 0; i < order; i++) payload[toByteAt + 1 + i] = toByte(reflection[i] ?? 0)
  return 1 + order
}

/** Levinson and Durbin's recursion; only the reflection coefficients of it. */
function levinson(correlation: Float64Array, order: number): Float64Array {
  const reflection = new Float64Array(order)
  const predictor = new Float64Array(order)
  let error = correlation[0] ?? 0
  for (let i = 0; i < order && error > 0; i++) {
    let sum = correlation[i + 1] ?? 0
    for (let j = 0; j < i; j++) sum += (predictor[j] ?? 0) * (correlation[i - j] ?? 0)
    const k = -sum / error
    reflection[i] = k
    const before = predictor.slice(0, i)
    for (let j = 0; j < i; j++) predictor[j] = (before[j] ?? 0) + k * (before[i - 1 - j] ?? 0)
    predictor[i] = k
    error *= 1 - k * k
  }
  return reflection
}

/** How fast a new description takes over, share of the way for each frame: no step is heard. */
const smoothing = 0.3

/** Makes noise until told otherwise. Nothing allocates after construction. */
export class ComfortNoise {
  /** Standard deviation of the noise, and where it is going. */
  #deviation = 0
  #wantedDeviation = 0
  readonly #reflection = new Float64Array(mostCoefficients)
  readonly #wanted = new Float64Array(mostCoefficients)
  /** Of the lattice filter: what went backwards through each stage. */
  readonly #backward = new Float64Array(mostCoefficients + 1)
  /** Noise, not a secret: a 32-bit xorshift generator does (Marsaglia, 2003). */
  #random: number

  /** @param seed Anything but 0; streams with different ones are not alike. */
  constructor(seed: number) {
    this.#random = seed | 0 || 1
  }

  /** Take a comfort noise payload; an empty one changes nothing. False when it was none. */
  describe(payload: Uint8Array, fromByte: number, byteCount: number): boolean {
    if (byteCount < 1 || fromByte + byteCount > payload.length) return false
    const level = (payload[fromByte] ?? 127) & 0x7f
    this.#wantedDeviation = level === 127 ? 0 : overload * 10 ** (-level / 20)
    for (let i = 0; i < mostCoefficients; i++)
      this.#wanted[i] = i + 1 < byteCount ? toCoefficient(payload[fromByte + 1 + i] ?? 127) : 0
    return true
  }

  /** Make `count` samples. */
  make(samples: Int16Array, to: number, count: number): void {
    this.#deviation += smoothing * (this.#wantedDeviation - this.#deviation)
    // An all-pole lattice makes noise louder by 1 / (1 - k^2) in each stage: the excitation is quieter by that
    let excitation = this.#deviation
    for (let i = 0; i < mostCoefficients; i++) {
      const k = (this.#reflection[i] ?? 0) + smoothing * ((this.#wanted[i] ?? 0) - (this.#reflection[i] ?? 0))
      this.#reflection[i] = k
      excitation *= Math.sqrt(1 - k * k)
    }
    // While coefficients move a sharp filter can ring: noise of the wanted level hardly ever goes beyond this
    const most = Math.min(32_767, 4 * this.#deviation)
    for (let i = 0; i < count; i++) {
      const sample = this.#filter(excitation * this.#noise())
      samples[to + i] = Math.round(sample > most ? most : sample < -most ? -most : sample)
    }
  }

  /** The all-pole lattice: from the highest stage down. */
  #filter(excitation: number): number {
    const backward = this.#backward
    let forward = excitation
    for (let i = mostCoefficients - 1; i >= 0; i--) {
      const k = this.#reflection[i] ?? 0
      forward -= k * (backward[i] ?? 0)
      backward[i + 1] = (backward[i] ?? 0) + k * forward
    }
    backward[0] = forward
    return forward
  }

  /** Four uniform numbers added: near enough to normal, of variance 1. */
  #noise(): number {
    let sum = 0
    for (let i = 0; i < 4; i++) {
      let x = this.#random
      x ^= x << 13
      x ^= x >>> 17
      x ^= x << 5
      this.#random = x
      sum += x
    }
    return (sum / 2 ** 31) * Math.sqrt(3 / 4)
  }
}
