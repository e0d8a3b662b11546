/**
 * Fourier transform of real sound whose length is a power of two: for echo, delay and whatever looks at spectra.
 *
 * The N real samples go through a complex transform of N / 2 (even samples real, odd ones imaginary) and are taken apart
 * after it: half the work of a complex one of N. Twiddles are made once for each length. Nothing allocates after construction.
 */

/** Shared by all transforms of a length: bit reversal and the roots of unity. */
interface Plan {
  readonly reversed: Uint16Array
  /** cos and -sin of 2 pi k / N for k below N / 2. */
  readonly cosines: Float64Array
  readonly sines: Float64Array
}

/** Lengths in use are few, so is what is kept. */
const plans = new Map<number, Plan>()

function planFor(size: number): Plan {
  const known = plans.get(size)
  if (known) return known
  const half = size / 2
  const reversed = new Uint16Array(half)
  for (let i = 1; i < half; i++) reversed[i] = ((reversed[i >> 1] ?? 0) >> 1) | (i & 1 ? half >> 1 : 0)
  const angle = (k: number): number => (2 * Math.PI * k) / size
  const plan = {
    reversed,
    cosines: Float64Array.from({ length: half }, (_, k) => Math.cos(angle(k))),
    sines: Float64Array.from({ length: half }, (_, k) => -Math.sin(angle(k))),
  }
  plans.set(size, plan)
  return plan
}

/** The spectrum of N real samples: bins 0 to N / 2. */
export interface Spectrum {
  readonly re: Float64Array
  readonly im: Float64Array
}

export const createSpectrum = (size: number): Spectrum => ({
  re: new Float64Array(size / 2 + 1),
  im: new Float64Array(size / 2 + 1),
})

export class RealFft {
  readonly size: number
  readonly #plan: Plan
  readonly #re: Float64Array
  readonly #im: Float64Array

  /** @throws {RangeError} unless `size` is a power of two, 4 to 65536. */
  constructor(size: number) {
    if (!(size >= 4 && size <= 65_536 && Number.isInteger(Math.log2(size)))) throw new RangeError(`no FFT of ${size}`)
    this.size = size
    this.#plan = planFor(size)
    this.#re = new Float64Array(size / 2)
    this.#im = new Float64Array(size / 2)
  }

  /** Samples to spectrum, not scaled. */
  forward(samples: Float64Array, { re, im }: Spectrum): void {
    const half = this.size / 2
    const zr = this.#re
    const zi = this.#im
    const { reversed, cosines, sines } = this.#plan
    for (let i = 0; i < half; i++) {
      const at = reversed[i] ?? 0
      zr[at] = samples[2 * i] ?? 0
      zi[at] = samples[2 * i + 1] ?? 0
    }
    this.#transform()
    const sum = zr[0] ?? 0
    const difference = zi[0] ?? 0
    re[0] = sum + difference
    im[0] = 0
    re[half] = sum - difference
    im[half] = 0
    for (let k = 1; k <= half / 2; k++) {
      const m = half - k
      // Even part (A + B*) / 2; odd part (A - B*) / 2i, turned by the root
      const er = ((zr[k] ?? 0) + (zr[m] ?? 0)) / 2
      const ei = ((zi[k] ?? 0) - (zi[m] ?? 0)) / 2
      const or = ((zi[k] ?? 0) + (zi[m] ?? 0)) / 2
      const oi = ((zr[m] ?? 0) - (zr[k] ?? 0)) / 2
      const c = cosines[k] ?? 0
      const s = sines[k] ?? 0
      const tr = or * c - oi * s
      const ti = or * s + oi * c
      re[k] = er + tr
      im[k] = ei + ti
      re[m] = er - tr
      im[m] = ti - ei
    }
  }

  /** Spectrum to samples, the inverse of `forward`. */
  inverse({ re, im }: Spectrum, samples: Float64Array): void {
    const half = this.size / 2
    const zr = this.#re
    const zi = this.#im
    const { reversed, cosines, sines } = this.#plan
    for (let k = 0; k < half; k++) {
      const m = half - k
      const er = ((re[k] ?? 0) + (re[m] ?? 0)) / 2
      const ei = ((im[k] ?? 0) - (im[m] ?? 0)) / 2
      const dr = ((re[k] ?? 0) - (re[m] ?? 0)) / 2
      const di = ((im[k] ?? 0) + (im[m] ?? 0)) / 2
      const c = cosines[k] ?? 0
      const s = -(sines[k] ?? 0)
      const or = dr * c - di * s
      const oi = dr * s + di * c
      const at = reversed[k] ?? 0
      // Z = E + i O; the conjugate makes the forward transform an inverse one
      zr[at] = er - oi
      zi[at] = -(ei + or)
    }
    this.#transform()
    for (let i = 0; i < half; i++) {
      samples[2 * i] = (zr[i] ?? 0) / half
      samples[2 * i + 1] = -(zi[i] ?? 0) / half
    }
  }

  /** Complex transform of N / 2, in place, of what lies in bit-reversed order. */
  #transform(): void {
    const zr = this.#re
    const zi = this.#im
    const { cosines, sines } = this.#plan
    const half = this.size / 2
    for (let span = 1; span < half; span *= 2) {
      const step = half / span
      for (let first = 0; first < half; first += 2 * span) {
        for (let j = 0; j < span; j++) {
          const a = first + j
          const b = a + span
          const c = cosines[j * step] ?? 0
          const s = sines[j * step] ?? 0
          const br = zr[b] ?? 0
          const bi = zi[b] ?? 0
          const tr = br * c - bi * s
          const ti = br * s + bi * c
          const ar = zr[a] ?? 0
          const ai = zi[a] ?? 0
          zr[b] = ar - tr
          zi[b] = ai - ti
          zr[a] = ar + tr
          zi[a] = ai + ti
        }
      }
    }
  }
}
