/** Legal holds: placed and lifted by people, with a reason. The record of each says who and when, never about whom. */
import type { Asker } from '../audit/types.ts'
import type { Clock } from '../core/clock.ts'
import { personKey } from '../core/person.ts'
import { newId } from '../core/random.ts'
import { RetentionError } from './failures.ts'
import type { Hold, HoldStore } from './types.ts'

/** One of the three. */
export interface WantedHold {
  readonly recordingId?: string | undefined
  readonly callId?: string | undefined
  /** A number or an address; calls that come later are held too. */
  readonly person?: string | undefined
  readonly why: string
}

export class Holds {
  readonly #store: HoldStore
  readonly #clock: Clock

  constructor({ store, clock }: { readonly store: HoldStore; readonly clock: Clock }) {
    this.#store = store
    this.#clock = clock
  }

  list(all = false): Promise<readonly Hold[]> {
    return this.#store.list(all)
  }

  /** @throws {RetentionError} `retention.bad-person`, `retention.nothing-to-hold`, `retention.not-stored` */
  async place(wanted: WantedHold, asker: Asker): Promise<Hold> {
    const { kind, subject } = whatOf(wanted)
    const hold: Hold = {
      id: newId(),
      kind,
      subject,
      why: wanted.why,
      placedBy: asker.who,
      placedAtMs: this.#clock.wallMs(),
    }
    const about = kind === 'person' ? {} : { [kind]: subject }
    await this.#store.place(hold, {
      ...asker,
      action: 'hold.placed',
      subject: `hold:${hold.id}`,
      details: { kind, ...about },
    })
    return hold
  }

  /** @throws {RetentionError} `retention.hold-not-found` */
  async lift(id: string, why: string, asker: Asker): Promise<Hold> {
    const how = { by: asker.who, why, atMs: this.#clock.wallMs() }
    const lifted = await this.#store.lift(id, how, { ...asker, action: 'hold.lifted', subject: `hold:${id}` })
    if (!lifted) throw new RetentionError('retention.hold-not-found')
    return lifted
  }
}

function whatOf({ recordingId, callId, person }: WantedHold): Pick<Hold, 'kind' | 'subject'> {
  if (recordingId !== undefined) return { kind: 'recording', subject: recordingId }
  if (callId !== undefined) return { kind: 'call', subject: callId }
  const key = personKey(person ?? '')
  if (key === undefined) throw new RetentionError('retention.bad-person')
  return { kind: 'person', subject: key }
}
