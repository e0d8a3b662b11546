/**
 * All subscriptions to what this stack tells of: lets them in, bounds them, finds whom a change concerns.
 *
 *   user-agent  ── SUBSCRIBE ─▶  here  ── GrantedSubscription ─▶  NOTIFY
 *   pbx/        ── changed ───▶
 *
 * Who may subscribe at all the guard has decided. RFC 6665 §4.2.1.
 */
import { randomHex } from '../../core/random.ts'
import { Tally } from '../../core/tally.ts'
import type { Context } from '../dialog/context.ts'
import { createResponse } from '../message/build.ts'
import { contactsOf, fromTag, requestUriOf } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import { printUri } from '../message/uri.ts'
import type { ExtraHeaders } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import { type EventName, readEvent } from './event.ts'
import { GrantedSubscription } from './granted.ts'
import { termFor, usualTerms } from './term.ts'
import type { Admission, EndReason, EventPackage, Notifier, SubscriptionLimits } from './types.ts'

/** Judgement: a desk with key modules watches a hundred others, all desks may stand behind one proxy. */
export const defaultSubscriptionLimits: SubscriptionLimits = { total: 20_000, perSource: 15_000, perSubscriber: 400 }

/** What the desk needs of a package, whatever its state is. */
interface Served {
  readonly events: Pick<EventPackage<unknown>, 'contentType' | 'terms' | 'admit'>
  grant(request: SipRequest, flow: WireFlow, event: EventName, whose: Whose, termS: number): void
}

type Whose = Extract<Admission, { readonly resource: string }>

export class NotifierDesk {
  readonly #context: Context
  readonly #limits: SubscriptionLimits
  readonly #packages = new Map<string, Served>()
  /** How many a source and a subscriber have. */
  readonly #counted = new Tally()
  #total = 0

  constructor(context: Context, limits: Partial<SubscriptionLimits> = {}) {
    this.#context = context
    this.#limits = { ...defaultSubscriptionLimits, ...limits }
  }

  /** Take subscriptions to this package from now on; one of the same name is replaced. */
  offer<State>(events: EventPackage<State>): Notifier {
    const living = new Living<State>()
    this.#packages.set(events.name, {
      events,
      grant: (request, flow, event, { resource, subscriber }, termS) => {
        const keys = [flow.remote.ip, `${events.name} ${subscriber}`]
        this.#counted.add(...keys)
        this.#total++
        const onEnd = (): void => {
          this.#counted.remove(...keys)
          this.#total--
          living.remove(granted)
        }
        const whole = { context: this.#context, events, event, resource, subscriber, onEnd }
        const names = { entity: entityOf(request), localTag: randomHex(8) }
        const granted: GrantedSubscription<State> = new GrantedSubscription({ ...whole, ...names }, request, flow)
        living.add(granted)
        granted.grant(request, flow, termS)
      },
    })
    return living
  }

  /** A SUBSCRIBE outside dialogs that the guard let in. */
  readonly receive = (request: SipRequest, flow: WireFlow): void => {
    const refuse = (status: number, headers: ExtraHeaders = {}): void => {
      const response = createResponse(request, status, { toTag: randomHex(8), headers })
      this.#context.transactions.respondStateless(request, response, flow)
    }
    const event = readEvent(request)
    const served = event && this.#packages.get(event.name)
    if (!served) return refuse(489, { 'Allow-Events': [...this.#packages.keys()].join(', ') })
    const { contentType, admit, terms = usualTerms } = served.events
    const contacts = contactsOf(request)
    if (!Array.isArray(contacts) || contacts.length !== 1 || fromTag(request) === undefined) return refuse(400)
    if (!accepts(request, contentType)) return refuse(406, { Accept: contentType })
    const termS = termFor(request, terms)
    if (termS === undefined) return refuse(423, { 'Min-Expires': String(terms.min) })
    const admission = admit(request, flow)
    if ('status' in admission) return refuse(admission.status, admission.headers)
    if (!this.#hasRoom(flow.remote.ip, `${event.name} ${admission.subscriber}`))
      return refuse(503, { 'Retry-After': '300' })
    served.grant(request, flow, event, admission, termS)
  }

  #hasRoom(source: string, subscriber: string): boolean {
    const { total, perSource, perSubscriber } = this.#limits
    const counted = this.#counted
    return this.#total < total && counted.of(source) < perSource && counted.of(subscriber) < perSubscriber
  }
}

/** The subscriptions to one package, by what they watch. */
class Living<State> implements Notifier {
  readonly #byResource = new Map<string, Set<GrantedSubscription<State>>>()
  #count = 0

  get count(): number {
    return this.#count
  }

  add(granted: GrantedSubscription<State>): void {
    const same = this.#byResource.get(granted.resource) ?? new Set()
    this.#byResource.set(granted.resource, same.add(granted))
    this.#count++
  }

  remove(granted: GrantedSubscription<State>): void {
    const same = this.#byResource.get(granted.resource)
    if (!same?.delete(granted)) return
    this.#count--
    if (same.size === 0) this.#byResource.delete(granted.resource)
  }

  changed(resource: string): void {
    for (const granted of this.#byResource.get(resource) ?? []) granted.changed()
  }

  end({ resource, subscriber }: { resource?: string; subscriber?: string }, reason: EndReason): void {
    const sets = resource === undefined ? [...this.#byResource.values()] : [this.#byResource.get(resource) ?? []]
    for (const set of sets)
      for (const granted of set) if (subscriber === undefined || granted.subscriber === subscriber) granted.end(reason)
  }

  watches(subscriber: string, resource: string): boolean {
    return [...(this.#byResource.get(resource) ?? [])].some((granted) => granted.subscriber === subscriber)
  }
}

/** RFC 3261 §20.1: without Accept the package's own type is meant (RFC 6665 §3.1.3). */
function accepts(request: SipRequest, contentType: string): boolean {
  const ranges = request.headers.all('Accept').map((value) => value.replace(/;.*$/s, '').trim().toLowerCase())
  const group = contentType.replace(/\/.*$/, '/*')
  return ranges.every((range) => range === '') || ranges.some((range) => [contentType, group, '*/*'].includes(range))
}

/** The Request-URI as a name: without what says how to get there. */
function entityOf(request: SipRequest): string {
  const uri = requestUriOf(request)
  return uri ? printUri({ ...uri, params: new Map(), headers: new Map() }) : request.uri
}
