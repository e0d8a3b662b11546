/**
 * G.722 at 64 kbit/s: 16 kHz sound in eight bits for every two samples (payload type 9).
 *
 *   encoder:  samples ─▶ QMF ─┬─ low band, 0–4 kHz  ─▶ ADPCM, 6 bits ─┬─▶ payload byte
 *                             └─ high band, 4–8 kHz ─▶ ADPCM, 2 bits ─┘
 *   decoder:  the same backwards
 *
 * Its RTP clock counts 8000 a second although it samples 16000 (RFC 3551 §4.5.2). State lives in the object, nothing
 * allocates after construction. Written after the block names of ITU-T G.722 (09/2012) clause 6.2.
 * Missing: the 56 and 48 kbit/s modes, which carry data in the low bits; nobody sends them over RTP.
 */

/** Table 11, QMF coefficients of one phase; the other phase is the mirror image. Sum 4096. */
const qmf = Int32Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11)

/** Table 14, decision levels of the 60 level quantizer; code numbers below for magnitudes 1..30. */
const decisionLevels = new Int32Array([
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
  1458, 1612, 1765, 1980, 2195, 2557, 2919,
])
/** Codes of a positive difference in the k-th interval, k from 1: 61 down to 32. */
const positiveCode = (interval: number): number => 62 - interval
/** Codes of a negative difference: 63, 62, then 31 down to 4. */
const negativeCode = (interval: number): number => (interval < 3 ? 64 - interval : 34 - interval)

/** Inverse quantizers, of 6, 4 and 2 bits. */
const levels6 = new Int32Array([
  -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232, -9360, -8576,
  -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
  24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
  4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
])
const levels4 = new Int32Array([
  0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200, 20_456, 12_896, 8968, 6288, 4240, 2584, 1200, 0,
])
const levels2 = Int32Array.of(-7408, -1616, 7408, 1616)

/** How a code moves the logarithmic scale factor: W of 4-bit codes in the low band, of 2-bit codes in the high one. */
const lowSteps = new Int32Array([-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60])
const highSteps = Int32Array.of(798, -214, 798, -214)
/** Largest logarithmic scale factors. */
const lowLogLimit = 18_432
const highLogLimit = 22_528

/** 2^(i/32) times 2048, as the standard rounds it. */
const antilog = new Int32Array([
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
  3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
])

/** High band: below this share of the scale factor (in 4096ths) the magnitude is the small one. */
const highDecision = 564

const saturate = (value: number): number => (value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value)
const saturate15 = (value: number): number => (value > 16_383 ? 16_383 : value < -16_384 ? -16_384 : value)

/** One band's predictor and scale factor: alike in encoder and decoder, driven by the codes alone. */
class Band {
  /** What the next sample is expected to be: `zeroPart`, of the six-zero section, and that of the two poles. */
  predicted = 0
  #zeroPart = 0
  /** Quantizer step. */
  scale: number
  #logScale = 0
  /** 10 in the high band, 8 in the low. */
  readonly #scaleShift: number
  /** Zero section: coefficients and the last six differences, the newest first. */
  readonly #b = new Int32Array(6)
  readonly #differences = new Int32Array(6)
  /** Pole section: coefficients, last two reconstructed samples, signs (0 or -1) of the last two partial ones. */
  #a1 = 0
  #a2 = 0
  #r1 = 0
  #sign1 = 0
  #sign2 = 0

  constructor(scale: number, scaleShift: number) {
    this.scale = scale
    this.#scaleShift = scaleShift
  }

