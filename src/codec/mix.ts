/** Gains, and one voice over another. Conferences have sums of their own: media/worker/mixer. Nothing allocates. */

const saturate = (value: number): number => (value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value)

/** Factor of a gain in dB. */
export const gainFactor = (gainDb: number): number => 10 ** (gainDb / 20)

/** Add samples to others, limited: one voice over another, as in whispering. */
export function addSaturated(onto: Int16Array, at: number, samples: Int16Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) onto[at + i] = saturate((onto[at + i] ?? 0) + (samples[from + i] ?? 0))
}
