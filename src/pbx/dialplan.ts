/**
 * What becomes of an INVITE that is a call: who may call whom, and by which devices or trunk they are reached.
 *
 *   sip/  ── IncomingInvite ─▶  here  ── Call ─▶  dial or refuse
 */

import { Call } from '../call/call.ts'
import type { Destination } from '../call/fork.ts'
import { partyAt } from '../call/party.ts'
import type { CallServices } from '../call/services.ts'
import type { Party } from '../events/catalogue.ts'
import { callRecordingName } from '../recording/names.ts'
import { fromOf } from '../sip/message/fields.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import type { Directory, Extension } from './directory.ts'
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
    const { number, displayName } = identity.extension
    return { uri: from.uri, extension: number, ...(displayName && { name: displayName }) }
  }

  async #toExtension(
    invite: IncomingInvite,
    from: Party,
    extension: Extension | undefined,
    caller?: Extension,
  ): Promise<void> {
    const to: Party = {
      uri: invite.request.uri,
      ...(extension
        ? { extension: extension.number, ...(extension.displayName && { name: extension.displayName }) }
        : {}),
    }
    const call = new Call(invite, { from, to }, this.#options.services)
    if (!extension) return call.refuse('not-found')
    const destinations: Destination[] = this.#options.registrar
      .targets(extension.number)
      .map((target) => ({ target, party: to }))
    if (destinations.length === 0) return call.refuse('unreachable')
    await call.dial({
      destinations,
      ringMs: extension.ringSeconds * 1000,
      record: extension.record || (caller?.record ?? false),
      recordingName: this.#recordingName(call, from, to),
    })
  }

  async #toTrunk(
    invite: IncomingInvite,
    from: Party,
    { trunk, number }: OutboundRoute,
    caller: Extension,
  ): Promise<void> {
    const to: Party = { uri: trunkUri({ host: trunk.host }, number) }
    const call = new Call(invite, { from, to }, this.#options.services)
    await call.dial({
      destinations: [
        {
          target: { uri: trunkUri(trunk, number) },
          party: to,
          ...(trunk.credentials && { credentials: trunk.credentials }),
        },
      ],
      ringMs: trunkRingSeconds * 1000,
      record: caller.record,
      recordingName: this.#recordingName(call, from, to),
    })
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
