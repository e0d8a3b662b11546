/**
 * The registrar: which devices an extension is reached at (RFC 3261 §10.3).
 *
 *   device  ── REGISTER ─▶  here  ── bindings ─▶  dialplan
 *
 * Several contacts an extension. A binding is reached by the flow it registered on, so that a phone behind NAT or on a
 * TCP connection rings; with a Path, by the flow of the proxy that brought it. Authentication has happened (Gatekeeper).
 * Bindings live in memory; those by datagrams are kept over a restart, the others come back with their connection.
 * Proxies on the way are first-hop.ts, addresses of single devices gruu.ts.
 */
import { qOf } from '../call/ring-plan.ts'
import type { Clock, Timer } from '../core/clock.ts'
import { newId } from '../core/random.ts'
import type { FactBus } from '../events/bus.ts'
import type { FactOf, Registration } from '../events/catalogue.ts'
import { callIdOf, contactsOf, cseqOf, expiresOf, optionTags, requestUriOf, toOf, vias } from '../sip/message/fields.ts'
import { parseNameAddr } from '../sip/message/name-addr.ts'
import type { NameAddr, SipRequest, SipUri } from '../sip/message/types.ts'
import { sameUri, writtenUri } from '../sip/message/uri.ts'
import type { ExtraHeaders, Flow, IncomingRequest, Target } from '../sip/stack.types.ts'
import {
  Binding,
  type BindingFacts,
  deviceOf,
  deviceParams,
  instanceOf,
  oneFlowEach,
  proofOf,
  registrationOf,
  restored,
  toKeep,
} from './binding.ts'
import type { Directory, Extension } from './directory.ts'
import { readFirstHop } from './first-hop.ts'
import { Gruus, type NamedDevice, registrationId } from './gruu.ts'
import type { Reached } from './nat-keeper.ts'
import type { KeptBinding, RegistrationStore } from './registration-store.ts'
import type { Registrations } from './registrations.ts'

export interface RegistrarOptions {
  readonly clock: Clock
  readonly bus: FactBus
  readonly minExpiresMs: number
  readonly maxExpiresMs: number
  /** Keeps bindings over a restart; they are lost without one. */
  readonly store?: RegistrationStore
}

/** A device to ring. */
export interface RegisteredTarget extends Target {
  /** Proxies to pass (RFC 3327), as values of Route. */
  readonly routes?: readonly string[]
  /** 0 for those it prefers (`q`), then 1, …; absent when all are equal. */
  readonly order?: number
}

/** How soon it is told that a connection is gone. */
const lookEveryMs = 5_000

type Removal = FactOf<'registration.removed'>['reason']

/** @param preferences Values of `q` that devices of the extension have, best first. */
const targetOf = ({ uri, flow, path, contact }: Binding, preferences: readonly number[]): RegisteredTarget => ({
  uri,
  flow,
  ...(path.length > 0 && { routes: path }),
  ...(preferences.length > 1 && { order: preferences.indexOf(qOf(contact.params)) }),
})

/** A REGISTER that names contacts. */
interface Naming {
  readonly flow: Flow
  readonly extension: Extension
  readonly contacts: readonly NameAddr[]
  readonly path: readonly string[]
  readonly callId: string
  readonly cseq: number
  readonly userAgent: string | undefined
}

/** What it wants of one of them; 0 ms: to be forgotten. */
interface Wish {
  readonly contact: NameAddr
  readonly ms: number
}

export class Registrar implements Registrations {
  readonly #options: RegistrarOptions
  readonly #bindings = new Map<string, Binding[]>()
  readonly #gruus = new Gruus()
  /** Runs while any binding is reached by a connection. */
  #looking: Timer | undefined

  constructor(options: RegistrarOptions) {
    this.#options = options
  }

