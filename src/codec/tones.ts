/**
 * Tones by name: DTMF digits and what a telephone network tells its callers.
 *
 *   name ─▶ here ─▶ ToneSource (tone.ts) ─▶ encoder
 */
import type { Tone } from './tone.ts'

/** ITU-T Q.23 table 1: rows are the low group, columns the high group. */
export const lowGroupHz: readonly number[] = [697, 770, 852, 941]
export const highGroupHz: readonly number[] = [1209, 1336, 1477, 1633]
/** Row by row. */
const keypad = '123A456B789C*0#D'

/** The digit of a row and a column, each 0 to 3. */
export const digitAt = (row: number, column: number): string => keypad[4 * row + column] ?? ''

/** The high group 2 dB above the low one makes up for what lines take away (ITU-T Q.24 annex A: -7 dBm a tone is usual). */
const lowDbm0 = -9
const highDbm0 = -7

/** The tone of a digit, without end; undefined for what is none. */
export function dtmfTone(digit: string): Tone | undefined {
  const at = digit.length === 1 ? keypad.indexOf(digit.toUpperCase()) : -1
  if (at < 0) return undefined
  const low = { frequencyHz: lowGroupHz[at >> 2] ?? 0, levelDbm0: lowDbm0 }
  const high = { frequencyHz: highGroupHz[at & 3] ?? 0, levelDbm0: highDbm0 }
  return { parts: [low, high] }
}

export type ProgressTone = 'dial' | 'ringback' | 'busy' | 'congestion'
export type ToneCountry = 'de' | 'fr' | 'gb' | 'us'

const progressDbm0 = -13
const tone = (frequencies: readonly number[], cadenceMs?: readonly number[]): Tone => {
  const parts = frequencies.map((frequencyHz) => ({ frequencyHz, levelDbm0: progressDbm0 }))
  return cadenceMs ? { parts, cadenceMs } : { parts }
}

/** ITU-T E.180 supplement 2 (2003), tones used in national networks. Level: E.180 §4, -10 ± 5 dBm0. */
export const progressTones: Readonly<Record<ToneCountry, Readonly<Record<ProgressTone, Tone>>>> = {
  de: {
    dial: tone([425]),
    ringback: tone([425], [1000, 4000]),
    busy: tone([425], [480, 480]),
    congestion: tone([425], [240, 240]),
  },
  fr: {
    dial: tone([440]),
    ringback: tone([440], [1500, 3500]),
    busy: tone([440], [500, 500]),
    congestion: tone([440], [250, 250]),
  },
  gb: {
    dial: tone([350, 440]),
    ringback: tone([400, 450], [400, 200, 400, 2000]),
    busy: tone([400], [375, 375]),
    congestion: tone([400], [400, 350, 225, 525]),
  },
  us: {
    dial: tone([350, 440]),
    ringback: tone([440, 480], [2000, 4000]),
    busy: tone([480, 620], [500, 500]),
    congestion: tone([480, 620], [250, 250]),
  },
}
