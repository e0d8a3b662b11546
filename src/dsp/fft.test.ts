import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSpectrum, RealFft } from './fft.ts'

/** By the definition, slowly. */
function slow(samples: Float64Array): { re: number[]; im: number[] } {
  const [re, im]: [number[], number[]] = [[], []]
  for (let k = 0; k <= samples.length / 2; k++) {
    const angle = (-2 * Math.PI * k) / samples.length
    re.push(samples.reduce((sum, sample, n) => sum + sample * Math.cos(angle * n), 0))
    im.push(samples.reduce((sum, sample, n) => sum + sample * Math.sin(angle * n), 0))
  }
  return { re, im }
}

const some = (size: number): Float64Array => Float64Array.from({ length: size }, (_, i) => Math.sin(i * i) + (i % 7))

for (const size of [4, 8, 64, 512]) {
  test(`the transform of ${size} samples is what its definition says, and goes back`, () => {
    const samples = some(size)
    const fft = new RealFft(size)
    const spectrum = createSpectrum(size)

    fft.forward(samples, spectrum)

    const { re, im } = slow(samples)
    for (let k = 0; k <= size / 2; k++) {
      assert.ok(Math.abs((spectrum.re[k] ?? 0) - (re[k] ?? 0)) < 1e-8, `real part of bin ${k}`)
      assert.ok(Math.abs((spectrum.im[k] ?? 0) - (im[k] ?? 0)) < 1e-8, `imaginary part of bin ${k}`)
    }
    const back = new Float64Array(size)
    fft.inverse(spectrum, back)
    for (let i = 0; i < size; i++) assert.ok(Math.abs((back[i] ?? 0) - (samples[i] ?? 0)) < 1e-10, `sample ${i}`)
  })
}

test('a length that is no power of two is refused', () => {
  assert.throws(() => new RealFft(320), RangeError)
})
