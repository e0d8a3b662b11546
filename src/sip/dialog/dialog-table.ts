/** Dialogs by their id: Call-ID, our tag, their tag (RFC 3261 §12). Early ones of incoming calls stand here too. */
import { detached } from '../message/scan.ts'
import type { SipRequest } from '../message/types.ts'
import type { DialogId } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'

/** Whoever takes the requests of one dialog. */
export interface DialogParty {
  /** A request inside the dialog, neither ACK nor CANCEL; no state has been made for it. */
  receive(request: SipRequest, flow: WireFlow): void
  /** An ACK to a 2xx. */
  receiveAck(request: SipRequest, flow: WireFlow): void
  /** The stack closes: cancel all timers. */
  drop(): void
}

/** What is known of a dialog before its peer has said a word. */
export type HalfId = Pick<DialogId, 'callId' | 'localTag'>

const halfKeyOf = ({ callId, localTag }: HalfId): string => `${callId} ${localTag}`
const keyOf = ({ callId, localTag, remoteTag }: DialogId): string => `${callId} ${localTag} ${remoteTag}`

export class DialogTable {
  readonly #parties = new Map<string, DialogParty>()
  readonly #expecting = new Map<string, DialogParty>()

  get size(): number {
    return this.#parties.size + this.#expecting.size
  }

  get(id: DialogId): DialogParty | undefined {
    return this.#parties.get(keyOf(id))
  }

  set(id: DialogId, party: DialogParty): void {
    this.#parties.set(detached(keyOf(id)), party)
  }

  /** Does nothing when another party has taken the place. */
  remove(id: DialogId, party: DialogParty): void {
    const key = keyOf(id)
    if (this.#parties.get(key) === party) this.#parties.delete(key)
  }

  /** Who awaits the NOTIFY that makes a dialog (RFC 6665 §4.4.1): it may come from anybody, and before the answer. */
  expecting(id: HalfId): DialogParty | undefined {
    return this.#expecting.get(halfKeyOf(id))
  }

  expect(id: HalfId, party: DialogParty): void {
    this.#expecting.set(halfKeyOf(id), party)
  }

  unexpect(id: HalfId): void {
    this.#expecting.delete(halfKeyOf(id))
  }

  close(): void {
    for (const parties of [this.#parties, this.#expecting]) {
      for (const party of Array.from(parties.values())) party.drop()
      parties.clear()
    }
  }
}
