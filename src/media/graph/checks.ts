/** What a caller may ask of the graph: mistakes are told here, so that a worker never meets them. */
import type { InjectOptions, Laid, MemberWishes, MixerWishes, Sound } from './types.ts'

const mostSounds = 1000
/** An hour: what is longer is a mistake, or has no end. */
const longestMs = 3_600_000

/** @throws {RangeError} */
function inRange(what: string, value: number | undefined, least: number, most: number): void {
  if (value !== undefined && !(value >= least && value <= most))
    throw new RangeError(`${what} is ${value}: ${least} to ${most} is possible`)
}

export function checkSounds(sounds: readonly Sound[]): void {
  inRange('number of sounds', sounds.length, 1, mostSounds)
  for (const sound of sounds) {
    if ('silenceMs' in sound) inRange('silenceMs', sound.silenceMs, 0, longestMs)
    if ('tone' in sound) inRange('durationMs', sound.durationMs, 0, longestMs)
  }
}

export const checkVolume = (volumeDb: number | undefined): void => inRange('volumeDb', volumeDb, -60, 20)
export const checkTimes = (times: number | undefined): void => inRange('times', times, 1, Number.POSITIVE_INFINITY)
export const checkPosition = (ms: number | undefined): void => inRange('position', ms, 0, Number.MAX_SAFE_INTEGER)
export const checkMeter = (everyMs: number): void => inRange('everyMs', everyMs, 100, longestMs)

export function checkLaid(how: Laid | undefined): void {
  if (typeof how === 'object') inRange('duckDb', how.duckDb, 1, 60)
}

export function checkInject({ how, prebufferMs, lowMs, mostMs }: InjectOptions): void {
  checkLaid(how)
  inRange('prebufferMs', prebufferMs, 0, 10_000)
  inRange('lowMs', lowMs, 0, longestMs)
  inRange('mostMs', mostMs, 100, longestMs)
}

export const checkMember = ({ gainDb }: MemberWishes): void => inRange('gainDb', gainDb, -40, 20)
export const checkMixer = ({ loudest }: MixerWishes): void => inRange('loudest', loudest, 1, mostSounds)
