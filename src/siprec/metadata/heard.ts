/**
 * Who was heard on which stream, and when: what a recording keeps. After a transfer one channel holds two voices, and
 * the times tell which is whose.
 *
 * Times are of the messages that said so, as they came here; beside them stand those that the documents give.
 */
import type { Participant } from '../../events/catalogue.ts'
import type { HeardSpan, MetadataSpan } from '../../events/siprec.ts'

/** A session that is left open for weeks (RFC 7866 §3.3) may see thousands: the oldest are forgotten first. */
const maxRemembered = 1_000

export interface HeardEntry {
  /** In the metadata. */
  readonly id: string
  readonly person: Participant
}

type StatedTimes = (id: string) => MetadataSpan

export class Heard {
  #entries: readonly HeardEntry[]

  /** @param entries Of an earlier one, for a session that is taken up again. */
  constructor(entries: readonly HeardEntry[] = []) {
    this.#entries = entries
  }

  get entries(): readonly HeardEntry[] {
    return this.#entries
  }

  /** Everybody so far, who was there before first. */
  get everyone(): readonly Participant[] {
    return this.#entries.map(({ person }) => person)
  }

  /**
   * A guess, and somebody without a stream, count only as long as they are current.
   * @param now Who is there from `atMs` on, with their ids.
   * @param timesOf What the documents say of when an id was there.
   */
  note(now: ReadonlyMap<Participant, string>, atMs: number, timesOf: StatedTimes): void {
    const before = this.#entries
    const people = [...now.keys()]
    const past = before.filter(({ person }) => isHeard(person) && !people.some((other) => isSame(other, person)))
    const isOnlySilent = (person: Participant) =>
      person.legId === undefined && past.some((other) => isSamePerson(other.person, person))
    const current = people
      .filter((person) => !isOnlySilent(person))
      .map((person): HeardEntry => {
        const id = now.get(person) ?? ''
        const earlier = before.find((other) => isSame(other.person, person))?.person.heard ?? []
        return { id, person: goingOn(person, earlier, atMs, timesOf(id).fromMs) }
      })
    const ended = past.map(({ id, person }) => ({ id, person: end(person, atMs, timesOf(id).untilMs) }))
    this.#entries = [...ended, ...current].slice(-maxRemembered)
  }
}

const isHeard = ({ legId, guessed }: Participant): boolean => legId !== undefined && guessed !== true
const isSamePerson = (a: Participant, b: Participant): boolean => a.uri === b.uri && a.name === b.name
const isSame = (a: Participant, b: Participant): boolean => a.legId === b.legId && isSamePerson(a, b)

/** A stated time that was the beginning of an earlier span says nothing of this one: it came back from hold. */
function goingOn(
  person: Participant,
  heard: readonly HeardSpan[],
  atMs: number,
  statedFromMs: number | undefined,
): Participant {
  if (person.legId === undefined) return person
  const last = heard.at(-1)
  if (last && last.untilMs === undefined) return { ...person, heard }
  const isNew = statedFromMs !== undefined && heard.every((span) => span.statedFromMs !== statedFromMs)
  return { ...person, heard: [...heard, { fromMs: atMs, ...(isNew && { statedFromMs }) }] }
}

function end(person: Participant, atMs: number, statedUntilMs: number | undefined): Participant {
  const last = person.heard?.at(-1)
  if (!person.heard || !last || last.untilMs !== undefined) return person
  const ended = { ...last, untilMs: atMs, ...(statedUntilMs !== undefined && { statedUntilMs }) }
  return { ...person, heard: [...person.heard.slice(0, -1), ended] }
}