  /** Answer a REGISTER of this extension's device. */
  register(incoming: IncomingRequest, extension: Extension): void {
    const { request } = incoming
    // An extension registers for itself alone, whoever it says it is (RFC 3261 §10.3 step 4).
    if (toOf(request)?.uri.user !== extension.number) return incoming.respond(403)
    const contacts = contactsOf(request)
    const callId = callIdOf(request)
    const cseq = cseqOf(request)?.seq
    if (contacts === undefined || callId === undefined || cseq === undefined) return incoming.respond(400)
    this.#sweep(extension.number)
    if (contacts === '*') {
      if (expiresOf(request) !== 0) return incoming.respond(400, { reason: 'Contact * Needs Expires 0' })
      for (const binding of this.#live(extension.number)) this.#remove(extension.number, binding, 'unregistered')
      return this.#ok(incoming, extension.number)
    }
    const wishes = contacts.map((contact) => ({ contact, ms: this.#wantedMs(contact, expiresOf(request)) }))
    if (wishes.some(({ ms }) => ms > 0 && ms < this.#options.minExpiresMs))
      return incoming.respond(423, { headers: { 'Min-Expires': String(this.#options.minExpiresMs / 1000) } })
    const firstHop = readFirstHop(request, incoming.flow)
    if ('status' in firstHop) return incoming.respond(firstHop.status, firstHop.answer)
    const userAgent = request.headers.get('User-Agent')?.slice(0, 200)
    const naming = { flow: incoming.flow, extension, contacts, path: firstHop.path, callId, cseq, userAgent }
    // A late copy of an older request must not undo a newer one, nor a part of it (§10.3 step 7).
    const bound = wishes.map((wish) => this.#boundBy(naming, wish))
    if (bound.some((old) => old && old.callId === callId && cseq <= old.cseq))
      return incoming.respond(500, { reason: 'Out Of Order' })
    for (const wish of wishes) this.#grant(naming, wish)
    this.#ok(incoming, extension.number, firstHop.headers)
  }

  /** Bindings of the last process, as far as they still hold. Before the first REGISTER. */
  restore(kept: readonly KeptBinding[], directory: Pick<Directory, 'find'>): void {
    for (const binding of kept) {
      const extension = directory.find(binding.extension)
      const contact = parseNameAddr(binding.contact)
      const ms = binding.expiresAtMs - this.#options.clock.wallMs()
      const holds = contact && extension && ms > 0 && proofOf(extension) === binding.proof
      if (holds) this.#keep(extension, restored(binding, contact), ms)
      else this.#options.store?.remove(binding.id)
    }
  }

  #grant(naming: Naming, wish: Wish): void {
    const old = this.#boundBy(naming, wish)
    if (wish.ms > 0) this.#bind(naming, wish, old)
    else if (old) this.#remove(naming.extension.number, old, 'unregistered')
  }

  /**
   * Where to send a call for this extension; newest device first. Closed connections are left out, and of several flows
   * of one device all but the newest (RFC 5626 §5.3).
   *
   * @param device That one alone (a GRUU).
   */
  targets(extension: string, device?: NamedDevice): readonly RegisteredTarget[] {
    const reachable = oneFlowEach(this.#reachable(extension)).filter(
      ({ contact, callId }) =>
        !device ||
        (instanceOf(contact) === device.instance &&
          (device.registration ?? registrationId(callId)) === registrationId(callId)),
    )
    const preferences = [...new Set(reachable.map(({ contact }) => qOf(contact.params)))].sort((a, b) => b - a)
    return reachable.map((binding) => targetOf(binding, preferences))
  }

  /** The device that a Request-URI names, when it is a GRUU of ours. */
  deviceNamed(uri: SipUri): NamedDevice | undefined {
    return this.#gruus.read(uri)
  }

  of(extension: string): readonly Registration[] {
    return this.#reachable(extension).map((binding) => registrationOf(extension, binding))
  }

  /** All of them, as they are reached. */
  *reached(): Iterable<Reached> {
    for (const bindings of this.#bindings.values()) yield* bindings
  }

  count(): number {
    return [...this.#bindings.keys()].reduce((sum, extension) => sum + this.#reachable(extension).length, 0)
  }

  drop(extension: string): void {
    for (const binding of this.#live(extension)) this.#remove(extension, binding, 'removed')
  }

  /** Forget everything, silently: the server stops. */
  close(): void {
    this.#looking?.cancel()
    for (const bindings of this.#bindings.values()) for (const { timer } of bindings) timer.cancel()
    this.#bindings.clear()
  }

  #live(extension: string): readonly Binding[] {
    return Array.from(this.#bindings.get(extension) ?? [])
  }

  #reachable(extension: string): readonly Binding[] {
    return this.#live(extension).filter(({ flow }) => flow.open)
  }

  /** A binding whose connection is gone cannot be rung, and must not take the place of one that can. */
  #sweep(extension: string): void {
    for (const binding of this.#live(extension))
      if (!binding.flow.open) this.#remove(extension, binding, 'disconnected')
  }

  /** One timer for all: a hundred thousand phones shall not each be watched. */
  #look(): void {
    this.#looking ??= this.#options.clock.after(lookEveryMs, () => {
      this.#looking = undefined
      let any = false
      for (const [extension, bindings] of this.#bindings) {
        if (bindings.some(({ flow }) => !flow.open)) this.#sweep(extension)
        any ||= bindings.some(({ flow }) => flow.reliable)
      }
      if (any) this.#look()
    })
  }

  /**
   * The binding that this contact refreshes, moves or removes: the one of the same device.
   *
   * A device that says who it is (RFC 5626 §4.1) is known by that, also when it comes back with another port. Others are
   * known by their URI; but two homes have the same private addresses, so a URI from another place and another
   * registration (Call-ID) is another device.
   */
  #boundBy({ flow, extension, contacts, callId }: Naming, { contact, ms }: Wish): Binding | undefined {
    const live = this.#live(extension.number)
    const device = deviceOf(contact)
    const named = live.filter((binding) => sameUri(binding.contact.uri, contact.uri))
    const own = named.find((binding) => {
      const other = deviceOf(binding.contact)
      if (device && other) return device === other
      return binding.callId === callId || binding.flow.remote.ip === flow.remote.ip
    })
    // One device may give several contacts at a time: a binding that is named otherwise in this request stays.
    const moved = live.find(
      (binding) =>
        device !== undefined &&
        deviceOf(binding.contact) === device &&
        !contacts.some(({ uri }) => sameUri(uri, binding.contact.uri)),
    )
    return own ?? moved ?? (ms === 0 ? named[0] : undefined)
  }

  #wantedMs(contact: NameAddr, header: number | undefined): number {
    const own = contact.params.get('expires')
    const seconds = own && /^\d{1,10}$/.test(own) ? Number(own) : header
    return Math.min((seconds ?? this.#options.maxExpiresMs / 1000) * 1000, this.#options.maxExpiresMs)
  }

  #bind(naming: Naming, { contact, ms }: Wish, old: Binding | undefined): void {
    const { clock, store } = this.#options
    const { flow, path, callId, cseq, userAgent, extension } = naming
    const expiresAtMs = clock.wallMs() + ms
    const uri = writtenUri(contact.uri)
    const id = old?.id ?? newId()
    const binding = this.#keep(
      extension,
      { id, contact, path, uri, flow, callId, cseq, userAgent, expiresAtMs },
      ms,
      old,
    )
    if (flow.transport === 'udp') store?.save(toKeep(binding, extension))
    else if (old) store?.remove(id)
  }

  #keep(extension: Extension, facts: BindingFacts, ms: number, old?: Binding): Binding {
    const { clock, bus } = this.#options
    const { number } = extension
    const timer = clock.after(ms, () => this.#remove(number, binding, 'expired'))
    const binding: Binding = new Binding(facts, timer)
    old?.timer.cancel()
    const others = this.#live(number).filter((other) => other !== old)
    const tooMany = others.slice(Math.max(0, extension.maxContacts - 1))
    for (const oldest of tooMany) this.#remove(number, oldest, 'replaced')
    this.#bindings.set(number, [binding, ...others.filter((other) => !tooMany.includes(other))])
    if (facts.flow.reliable) this.#look()
    const name = old ? 'registration.refreshed' : 'registration.added'
    bus.publish({ name, atMs: clock.wallMs(), ...registrationOf(number, binding) })
    return binding
  }

  #remove(extension: string, binding: Binding, reason: Removal): void {
    const left = this.#live(extension).filter((other) => other !== binding)
    if (left.length === 0) this.#bindings.delete(extension)
    else this.#bindings.set(extension, [...left])
    binding.timer.cancel()
    const { bus, clock, store } = this.#options
    store?.remove(binding.id)
    bus.publish({ name: 'registration.removed', atMs: clock.wallMs(), ...registrationOf(extension, binding), reason })
  }

  /** 200 with all bindings and what is left of each (§10.3 step 8). */
  #ok(incoming: IncomingRequest, extension: string, headers: ExtraHeaders = {}): void {
    const now = this.#options.clock.wallMs()
    const gruus = this.#gruusFor(incoming.request, extension)
    const contacts = this.#live(extension).map(
      (binding) =>
        `<${binding.uri}>;expires=${Math.max(0, Math.ceil((binding.expiresAtMs - now) / 1000))}` +
        deviceParams(binding.contact) +
        gruus(binding),
    )
    const date = new Date(now).toUTCString()
    incoming.respond(200, { headers: { Date: date, ...(contacts.length > 0 && { Contact: contacts }), ...headers } })
  }

  /**
   * RFC 5627 §5.2: what is added to the Contact of a device, for who knows GRUUs. It becomes the Contact of its calls,
   * so a device behind a proxy gets none: the proxy would send what is for the device back to us.
   */
  #gruusFor(request: SipRequest, extension: string): (binding: Binding) => string {
    const uri = requestUriOf(request)
    const isDirect = vias(request)?.length === 1 && !request.headers.has('Path')
    if (!uri || !isDirect || !optionTags(request, 'Supported').includes('gruu')) return () => ''
    const at = { host: uri.host, ...(uri.port !== undefined && { port: uri.port }) }
    return ({ contact, callId }) => {
      const instance = instanceOf(contact)
      if (instance === undefined) return ''
      const open = this.#gruus.publicFor({ extension, instance }, at)
      const hidden = this.#gruus.temporaryFor({ extension, instance, registration: registrationId(callId) }, at)
      return `;pub-gruu="${open}";temp-gruu="${hidden}"`
    }
  }
}