  /** Blocks LOGSCL/LOGSCH and SCALEL/SCALEH: fold in the step W of a code, limited. */
  adaptScale(step: number, limit: number): void {
    const log = ((this.#logScale * 127) >> 7) + step
    this.#logScale = log < 0 ? 0 : log > limit ? limit : log
    const shift = this.#scaleShift - (this.#logScale >> 11)
    const mantissa = antilog[(this.#logScale >> 6) & 31] ?? 0
    this.scale = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2
  }

  /** Blocks RECONS, PARREC, UPPOL2, UPPOL1, UPZERO, FILTEP, FILTEZ, PREDIC: fold in a quantized difference. */
  predict(difference: number): void {
    const reconstructed = saturate(this.predicted + difference)
    this.#adaptPoles(saturate(this.#zeroPart + difference) >> 15)
    this.#adaptZeros(difference)
    const poles = ((this.#a1 * saturate(reconstructed * 2)) >> 15) + ((this.#a2 * saturate(this.#r1 * 2)) >> 15)
    this.#r1 = reconstructed
    this.predicted = saturate(saturate(poles) + this.#zeroPart)
  }

  #adaptPoles(sign: number): void {
    const doubled = saturate(this.#a1 << 2)
    const turned = sign === this.#sign1 ? -doubled : doubled
    const a2 =
      ((turned > 32_767 ? 32_767 : turned) >> 7) + (sign === this.#sign2 ? 128 : -128) + ((this.#a2 * 32_512) >> 15)
    this.#a2 = a2 > 12_288 ? 12_288 : a2 < -12_288 ? -12_288 : a2
    const a1 = saturate((sign === this.#sign1 ? 192 : -192) + ((this.#a1 * 32_640) >> 15))
    const limit = 15_360 - this.#a2
    this.#a1 = a1 > limit ? limit : a1 < -limit ? -limit : a1
    this.#sign2 = this.#sign1
    this.#sign1 = sign
  }

  /** Also moves the differences on by one and sums the zero section of the next prediction. */
  #adaptZeros(difference: number): void {
    const b = this.#b
    const differences = this.#differences
    const step = difference === 0 ? 0 : 128
    const sign = difference >> 15
    let sum = 0
    for (let i = 5; i >= 0; i--) {
      const old = differences[i] ?? 0
      const coefficient = saturate((old >> 15 === sign ? step : -step) + (((b[i] ?? 0) * 32_640) >> 15))
      const next = i === 0 ? difference : (differences[i - 1] ?? 0)
      b[i] = coefficient
      differences[i] = next
      sum += (coefficient * saturate(next * 2)) >> 15
    }
    this.#zeroPart = saturate(sum)
  }
}

const lowBand = (): Band => new Band(32, 8)
const highBand = (): Band => new Band(8, 10)

/** The 4-bit part of the low code drives the adaptation, so that the data bits of other modes would not matter. */
function followLow(band: Band, code6: number): void {
  const code4 = code6 >> 2
  const difference = (band.scale * (levels4[code4] ?? 0)) >> 15
  band.adaptScale(lowSteps[code4] ?? 0, lowLogLimit)
  band.predict(difference)
}

function followHigh(band: Band, code2: number, difference: number): void {
  band.adaptScale(highSteps[code2] ?? 0, highLogLimit)
  band.predict(difference)
}

export class G722Encoder {
  readonly #low = lowBand()
  readonly #high = highBand()
  /** Every sample stands here twice, 24 apart, so that the last 24 are always in one piece. */
  readonly #history = new Int32Array(48)
  #at = 0

  /**
   * Encode `count` samples of 16 kHz, an even number, into `count / 2` bytes.
   *
   * @param fromSample First sample in `samples`.
   * @param toByte Where the first byte goes in `payload`.
   */
  encode(samples: Int16Array, fromSample: number, count: number, payload: Uint8Array, toByte: number): void {
    const history = this.#history
    for (let i = 0; i < count; i += 2) {
      this.#at = this.#at === 22 ? 0 : this.#at + 2
      const at = this.#at
      history[at] = history[at + 24] = samples[fromSample + i] ?? 0
      history[at + 1] = history[at + 25] = samples[fromSample + i + 1] ?? 0
      let even = 0
      let odd = 0
      for (let tap = 0; tap < 12; tap++) {
        odd += (history[at + 2 + 2 * tap] ?? 0) * (qmf[tap] ?? 0)
        even += (history[at + 3 + 2 * tap] ?? 0) * (qmf[11 - tap] ?? 0)
      }
      payload[toByte + (i >> 1)] = (this.#encodeHigh((even - odd) >> 14) << 6) | this.#encodeLow((even + odd) >> 14)
    }
  }

  #encodeLow(sample: number): number {
    const band = this.#low
    const difference = saturate(sample - band.predicted)
    const magnitude = difference < 0 ? ~difference : difference
    let interval = 1
    while (interval < 30 && magnitude >= ((decisionLevels[interval] ?? 0) * band.scale) >> 12) interval++
    const code = difference < 0 ? negativeCode(interval) : positiveCode(interval)
    followLow(band, code)
    return code
  }

  #encodeHigh(sample: number): number {
    const band = this.#high
    const difference = saturate(sample - band.predicted)
    const magnitude = difference < 0 ? ~difference : difference
    const large = magnitude >= (highDecision * band.scale) >> 12
    const code = (difference < 0 ? 0 : 2) + (large ? 0 : 1)
    followHigh(band, code, (band.scale * (levels2[code] ?? 0)) >> 15)
    return code
  }
}

export class G722Decoder {
  readonly #low = lowBand()
  readonly #high = highBand()
  readonly #history = new Int32Array(48)
  #at = 0

  /** Decode `count` bytes into `2 * count` samples of 16 kHz. */
  decode(payload: Uint8Array, fromByte: number, count: number, samples: Int16Array, toSample: number): void {
    const history = this.#history
    for (let i = 0; i < count; i++) {
      const code = payload[fromByte + i] ?? 0
      const low = this.#decodeLow(code & 63)
      const high = this.#decodeHigh(code >> 6)
      this.#at = this.#at === 22 ? 0 : this.#at + 2
      const at = this.#at
      history[at] = history[at + 24] = low + high
      history[at + 1] = history[at + 25] = low - high
      let first = 0
      let second = 0
      for (let tap = 0; tap < 12; tap++) {
        second += (history[at + 2 + 2 * tap] ?? 0) * (qmf[tap] ?? 0)
        first += (history[at + 3 + 2 * tap] ?? 0) * (qmf[11 - tap] ?? 0)
      }
      samples[toSample + 2 * i] = saturate(first >> 11)
      samples[toSample + 2 * i + 1] = saturate(second >> 11)
    }
  }

  #decodeLow(code: number): number {
    const band = this.#low
    const sample = saturate15(band.predicted + ((band.scale * (levels6[code] ?? 0)) >> 15))
    followLow(band, code)
    return sample
  }

  #decodeHigh(code: number): number {
    const band = this.#high
    const difference = (band.scale * (levels2[code] ?? 0)) >> 15
    const sample = saturate15(band.predicted + difference)
    followHigh(band, code, difference)
    return sample
  }
}
