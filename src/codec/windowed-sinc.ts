/** What low-pass filters are made of: the sinc, cut off smoothly by the window of Kaiser and Schafer (1980). */

/** Ideal low-pass filter: zero at whole numbers but 0. */
export const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** Shape of the window at which what is to be stopped is so far down; for 50 dB and more. */
export const kaiserShape = (stopbandDb: number): number => 0.1102 * (stopbandDb - 8.7)

/** The window at a place from -1 to 1. */
export function kaiser(place: number, shape: number): number {
  return Math.abs(place) >= 1 ? 1 / bessel0(shape) : bessel0(shape * Math.sqrt(1 - place * place)) / bessel0(shape)
}

/** Modified Bessel function of order zero, by its series. */
function bessel0(x: number): number {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-10; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}
