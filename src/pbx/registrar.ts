/**
 * The registrar: which devices an extension is reached at (RFC 3261 §10.3).
 *
 *   device  ── REGISTER ─▶  here  ── bindings ─▶  dialplan
 *
 * Several contacts an extension. A binding is reached by the flow it registered on, so that a phone behind NAT or on a
 * TCP connection rings. Authentication has happened (Gatekeeper). Bindings live in memory: phones register again.
 * Missing: Path, GRUU; of RFC 5626 only the instance is read.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { endpointText } from '../core/ip.ts'
import type { FactBus } from '../events/bus.ts'
import type { FactOf, Registration } from '../events/catalogue.ts'
import { callIdOf, contactsOf, cseqOf, expiresOf, toOf } from '../sip/message/fields.ts'
import type { NameAddr } from '../sip/message/types.ts'
import { sameUri, writtenUri } from '../sip/message/uri.ts'
import type { Flow, IncomingRequest, Target } from '../sip/stack.types.ts'
import type { Extension } from './directory.ts'
import type { Registrations } from './registrations.ts'

interface Binding {
  readonly contact: NameAddr
  readonly uri: string
  readonly flow: Flow
  readonly callId: string
  readonly cseq: number
  readonly userAgent: string | undefined
  readonly expiresAtMs: number
  readonly timer: Timer
}

export interface RegistrarOptions {
  readonly clock: Clock
  readonly bus: FactBus
  readonly minExpiresMs: number
  readonly maxExpiresMs: number
}

type Removal = FactOf<'registration.removed'>['reason']

/** A REGISTER that names contacts. */
interface Naming {
  readonly flow: Flow
  readonly extension: Extension
  readonly contacts: readonly NameAddr[]
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
    const userAgent = request.headers.get('User-Agent')?.slice(0, 200)
    const naming = { flow: incoming.flow, extension, contacts, callId, cseq, userAgent }
    // A late copy of an older request must not undo a newer one, nor a part of it (§10.3 step 7).
    const bound = wishes.map((wish) => this.#boundBy(naming, wish))
    if (bound.some((old) => old && old.callId === callId && cseq <= old.cseq))
      return incoming.respond(500, { reason: 'Out Of Order' })
    for (const wish of wishes) this.#grant(naming, wish)
    this.#ok(incoming, extension.number)
  }

  #grant(naming: Naming, wish: Wish): void {
    const old = this.#boundBy(naming, wish)
    if (wish.ms > 0) this.#bind(naming, wish, old)
    else if (old) this.#remove(naming.extension.number, old, 'unregistered')
  }

  /** Where to send a call for this extension; newest device first. Closed connections are left out. */
  targets(extension: string): readonly Target[] {
    return this.#reachable(extension).map(({ uri, flow }) => ({ uri, flow }))
  }

  of(extension: string): readonly Registration[] {
    return this.#reachable(extension).map((binding) => registrationOf(extension, binding))
  }

  count(): number {
    return [...this.#bindings.keys()].reduce((sum, extension) => sum + this.#reachable(extension).length, 0)
  }

  drop(extension: string): void {
    for (const binding of this.#live(extension)) this.#remove(extension, binding, 'removed')
  }

  /** Forget everything, silently: the server stops. */
  close(): void {
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
    const { clock, bus } = this.#options
    const { flow, callId, cseq, userAgent, extension } = naming
    const { number } = extension
    const binding: Binding = {
      contact,
      uri: writtenUri(contact.uri),
      flow,
      callId,
      cseq,
      userAgent,
      expiresAtMs: clock.wallMs() + ms,
      timer: clock.after(ms, () => this.#remove(number, binding, 'expired')),
    }
    old?.timer.cancel()
    const others = this.#live(number).filter((other) => other !== old)
    const tooMany = others.slice(Math.max(0, extension.maxContacts - 1))
    for (const oldest of tooMany) this.#remove(number, oldest, 'replaced')
    this.#bindings.set(number, [binding, ...others.filter((other) => !tooMany.includes(other))])
    const name = old ? 'registration.refreshed' : 'registration.added'
    bus.publish({ name, atMs: clock.wallMs(), ...registrationOf(number, binding) })
  }

  #remove(extension: string, binding: Binding, reason: Removal): void {
    const left = this.#live(extension).filter((other) => other !== binding)
    if (left.length === 0) this.#bindings.delete(extension)
    else this.#bindings.set(extension, [...left])
    binding.timer.cancel()
    const { bus, clock } = this.#options
    bus.publish({ name: 'registration.removed', atMs: clock.wallMs(), ...registrationOf(extension, binding), reason })
  }

  /** 200 with all bindings and what is left of each (§10.3 step 8). */
  #ok(incoming: IncomingRequest, extension: string): void {
    const now = this.#options.clock.wallMs()
    const contacts = this.#live(extension).map(
      ({ uri, expiresAtMs }) => `<${uri}>;expires=${Math.max(0, Math.ceil((expiresAtMs - now) / 1000))}`,
    )
    incoming.respond(200, {
      headers: { Date: new Date(now).toUTCString(), ...(contacts.length > 0 && { Contact: contacts }) },
    })
  }
}

/** `+sip.instance` with `reg-id`: one flow of one device (RFC 5626 §4.1, §4.2). */
function deviceOf({ params }: NameAddr): string | undefined {
  const instance = params.get('+sip.instance')
  return instance ? `${instance.toLowerCase()} ${params.get('reg-id') ?? ''}` : undefined
}

const registrationOf = (extension: string, binding: Binding): Registration => ({
  extension,
  contact: binding.uri,
  source: endpointText(binding.flow.remote.ip, binding.flow.remote.port),
  transport: binding.flow.transport,
  ...(binding.userAgent !== undefined && { userAgent: binding.userAgent }),
  expiresAtMs: binding.expiresAtMs,
})
