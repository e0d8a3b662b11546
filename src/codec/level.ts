/**
 * How loud sound is, and whether somebody speaks.
 *
 *   samples ─▶ levelDbov ─▶ meters, header extension 6464, loudest-N
 *           ─▶ SpeechDetector ─▶ comfort noise, talk detection
 */

/** The overload point of RFC 6464 §3: 0 dBov is a square wave of full scale. */
export const overload = 32_768
/** The quietest level of RFC 6464: digital silence. */
export const silenceDbov = -127

/** Root mean square of the samples in dBov, -127 to 0. A full sine is -3.01. */
export function levelDbov(samples: Int16Array, from = 0, count = samples.length - from): number {
  let energy = 0
  for (let i = from; i < from + count; i++) energy += (samples[i] ?? 0) ** 2
  if (energy === 0) return silenceDbov
  return Math.max(silenceDbov, 10 * Math.log10(energy / count / overload ** 2))
}

/** Largest magnitude, 0 to 32768: at 32767 or more the sound probably clips. */
export function peak(samples: Int16Array, from = 0, count = samples.length - from): number {
  let most = 0
  for (let i = from; i < from + count; i++) {
    const magnitude = Math.abs(samples[i] ?? 0)
    if (magnitude > most) most = magnitude
  }
  return most
}

/**
 * The noise floor follows quiet frames down at once and rises by 2 dB a second, so that speech does not lift it but a
 * fan that starts is taken for noise after some seconds.
 */
const floorRiseDbPerSecond = 2
/** Speech is so much louder than the floor, and never quieter than the least. */
const aboveFloorDb = 9
const leastSpeechDbov = -55
/** Speech goes on for so long after the last loud frame: word ends and the gaps of plosives. */
const hangoverMs = 200

/** Speech or not, frame by frame, by energy alone: fit for silence suppression and meters, not for judging noise. */
export class SpeechDetector {
  readonly #sampleRateHz: number
  #floorDbov = leastSpeechDbov
  #hangoverMs = 0

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz
  }

  get noiseFloorDbov(): number {
    return this.#floorDbov
  }

  /** True while somebody speaks in these samples, or did a moment ago. */
  hears(samples: Int16Array, from = 0, count = samples.length - from): boolean {
    const frameMs = (1000 * count) / this.#sampleRateHz
    const level = levelDbov(samples, from, count)
    const loud = level > Math.max(leastSpeechDbov, this.#floorDbov + aboveFloorDb)
    this.#floorDbov = Math.min(level, this.#floorDbov + (floorRiseDbPerSecond * frameMs) / 1000)
    this.#hangoverMs = loud ? hangoverMs : Math.max(0, this.#hangoverMs - frameMs)
    return this.#hangoverMs > 0
  }
}
