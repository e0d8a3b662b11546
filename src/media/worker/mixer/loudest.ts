/**
 * Who is heard when only the loudest are: in a big conference the noise of all who are silent would drown the speaker.
 *
 *   Mixer ── members with their loudness ─▶ here ─▶ member.onStage
 *
 * A place once won is kept until somebody else is clearly louder, so that nobody is cut off between two words; one
 * place changes hands in a tick. Who has no place, yet speaks, waits for at most a tick for each louder one.
 */

interface Candidate {
  readonly loudness: number
  readonly muted: boolean
  /** Takes no place, and is heard always. */
  readonly announces: boolean
  onStage: boolean
}

export interface Stage {
  choose(members: readonly Candidate[]): void
}

/** 3 dB. */
const clearly = 1.41
/** -60 dB of full scale: nobody takes a place with less. */
const hardlyHeard = 32
/** A frame of 20 ms; to a tenth in half a second. */
const fall = 10 ** (-1 / 25)

/** Mean magnitude of a frame, 0 to 32768, held a while. */
export function loudness(frame: Int16Array | undefined, before: number): number {
  let sum = 0
  const length = frame?.length ?? 0
  for (let i = 0; i < length; i++) {
    const sample = frame?.[i] ?? 0
    sum += sample < 0 ? -sample : sample
  }
  return Math.max(length === 0 ? 0 : sum / length, before * fall)
}

const weight = ({ muted, loudness }: Candidate): number => (muted ? 0 : loudness)

export class LoudestStage implements Stage {
  readonly #places: number

  /** @throws {RangeError} for less than one place. */
  constructor(places: number) {
    if (!(places >= 1)) throw new RangeError(`a stage of ${places} places`)
    this.#places = places
  }

  choose(members: readonly Candidate[]): void {
    let taken = 0
    for (const member of members) {
      if (member.announces) continue
      if (member.onStage && taken < this.#places) taken++
      else member.onStage = false // who joined comes on stage by being loud
    }
    let quietest: Candidate | undefined
    let loudest: Candidate | undefined
    for (const member of members) {
      if (member.announces) continue
      if (member.onStage) quietest = !quietest || weight(member) < weight(quietest) ? member : quietest
      else loudest = !loudest || weight(member) > weight(loudest) ? member : loudest
    }
    if (!loudest || weight(loudest) < hardlyHeard) return
    if (taken >= this.#places) {
      if (!quietest || weight(loudest) < clearly * weight(quietest)) return
      quietest.onStage = false
    }
    loudest.onStage = true
  }
}
