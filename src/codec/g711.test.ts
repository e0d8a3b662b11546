import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { convertG711InPlace, decodeG711, encodeG711, type G711Law } from './g711.ts'

interface LawVectors {
  readonly decode: readonly number[]
  readonly encode: readonly (readonly [number, number])[]
}

const path = join(import.meta.dirname, '../../test/data/codecs/g711.json')
const vectors = JSON.parse(readFileSync(path, 'utf8')) as { mulaw: LawVectors; alaw: LawVectors }
const laws: readonly (readonly [G711Law, LawVectors])[] = [
  ['PCMU', vectors.mulaw],
  ['PCMA', vectors.alaw],
]

const encodeSample = (law: G711Law, sample: number): number => encodeG711(law, Int16Array.of(sample))[0] ?? 0
const decodeSample = (law: G711Law, code: number): number => decodeG711(law, Uint8Array.of(code))[0] ?? 0

test('every code decodes to its level (ITU-T G.711 tables 1 and 2)', () => {
  for (const [law, { decode }] of laws)
    assert.deepEqual(
      [
        ...decodeG711(
          law,
          Uint8Array.from({ length: 256 }, (_, i) => i),
        ),
      ],
      decode,
    )
})

test('every sample encodes to a nearest level', () => {
  for (const [law, { decode }] of laws) {
    for (let sample = -32_768; sample <= 32_767; sample++) {
      const distance = Math.abs(decodeSample(law, encodeSample(law, sample)) - sample)
      const nearest = Math.min(...nearLevels(decode, sample))
      if (distance !== nearest) assert.fail(`${law} ${sample}: ${distance} away, a level is ${nearest} away`)
    }
  }
})

/** Distances of the levels that can be nearest; all 256 a sample would take seconds. */
const sorted = new Map<readonly number[], number[]>()
function nearLevels(decode: readonly number[], sample: number): number[] {
  const levels = sorted.get(decode) ?? [...decode].sort((a, b) => a - b)
  sorted.set(decode, levels)
  let low = 0
  let high = levels.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((levels[middle] ?? 0) < sample) low = middle + 1
    else high = middle
  }
  return [low - 1, low].flatMap((i) => (levels[i] === undefined ? [] : [Math.abs((levels[i] ?? 0) - sample)]))
}

test('the encoder agrees with the reference but for ties and its rounding to 14 bits', () => {
  for (const [law, { encode, decode }] of laws) {
    for (const [first, code] of encode) {
      const ours = decodeSample(law, encodeSample(law, first))
      const step = Math.abs(ours - (decode[code] ?? 0))
      assert.ok(step === 0 || Math.abs(ours - first) <= Math.abs((decode[code] ?? 0) - first), `${law} ${first}`)
    }
  }
})

test('what was decoded encodes to the same codes, but for the second zero of mu-law', () => {
  for (const [law] of laws) {
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const again = encodeG711(law, decodeG711(law, codes))
    const expected = codes.map((code) => (law === 'PCMU' && code === 0x7f ? 0xff : code))
    assert.deepEqual(again, expected)
  }
})

test('changing the law in place touches only the given codes', () => {
  const codes = encodeG711('PCMU', Int16Array.of(9000, -120, 0, 31_000))
  const untouched = codes[0]
  convertG711InPlace('PCMU', codes, 1, 2)
  assert.equal(codes[0], untouched)
  assert.equal(codes[1], encodeSample('PCMA', decodeSample('PCMU', encodeSample('PCMU', -120))))
  assert.equal(codes[3], encodeSample('PCMU', 31_000))
})
