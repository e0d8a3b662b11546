/** The calls that live now, of all kinds: what the console watches and the clean stop ends. */
import type { CallKind, Encryption, EndReason, LegRole, Party, Quality, TracedMessage } from '../events/catalogue.ts'

import type { RecordNotice } from './record-notice.ts'
import type { RecordTo } from './services.ts'

export interface LiveLeg extends Partial<Encryption> {
  readonly id: string
  readonly role: LegRole
  readonly party: Party
  readonly state: 'calling' | 'ringing' | 'answered' | 'ended'
  readonly sipCallId: string
  readonly transport: string
  readonly remote: string
  readonly codec?: string
  readonly label?: string
  /** As told last. */
  readonly quality?: Quality
}

export interface LiveCallSnapshot {
  readonly id: string
  readonly kind: CallKind
  readonly from: Party
  readonly to: Party
  readonly startedAtMs: number
  readonly answeredAtMs?: number
  readonly recording: boolean
  readonly legs: readonly LiveLeg[]
}

/** A live call of any kind; pbx calls and SIPREC sessions implement it. */
export interface LiveCall {
  readonly id: string
  snapshot(): LiveCallSnapshot
  /** End it from our side: BYE or CANCEL to all legs, files finished. Resolves when all is closed; twice is fine. */
  end(reason: EndReason): Promise<void>
  /**
   * Have it recorded by servers elsewhere, and by no others any more; of kinds that can be. @returns False when nobody has
   * answered yet, or it is over.
   */
  sendTo?(servers: RecordTo): boolean
  /** Tells its parties that it is recorded; of kinds that may be. */
  readonly notice?: RecordNotice
  /** SIP messages so far. */
  messages(): readonly TracedMessage[]
}

export class LiveCalls {
  readonly #calls = new Map<string, LiveCall>()

  add(call: LiveCall): void {
    this.#calls.set(call.id, call)
  }

  remove(id: string): void {
    this.#calls.delete(id)
  }

  get(id: string): LiveCall | undefined {
    return this.#calls.get(id)
  }

  get size(): number {
    return this.#calls.size
  }

  /** Oldest first. */
  list(): readonly LiveCall[] {
    return [...this.#calls.values()]
  }

  /** End all of them; resolves when all have ended. */
  async endAll(reason: EndReason): Promise<void> {
    await Promise.allSettled(this.list().map((call) => call.end(reason)))
  }
}
