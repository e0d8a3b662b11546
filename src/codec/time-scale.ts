/**
 * A little less or more sound without another pitch: one period is taken out, or played twice.
 *
 *   sound that waits too long, or not long enough ─▶ removePeriod, insertPeriod ─▶ shorter or longer by 2.5 to 15 ms
 *
 * The length is that at which the sound is most like itself, and the two that meet are blended over all of it (WSOLA).
 * Where it is like itself nowhere, nothing is done, but for silence, which stands any cut. Nothing allocates.
 */
import { levelDbov } from './level.ts'

const shortestMs = 2.5
export const longestPeriodMs = 15
/** Correlation from which on a cut is not heard. */
export const unheard = 0.9
/** What is quieter may be cut anywhere. */
const quietDbov = -50

/**
 * Take a period out of the sound from `at` on, of which 30 ms are there. The samples behind move forward to fill it.
 *
 * @param end Just behind the last sample.
 * @param alike How alike the two periods that meet must be: correlation, 0..1.
 * @returns Samples taken out; 0 when there is no good place.
 */
export function removePeriod(
  sound: Int16Array,
  at: number,
  end: number,
  sampleRateHz: number,
  alike = unheard,
): number {
  const longest = Math.floor((longestPeriodMs * sampleRateHz) / 1000)
  if (end - at < 2 * longest) return 0
  const isQuiet = levelDbov(sound, at, 2 * longest) < quietDbov
  const period = isQuiet ? longest : bestPeriod(sound, at, 1, sampleRateHz, alike)
  if (period === 0) return 0
  // From the first period into the second
  for (let i = 0; i < period; i++) {
    const share = (i + 0.5) / period
    sound[at + i] = Math.round((1 - share) * (sound[at + i] ?? 0) + share * (sound[at + period + i] ?? 0))
  }
  sound.copyWithin(at + period, at + 2 * period, end)
  return period
}

/**
 * Put a period in at `at`: before it are 15 ms that were played, from it on 15 ms that were not. The samples from there
 * on move back; there must be room for 15 ms.
 *
 * @returns Samples put in; 0 when there is no good place.
 */
export function insertPeriod(
  sound: Int16Array,
  at: number,
  end: number,
  sampleRateHz: number,
  alike = unheard,
): number {
  const longest = Math.floor((longestPeriodMs * sampleRateHz) / 1000)
  if (end - at < longest || at < longest || end + longest > sound.length) return 0
  const isQuiet = levelDbov(sound, at - longest, 2 * longest) < quietDbov
  const period = isQuiet ? longest : bestPeriod(sound, at, -1, sampleRateHz, alike)
  if (period === 0) return 0
  sound.copyWithin(at + period, at, end)
  // What comes next, into what was just played, behind which it comes once more
  for (let i = 0; i < period; i++) {
    const share = (i + 0.5) / period
    sound[at + i] = Math.round((1 - share) * (sound[at + period + i] ?? 0) + share * (sound[at - period + i] ?? 0))
  }
  return period
}

/** The period at which the sound from `at` on is most like what is one later (1) or earlier (-1); 0 when it is not. */
function bestPeriod(sound: Int16Array, at: number, side: 1 | -1, sampleRateHz: number, alike: number): number {
  const shortest = Math.ceil((shortestMs * sampleRateHz) / 1000)
  const longest = Math.floor((longestPeriodMs * sampleRateHz) / 1000)
  // At an eighth of a millisecond first
  const coarse = Math.max(1, Math.round(sampleRateHz / 8000))
  let best = 0
  let most = -1
  for (let period = shortest; period <= longest; period += coarse) {
    const likeness = likenessAt(sound, at, side * period, period, coarse)
    if (likeness > most) [best, most] = [period, likeness]
  }
  const from = Math.max(shortest, best - coarse + 1)
  const to = Math.min(longest, best + coarse - 1)
  most = -1
  for (let period = from; period <= to; period++) {
    const likeness = likenessAt(sound, at, side * period, period, 1)
    if (likeness > most) [best, most] = [period, likeness]
  }
  return most < alike ? 0 : best
}

/** Normalized correlation of `count` samples with those `lag` away. */
function likenessAt(sound: Int16Array, at: number, lag: number, count: number, step: number): number {
  let product = 0
  let own = 0
  let other = 0
  for (let i = at; i < at + count; i += step) {
    const a = sound[i] ?? 0
    const b = sound[i + lag] ?? 0
    product += a * b
    own += a * a
    other += b * b
  }
  return own === 0 || other === 0 ? 0 : product / Math.sqrt(own * other)
}
