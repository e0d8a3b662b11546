/**
 * Who was heard on which stream, and when: what a recording keeps. After a transfer one channel holds two voices, and
 * the times tell which is whose.
 *
 * Times are of the messages that said so, as they came here; what the documents themselves give as times is in the
 * communication sessions (people.ts).
 */
import type { Participant } from '../../events/catalogue.ts'

/** A session that is left open for weeks (RFC 7866 §3.3) may see thousands: the oldest are forgotten first. */
const maxRemembered = 1_000

export class Heard {
  #everyone: readonly Participant[] = []

  /** Everybody so far, who was there before first. */
  get everyone(): readonly Participant[] {
    return this.#everyone
  }

  /**
   * A guess, and somebody without a stream, count only as long as they are current.
   * @param now Who is there from `atMs` on.
   */
  note(now: readonly Participant[], atMs: number): void {
    const before = this.#everyone
    const past = before.filter((person) => isHeard(person) && !now.some((other) => isSame(other, person)))
    const isOnlySilent = (person: Participant) =>
      person.legId === undefined && past.some((other) => isSamePerson(other, person))
    const current = now
      .filter((person) => !isOnlySilent(person))
      .map((person) =>
        goingOn(
          person,
          before.find((other) => isSame(other, person)),
          atMs,
        ),
      )
    this.#everyone = [...past.map((person) => ended(person, atMs)), ...current].slice(-maxRemembered)
  }
}

const isHeard = ({ legId, guessed }: Participant): boolean => legId !== undefined && guessed !== true
const isSamePerson = (a: Participant, b: Participant): boolean => a.uri === b.uri && a.name === b.name
const isSame = (a: Participant, b: Participant): boolean => a.legId === b.legId && isSamePerson(a, b)

function goingOn(person: Participant, before: Participant | undefined, atMs: number): Participant {
  if (person.legId === undefined) return person
  const heard = before?.heard ?? []
  const last = heard.at(-1)
  return { ...person, heard: last && last.untilMs === undefined ? heard : [...heard, { fromMs: atMs }] }
}

function ended(person: Participant, atMs: number): Participant {
  const last = person.heard?.at(-1)
  if (!person.heard || !last || last.untilMs !== undefined) return person
  return { ...person, heard: [...person.heard.slice(0, -1), { ...last, untilMs: atMs }] }
}
