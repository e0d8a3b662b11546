/**
 * What becomes of an INVITE that is a call: who may call whom, and by which devices or trunk they are reached.
 *
 *   sip/  ── IncomingInvite ─▶  here  ── Call ─▶  dial or refuse
 */

import { Call } from '../call/call.ts'
import type { Destination } from '../call/fork.types.ts'
import type { Presenter } from '../call/leg.ts'
import type { SrtpMode } from '../call/leg-crypto.ts'
import { partyAt } from '../call/party.ts'
import type { CallServices, RecordTo } from '../call/services.ts'
import { type Taker, takePlace } from '../call/take-place.ts'
import type { Onwards, Route } from '../call/transfer.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import type { Party } from '../events/catalogue.ts'
import { callRecordingName } from '../recording/names.ts'
import { fromOf, requestUriOf } from '../sip/message/fields.ts'
import type { SipUri } from '../sip/message/types.ts'
import { printUri } from '../sip/message/uri.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import { callerOnTrunk, wantsPrivacy } from './caller-id.ts'
import { presenterFor, presentToPhone, reachedPhone } from './connected.ts'
import { type Directory, type Extension, partyOf } from './directory.ts'
import type { Gatekeeper, Identity } from './gatekeeper.ts'
import type { NamedDevice } from './gruu.ts'
import type { HouseNumbers } from './house-numbers.ts'
import { introduceToPhone, type Luggage, sentOnBy, whereItHasBeen } from './introduction.ts'
import { passedHeaders } from './passed-headers.ts'
import { type Asks, recordToOf } from './record-to.ts'
import type { RegisteredTarget, Registrar } from './registrar.ts'
import type { LineRoute, TrunkLines } from './trunk-lines.ts'
import { trunkParty, trunkRoute } from './trunk-route.ts'
import { dialledNumber, inboundExtension, numberCalled, type Trunk } from './trunks.ts'

/** Which calls to the world an extension may make; implemented by security/. */
export interface TollGuard {
  /** The ways it may take for one more call, which counts; none when it may not make it. */
  allow(extension: string, ways: readonly LineRoute[]): readonly LineRoute[]
  /** Its call goes out that way. Returns what to call when it is over; undefined when it is one too many by now. */
  begin(extension: string, way: LineRoute): (() => void) | undefined
}

/** How many calls an extension may make, and a trunk may bring; implemented by security/. */
export interface CallLimits {
  /** Returns what to call when the call is over; undefined when it is one too many. */
  begin(
    call: ({ readonly extension: string; readonly outside: boolean } | { readonly trunk: Trunk }) & {
      readonly number: string
    },
  ): (() => void) | undefined
}

