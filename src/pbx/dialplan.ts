/**
 * What becomes of an INVITE that is a call: who may call whom, and by which devices or trunk they are reached.
 *
 *   sip/  ── IncomingInvite ─▶  here  ── Call ─▶  dial or refuse
 */

import { Call } from '../call/call.ts'
import { partyAt } from '../call/party.ts'
import type { CallServices } from '../call/services.ts'
import type { Onwards, Route } from '../call/transfer.ts'
import type { Party } from '../events/catalogue.ts'
import { callRecordingName } from '../recording/names.ts'
import { fromOf } from '../sip/message/fields.ts'
import type { SipUri } from '../sip/message/types.ts'
import { printUri } from '../sip/message/uri.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import { type Directory, type Extension, partyOf } from './directory.ts'
import type { Gatekeeper, Identity } from './gatekeeper.ts'
import type { Registrar } from './registrar.ts'
import { dialledNumber, inboundExtension, type OutboundRoute, outboundRoute, type Trunk, trunkUri } from './trunks.ts'

export interface DialplanOptions {
  readonly gatekeeper: Gatekeeper
  readonly directory: Directory
  readonly registrar: Registrar
  readonly trunks: readonly Trunk[]
  readonly services: CallServices
}

/** How long a trunk may ring before the caller hears no answer. */
const trunkRingSeconds = 120

export class Dialplan {
  readonly #options: DialplanOptions

  constructor(options: DialplanOptions) {
    this.#options = options
  }

  /** Take a call. Never throws: whatever goes wrong becomes a SIP answer. */
  async take(invite: IncomingInvite): Promise<void> {
    try {
      await this.#take(invite)
    } catch (error) {
      this.#options.services.log.error('a call could not be taken', { error: String(error) })
      invite.reject(500)
    }
  }

  async #take(invite: IncomingInvite): Promise<void> {
    const { gatekeeper } = this.#options
    const identity = gatekeeper.identityOf(invite.request)
    const dialled = dialledNumber(invite.request.uri)
    if (!identity || identity.kind === 'siprec') return invite.reject(403)
    if (!dialled) return invite.reject(404)
    const from = this.#callerOf(invite, identity)
    if (identity.kind === 'trunk') {
      const number = inboundExtension(identity.trunk, dialled)
      return this.#toExtension(invite, from, number === undefined ? undefined : this.#options.directory.find(number))
    }
    const extension = this.#options.directory.find(dialled)
    const route = extension ? undefined : outboundRoute(this.#options.trunks, dialled, identity.extension.number)
    if (route) return this.#toTrunk(invite, from, route, identity.extension)
    return this.#toExtension(invite, from, extension, identity.extension)
  }

  #callerOf(invite: IncomingInvite, identity: Exclude<Identity, { kind: 'siprec' }>): Party {
    const from = partyAt(fromOf(invite.request))
    if (identity.kind === 'trunk') return from
    // The directory says who an extension is, whatever its From claims.
    return partyOf(identity.extension, from.uri)
  }

  /** Where a party of a call may send it (RFC 3515): where it could have called itself. */
  readonly #onwards: Onwards = {
    numberIn: (uri) => dialledNumber(printUri({ ...uri, headers: new Map() })),
    route: (number, by) => {
      const { directory, trunks } = this.#options
      const [extension, asks] = [directory.find(number), directory.find(by)]
      const outbound = extension ? undefined : outboundRoute(trunks, number, by)
      if (outbound) return { ...trunkRoute(outbound, trunkParty(outbound)), record: asks?.record ?? false }
      if (!extension) return 'not-found'
      const route = this.#extensionRoute(
        extension,
        partyOf(extension, printUri(plainUri(extension.number, this.#options.services.advertisedIp(undefined)))),
      )
      return route.destinations.length === 0 ? 'unreachable' : route
    },
  }

  #extensionRoute({ number, ringSeconds, record }: Extension, party: Party): Route {
    const destinations = this.#options.registrar.targets(number).map((target) => ({ target, party }))
    return { destinations, ringMs: ringSeconds * 1000, record }
  }

  async #toExtension(
    invite: IncomingInvite,
    from: Party,
    extension: Extension | undefined,
    caller?: Extension,
  ): Promise<void> {
    const to = extension ? partyOf(extension, invite.request.uri) : { uri: invite.request.uri }
    const call = new Call(invite, { from, to }, this.#options.services)
    if (!extension) return call.refuse('not-found')
    const route = this.#extensionRoute(extension, to)
    if (route.destinations.length === 0) return call.refuse('unreachable')
    await this.#dial(call, { ...route, record: route.record || (caller?.record ?? false) })
  }

  async #toTrunk(invite: IncomingInvite, from: Party, route: OutboundRoute, caller: Extension): Promise<void> {
    const to = trunkParty(route)
    const call = new Call(invite, { from, to }, this.#options.services)
    await this.#dial(call, { ...trunkRoute(route, to), record: caller.record })
  }

  async #dial(call: Call, route: Route): Promise<void> {
    const { from, to } = call
    await call.dial({ ...route, recordingName: this.#recordingName(call, from, to), onwards: this.#onwards })
  }

  #recordingName(call: Call, from: Party, to: Party): string {
    return callRecordingName({
      callId: call.id,
      startedAtMs: this.#options.services.clock.wallMs(),
      from,
      to,
    })
  }
}

const plainUri = (user: string, host: string): SipUri => ({
  scheme: 'sip',
  user,
  host,
  params: new Map(),
  headers: new Map(),
})

const trunkParty = ({ trunk, number }: OutboundRoute): Party => ({ uri: trunkUri({ host: trunk.host }, number) })

function trunkRoute({ trunk, number }: OutboundRoute, party: Party): Omit<Route, 'record'> {
  const { credentials } = trunk
  const target = { uri: trunkUri(trunk, number) }
  return { destinations: [{ target, party, ...(credentials && { credentials }) }], ringMs: trunkRingSeconds * 1000 }
}
