/**
 * Music for those who wait, made when it is played: no file to ship, no rights to ask for.
 *
 *   open.ts ── samples ─▶ here
 *
 * Four chords, each broken into eight notes of a plucked string, over a long low note: 19.2 s, which join on to
 * themselves. Nothing in it is above 3.4 kHz, so that a telephone carries it whole.
 */
import type { Recorded } from './recorded.ts'

const noteMs = 300
/** Semitones from A at 220 Hz: A minor 7, F major 7, C major, G sixth; the first is held low. */
const chords: readonly (readonly number[])[] = [
  [-12, 0, 3, 7, 10, 12, 10, 7],
  [-16, -4, 0, 3, 7, 8, 7, 3],
  [-9, -2, 3, 7, 10, 15, 10, 7],
  [-14, -5, -2, 2, 7, 10, 7, 2],
]
/** Each chord is played twice. */
const notes = chords.flatMap((chord) => chord.concat(chord))
const roundMs = notes.length * noteMs

/** Loudness of a string's partials, and how fast each dies away, per second. */
const partials = [
  { times: 1, share: 1, fall: 3 },
  { times: 2, share: 0.4, fall: 5 },
  { times: 3, share: 0.18, fall: 8 },
] as const
/** A note is still heard while the next ones are. */
const ringsMs = 1200
const peak = 3500
const attackMs = 8

const frequencyHz = (semitones: number): number => 220 * 2 ** (semitones / 12)

/** One note, `seconds` after it was plucked. */
function pluck(pitchHz: number, seconds: number): number {
  const attack = Math.min(1, (seconds * 1000) / attackMs)
  const release = Math.min(1, (ringsMs / 1000 - seconds) * 20)
  let sum = 0
  for (const { times, share, fall } of partials)
    sum += share * Math.exp(-fall * seconds) * Math.sin(2 * Math.PI * times * pitchHz * seconds)
  return attack * release * sum
}

export function makeMelody(sampleRateHz: number): Recorded {
  const perNote = (noteMs * sampleRateHz) / 1000
  const samples = (roundMs * sampleRateHz) / 1000
  const rings = (ringsMs * sampleRateHz) / 1000
  return {
    sampleRateHz,
    samples,
    read(from, count) {
      const sound = new Float64Array(Math.max(0, Math.min(count, samples - from)))
      // Notes that began before `from` ring on, those of the end of the round into its beginning too.
      const first = Math.floor((from - rings) / perNote)
      const last = Math.floor((from + sound.length - 1) / perNote)
      for (let index = first; index <= last; index++) {
        const pitchHz = frequencyHz(notes[(index + notes.length) % notes.length] ?? 0)
        const begin = index * perNote - from
        for (let i = Math.max(0, begin); i < Math.min(sound.length, begin + rings); i++)
          sound[i] = (sound[i] ?? 0) + peak * pluck(pitchHz, (i - begin) / sampleRateHz)
      }
      return Promise.resolve(Int16Array.from(sound, Math.round))
    },
    close: () => Promise.resolve(),
  }
}