export interface DialplanOptions {
  readonly gatekeeper: Pick<Gatekeeper, 'identityOf'>
  readonly directory: Pick<Directory, 'find'>
  readonly registrar: Pick<Registrar, 'targets' | 'deviceNamed'>
  readonly trunks: Pick<TrunkLines, 'routes'>
  readonly toll: TollGuard
  readonly limits: CallLimits
  /** Numbers that are answered here; none when left out. */
  readonly house?: Pick<HouseNumbers, 'serves' | 'take'>
  /** Headers of calls from extensions that go on to who is called. */
  readonly passHeaders: readonly string[]
  readonly services: CallServices
  /** Recording servers elsewhere, of extensions and trunks that say nothing of their own. None when left out. */
  readonly recordTo?: RecordTo
}

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
    if (!identity || identity.kind === 'siprec') return invite.reject(403)
    if (invite.request.headers.has('Replaces')) return this.#takePlace(invite, identity)
    const dialled =
      identity.kind === 'trunk' ? numberCalled(identity.trunk, invite.request) : dialledNumber(invite.request.uri)
    if (!dialled) return invite.reject(404)
    const coming = this.#comingFrom(invite, identity)
    if (identity.kind === 'trunk') {
      if (!this.#begins(invite, { trunk: identity.trunk, number: dialled })) return
      const number = inboundExtension(identity.trunk, dialled)
      if (number !== undefined && this.#options.house?.serves(number)) return this.#toHouse(coming, number)
      return this.#toExtension(coming, number === undefined ? undefined : this.#options.directory.find(number))
    }
    const device = this.#deviceCalled(invite)
    const extension = this.#options.directory.find(device?.extension ?? dialled)
    const { number } = identity.extension
    const { house } = this.#options
    if (!extension && house?.serves(dialled)) {
      if (!this.#begins(invite, { extension: number, number: dialled, outside: false })) return
      return this.#toHouse(coming, dialled)
    }
    const routes = extension ? [] : this.#options.trunks.routes(dialled, number)
    if (!this.#begins(invite, { extension: number, number: dialled, outside: routes.length > 0 })) return
    if (routes.length > 0) return this.#toTrunk(coming, routes, identity.extension)
    return this.#toExtension(coming, extension, { caller: identity.extension, ...(device && { device }) })
  }

  #toHouse({ invite, from, present, callerSrtp, callerCodecs }: Coming, number: string): Promise<void> | undefined {
    return this.#options.house?.take(invite, number, {
      from,
      ...(present && { present }),
      ...(callerSrtp && { srtp: callerSrtp }),
      ...(callerCodecs && { codecs: callerCodecs }),
    })
  }

  /** Counts the call as long as its dialog lives. One too many hears busy: a 503 would have a carrier leave us alone. */
  #begins(invite: IncomingInvite, call: Parameters<CallLimits['begin']>[0]): boolean {
    const over = this.#options.limits.begin(call)
    if (over) invite.dialog.on('ended', over)
    else invite.reject(486, { reason: 'Too Many Calls' })
    return over !== undefined
  }

  /** A call to one device alone (RFC 5627). */
  #deviceCalled({ request }: IncomingInvite): NamedDevice | undefined {
    const uri = requestUriOf(request)
    return uri && this.#options.registrar.deviceNamed(uri)
  }

  /**
   * Who may take a place (RFC 3891 §7): any extension a call that rings at another, as it may see that it does, but none
   * to the world, whose caller would take it for who was called; its own end of a call from another of its devices; a
   * trunk one of its own ends.
   */
  #takePlace(invite: IncomingInvite, identity: Caller): Promise<void> {
    const { from, present, callerSrtp, callerCodecs } = this.#comingFrom(invite, identity)
    const { ip } = invite.flow.remote
    const mayTake: Taker['mayTake'] = (place) => {
      if (place.state === 'ringing')
        return identity.kind === 'extension' && place.fork.legs.some(({ party }) => party.extension !== undefined)
      const { party, dialog } = place.leg
      if (identity.kind === 'extension') return party.extension === identity.extension.number
      return party.extension === undefined && dialog?.flow.remote.ip === ip
    }
    const taker = {
      party: from,
      mayTake,
      ...(present && { present }),
      ...(callerSrtp && { srtp: callerSrtp }),
      ...(callerCodecs && { codecs: callerCodecs }),
    }
    return takePlace(invite, taker, this.#options.services.live)
  }

  #comingFrom(invite: IncomingInvite, identity: Caller): Coming {
    const { request } = invite
    const { headers } = request
    const isTrunk = identity.kind === 'trunk'
    const { srtp, codecs, sound } = isTrunk ? identity.trunk : identity.extension
    const from = isTrunk ? callerOnTrunk(request, identity.trunk) : this.#callingExtension(invite, identity.extension)
    const allowed = isTrunk ? (identity.trunk.passHeaders ?? []) : this.#options.passHeaders
    const been = isTrunk && identity.trunk.trustIdentity ? whereItHasBeen(headers) : { diversions: [], history: [] }
    const present = isTrunk ? presenterFor(identity.trunk) : presentToPhone
    return {
      invite,
      from,
      ...(srtp && { callerSrtp: srtp }),
      ...(codecs && { callerCodecs: codecs }),
      ...(sound && { callerVoice: sound }),
      ...(present && { present }),
      recordTo: isTrunk ? identity.trunk.recordTo : identity.extension.recordTo,
      ...(isTrunk && { trunk: identity.trunk.name }),
      luggage: { ...been, sentOn: [], passed: passedHeaders(request, allowed, from.private ?? false) },
    }
  }

  /** The directory says who an extension is, whatever its From claims. */
  #callingExtension({ request }: IncomingInvite, extension: Extension): Party {
    if (!wantsPrivacy(request)) return partyOf(extension, partyAt(fromOf(request)).uri)
    return { ...this.#partyHere(extension), private: true }
  }

  #partyHere(extension: Extension): Party {
    return partyOf(extension, printUri(plainUri(extension.number, this.#options.services.advertisedIp(undefined))))
  }

  /** Where a party of a call may send it (RFC 3515): where it could have called itself. */
  #onwards(luggage: Luggage, redirected = false): Onwards {
    const { directory, trunks } = this.#options
    return {
      numberIn: (uri) => dialledNumber(printUri({ ...uri, headers: new Map() })),
      route: (number, by, hidden) => {
        const [extension, asks] = [directory.find(number), directory.find(by)]
        const onward = sentOnBy(luggage, { extension: by, private: hidden, redirected }, number)
        const outbound = extension ? [] : trunks.routes(number, by)
        if (outbound.length > 0) {
          const allowed = this.#options.toll.allow(by, outbound)
          if (allowed.length === 0) return 'not-allowed'
          const recordTo = this.#recordTo(allowed[0]?.trunk.recordTo, asks?.recordTo)
          return { ...this.#trunkRoute(allowed, by, onward), record: asks?.record ?? false, recordTo }
        }
        if (!extension) return 'not-found'
        const route = this.#extensionRoute(extension, this.#partyHere(extension), onward)
        return route.destinations.length === 0
          ? 'unreachable'
          : { ...route, recordTo: this.#recordTo(extension.recordTo) }
      },
    }
  }

  #recordTo(...sides: readonly Asks[]): RecordTo {
    return recordToOf(sides, this.#options.recordTo ?? [])
  }

  #trunkRoute(ways: readonly LineRoute[], by: string, luggage: Luggage): Omit<Route, 'record'> {
    return trunkRoute(ways, { by, luggage, begin: (way) => this.#options.toll.begin(by, way) })
  }

  /** @param device That one alone. */
  #extensionRoute(
    { number, ringSeconds, record, srtp, codecs, sound }: Extension,
    party: Party,
    luggage: Luggage,
    device?: NamedDevice,
  ): Route {
    const introduce: Destination['introduce'] = (caller, host) => introduceToPhone(caller, host, luggage, number)
    const follow = (uris: readonly SipUri[]) => this.#redirected(uris, number, luggage)
    const reached: Destination['reached'] = (response) => reachedPhone(party, response)
    const own = { ...(srtp && { srtp }), ...(codecs && { codecs }), ...(sound && { voice: sound }) }
    const shared = { party, introduce, follow, present: presentToPhone, reached, ...own }
    const targets = this.#options.registrar.targets(number, device)
    const destinations = targets.map((target) => deviceDestination(target, shared))
    return { destinations, ringMs: ringSeconds * 1000, record }
  }

  /** A phone forwards its calls (302): to where it may call itself, whatever host it names. */
  #redirected(uris: readonly SipUri[], by: string, luggage: Luggage): readonly Destination[] {
    const onwards = this.#onwards(luggage, true)
    for (const uri of uris) {
      const number = onwards.numberIn(uri)
      const route = number === undefined ? 'not-found' : onwards.route(number, by, false)
      if (typeof route !== 'string') return route.destinations
    }
    return []
  }

  async #toExtension(coming: Coming, extension: Extension | undefined, inside: FromInside = {}): Promise<void> {
    const { caller, device } = inside
    const { invite, from, luggage } = coming
    const to = extension ? partyOf(extension, invite.request.uri) : { uri: invite.request.uri }
    const call = new Call(invite, { from, to }, this.#options.services)
    if (!extension) return call.refuse('not-found')
    const route = this.#extensionRoute(extension, to, luggage, device)
    if (route.destinations.length === 0) return call.refuse('unreachable')
    const recordTo = this.#recordTo(coming.recordTo, extension.recordTo)
    await this.#dial(call, { ...route, record: route.record || (caller?.record ?? false), recordTo }, coming)
  }

  async #toTrunk(coming: Coming, routes: readonly LineRoute[], caller: Extension): Promise<void> {
    const { invite, from, luggage } = coming
    const [first] = routes
    if (!first) return invite.reject(404)
    const call = new Call(invite, { from, to: trunkParty(first) }, this.#options.services)
    const allowed = this.#options.toll.allow(caller.number, routes)
    if (allowed.length === 0) return call.refuse('not-allowed')
    const route = this.#trunkRoute(allowed, caller.number, luggage)
    const recordTo = this.#recordTo(coming.recordTo, first.trunk.recordTo)
    await this.#dial(call, { ...route, record: caller.record, recordTo }, coming)
  }

  async #dial(call: Call, route: Route, coming: Coming): Promise<void> {
    const { luggage, present, callerSrtp, callerCodecs, callerVoice, trunk } = coming
    const { from, to } = call
    const onwards = this.#onwards(luggage)
    const recordingName = this.#recordingName(call, from, to)
    await call.dial({
      ...route,
      recordingName,
      onwards,
      ...(present && { present }),
      ...(callerSrtp && { callerSrtp }),
      ...(callerCodecs && { callerCodecs }),
      ...(callerVoice && { callerVoice }),
      ...(trunk !== undefined && { trunk }),
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

type Caller = Exclude<Identity, { kind: 'siprec' }>

/** A device of an extension, with what is the same for all of them. */
const deviceDestination = (
  { order = 0, routes, ...target }: RegisteredTarget,
  shared: Omit<Destination, 'target'>,
): Destination => ({ ...shared, target, order, ...(routes && { routes }) })

/** What only an extension can give: its own settings, and the address of one device of another. */
interface FromInside {
  readonly caller?: Extension
  readonly device?: NamedDevice
}

/** A call that came in: who calls, and what goes on with it. */
interface Coming {
  readonly invite: IncomingInvite
  readonly from: Party
  /** How it is told whom it speaks with; undefined for a trunk that is not trusted. */
  readonly present?: Presenter
  readonly luggage: Luggage
  /** Its audio, when the trunk or the extension says how. */
  readonly callerSrtp?: SrtpMode
  readonly callerCodecs?: readonly string[]
  readonly callerVoice?: VoiceProcessing
  readonly recordTo: Asks
  /** Name of the trunk that it comes by. */
  readonly trunk?: string
}

const plainUri = (user: string, host: string): SipUri => ({
  scheme: 'sip',
  user,
  host,
  params: new Map(),
  headers: new Map(),
})
