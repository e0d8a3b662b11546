/**
 * Adding voices, as a conference does: everybody into one sum, and to each the sum without his own voice.
 *
 *   frames of all ── addInto ─▶ sum (32 bits) ── minusOwn ─▶ frame for each
 *
 * The sum cannot overflow below 65,536 voices; what leaves is limited to 16 bits. Nothing allocates.
 */

const saturate = (value: number): number => (value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value)

/** Factor of a gain in dB. */
export const gainFactor = (gainDb: number): number => 10 ** (gainDb / 20)

/** Add `count` samples, times `gain`, to the sum. */
export function addInto(sum: Int32Array, samples: Int16Array, from: number, count: number, gain = 1): void {
  if (gain === 1) for (let i = 0; i < count; i++) sum[i] = (sum[i] ?? 0) + (samples[from + i] ?? 0)
  else for (let i = 0; i < count; i++) sum[i] = (sum[i] ?? 0) + Math.round(gain * (samples[from + i] ?? 0))
}

/** The sum without one's own samples, which went in with `gain`; limited. `own` and `output` may be the same. */
export function minusOwn(
  sum: Int32Array,
  own: Int16Array,
  from: number,
  count: number,
  output: Int16Array,
  to: number,
  gain = 1,
): void {
  if (gain === 1) for (let i = 0; i < count; i++) output[to + i] = saturate((sum[i] ?? 0) - (own[from + i] ?? 0))
  else {
    for (let i = 0; i < count; i++) output[to + i] = saturate((sum[i] ?? 0) - Math.round(gain * (own[from + i] ?? 0)))
  }
}

/** The whole sum, limited: for those who only listen. */
export function limited(sum: Int32Array, count: number, output: Int16Array, to: number): void {
  for (let i = 0; i < count; i++) output[to + i] = saturate(sum[i] ?? 0)
}

/** Add samples to others, limited: one voice over another, as in whispering. */
export function addSaturated(onto: Int16Array, at: number, samples: Int16Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) onto[at + i] = saturate((onto[at + i] ?? 0) + (samples[from + i] ?? 0))
}
