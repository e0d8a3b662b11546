/** Hands each request that the gatekeeper let in to the part that answers it. */
import type { LiveCalls } from './call/live-calls.ts'
import type { Dialplan } from './pbx/dialplan.ts'
import type { Gatekeeper } from './pbx/gatekeeper.ts'
import type { Messages } from './pbx/messages.ts'
import type { Registrar } from './pbx/registrar.ts'
import type { IncomingInvite, IncomingRequest } from './sip/stack.types.ts'
import { isSiprec } from './siprec/body.ts'
import { acceptedTypes } from './siprec/failures.ts'
import type { SiprecReception } from './siprec/peers/reception.ts'

export interface FrontDeskParts {
  readonly gatekeeper: Gatekeeper
  readonly registrar: Registrar
  readonly dialplan: Dialplan
  readonly messages: Messages
  readonly siprec: SiprecReception
  readonly live: LiveCalls
  /** Calls and recording sessions at a time. */
  readonly maxCalls: () => number
}

/** What may be asked of this server, told in Allow by the stack. */
export const allowedMethods: readonly string[] = [
  'INVITE',
  'ACK',
  'BYE',
  'PRACK',
  'CANCEL',
  'OPTIONS',
  'INFO',
  'UPDATE',
  'REFER',
  'REGISTER',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
]

export class FrontDesk {
  readonly #parts: FrontDeskParts
  #closed = false

  constructor(parts: FrontDeskParts) {
    this.#parts = parts
  }

  /** No new calls from now on: they are told to come back (RFC 3261 §21.5.4). */
  close(): void {
    this.#closed = true
  }

  invite(invite: IncomingInvite): void {
    if (this.#closed) return invite.reject(503, { reason: 'Shutting Down', headers: { 'Retry-After': '30' } })
    const { live, maxCalls } = this.#parts
    if (live.size >= maxCalls())
      return invite.reject(503, { reason: 'Too Many Calls', headers: { 'Retry-After': '10' } })
    const identity = this.#parts.gatekeeper.identityOf(invite.request)
    if (identity?.kind === 'siprec') return this.#parts.siprec.invite(invite, identity.username)
    // A carrier at its address, or an extension by its password, may record as well.
    if (isSiprec(invite.request)) return this.#parts.siprec.invite(invite)
    void this.#parts.dialplan.take(invite)
  }

  request(incoming: IncomingRequest): void {
    const { method } = incoming.request
    const identity = this.#parts.gatekeeper.identityOf(incoming.request)
    if (method === 'OPTIONS') {
      if (identity?.kind === 'siprec') this.#parts.siprec.pinged(incoming.request, incoming.flow, identity.username)
      return incoming.respond(200, { headers: { Accept: acceptedTypes } })
    }
    if (method === 'REGISTER' && identity?.kind === 'extension')
      return this.#parts.registrar.register(incoming, identity.extension)
    if (method === 'MESSAGE' && identity?.kind === 'extension')
      return void this.#parts.messages.take(incoming, identity.extension)
    incoming.respond(method === 'NOTIFY' ? 481 : 405)
  }
}
