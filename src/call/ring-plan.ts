/**
 * Which destinations of a call are rung, and when: those of the lowest order at once, the next ones when all of them
 * failed; and where a redirection leads (RFC 3261 §8.1.3.4), as far as the destination that sent it allows.
 */
import { contactsOf } from '../sip/message/fields.ts'
import type { SipResponse } from '../sip/message/types.ts'
import type { Destination } from './fork.types.ts'

/** Redirections of one call that are followed. */
const maxRedirects = 5

export class RingPlan {
  #left: readonly Destination[]
  readonly #seen: Set<string>
  #redirects = 0
  /** Orders there were at the start: the time for ringing is shared among them. */
  readonly groups: number

  constructor(destinations: readonly Destination[]) {
    this.#left = destinations
    this.#seen = new Set(destinations.map(keyOf))
    this.groups = new Set(destinations.map(orderOf)).size
  }

  get more(): boolean {
    return this.#left.length > 0
  }

  /** The next group; empty when all were rung. */
  next(): readonly Destination[] {
    const lowest = Math.min(...this.#left.map(orderOf))
    const group = this.#left.filter((destination) => orderOf(destination) === lowest)
    this.#left = this.#left.filter((destination) => orderOf(destination) !== lowest)
    return group
  }

  /** Where that answer sends the call; nowhere that was rung already, so that no two phones send it round and round. */
  redirected({ follow }: Destination, response: SipResponse): readonly Destination[] {
    const { status } = response
    if (!follow || status < 300 || status > 302 || this.#redirects >= maxRedirects) return []
    const contacts = contactsOf(response)
    if (!Array.isArray(contacts)) return []
    const uris = contacts.toSorted((a, b) => qOf(b.params) - qOf(a.params)).map(({ uri }) => uri)
    const fresh = follow(uris).filter((destination) => !this.#seen.has(keyOf(destination)))
    const lowest = Math.min(...fresh.map(orderOf))
    const chosen = fresh.filter((destination) => orderOf(destination) === lowest)
    if (chosen.length > 0) this.#redirects++
    for (const destination of chosen) this.#seen.add(keyOf(destination))
    return chosen
  }
}

const orderOf = ({ order = 0 }: Destination): number => order

const keyOf = ({ target }: Destination): string => `${target.flow?.id ?? ''} ${target.uri}`

/** RFC 3261 §20.10: 1 unless given. */
export function qOf(params: ReadonlyMap<string, string | null>): number {
  const q = Number(params.get('q') ?? 1)
  return q >= 0 && q <= 1 ? q : 1
}
