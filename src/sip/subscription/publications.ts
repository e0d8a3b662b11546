/**
 * What others publish here: kept under an entity tag until it expires, is changed, or is taken back.
 *
 *   user-agent  ── PUBLISH ─▶  here  ── changed, of ─▶  who composes the state of a resource
 *
 * RFC 3903 §6. Who may publish at all the guard has decided. Bounded per resource and in all.
 */
import type { Timer } from '../../core/clock.ts'
import { randomHex } from '../../core/random.ts'
import type { Context } from '../dialog/context.ts'
import { ReceivedRequest } from '../dialog/incoming-request.ts'
import { createResponse } from '../message/build.ts'
import { contentTypeOf } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import type { ExtraHeaders } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import { readEvent } from './event.ts'
import { termFor, usualTerms } from './term.ts'
import type { PublicationRules, Publications } from './types.ts'

/** Judgement: a person has a few devices that publish. */
const maxPerResource = 10
const maxInAll = 20_000

interface Published<Value> {
  readonly resource: string
  readonly value: Value
  readonly expiry: Timer
}

interface Store {
  receive(request: SipRequest, flow: WireFlow): void
  close(): void
}

type Refuse = (status: number, headers?: ExtraHeaders) => void

/** All packages for which something may be published. */
export class PublicationDesk {
  readonly #context: Context
  readonly #stores = new Map<string, Store>()

  constructor(context: Context) {
    this.#context = context
  }

  /** Take publications of this package from now on. */
  take<Value>(rules: PublicationRules<Value>): Publications<Value> {
    const store = new PublicationStore(this.#context, rules)
    this.#stores.set(rules.name, store)
    return store
  }

  readonly receive = (request: SipRequest, flow: WireFlow): void => {
    const store = this.#stores.get(readEvent(request)?.name ?? '')
    if (store) return store.receive(request, flow)
    const headers = { 'Allow-Events': [...this.#stores.keys()].join(', ') }
    this.#context.transactions.respondStateless(
      request,
      createResponse(request, 489, { toTag: randomHex(8), headers }),
      flow,
    )
  }

  /** Forget everything, silently. */
  close(): void {
    for (const store of this.#stores.values()) store.close()
  }
}

/** One package. */
class PublicationStore<Value> implements Publications<Value>, Store {
  readonly #context: Context
  readonly #rules: PublicationRules<Value>
  /** By entity tag, oldest first. */
  readonly #published = new Map<string, Published<Value>>()
  /** Tags of a resource, oldest first. */
  readonly #tags = new Map<string, string[]>()

  constructor(context: Context, rules: PublicationRules<Value>) {
    this.#context = context
    this.#rules = rules
  }

  of(resource: string): readonly Value[] {
    const values = (this.#tags.get(resource) ?? []).flatMap((tag) => this.#published.get(tag)?.value ?? [])
    return values.toReversed()
  }

  drop(resource: string): void {
    for (const tag of Array.from(this.#tags.get(resource) ?? [])) this.#remove(tag)
  }

  receive(request: SipRequest, flow: WireFlow): void {
    const { contentType, terms = usualTerms, admit, read } = this.#rules
    const refuse: Refuse = (status, headers = {}) =>
      this.#context.transactions.respondStateless(
        request,
        createResponse(request, status, { toTag: randomHex(8), headers }),
        flow,
      )
    const admission = admit(request, flow)
    if ('status' in admission) return refuse(admission.status, admission.headers)
    const { resource } = admission
    const tag = request.headers.get('SIP-If-Match')?.trim()
    const old = tag === undefined ? undefined : this.#published.get(tag)
    if (tag !== undefined && old?.resource !== resource) return refuse(412)
    const termS = termFor(request, terms)
    if (termS === undefined) return refuse(423, { 'Min-Expires': String(terms.min) })
    if (request.body.length > 0 && contentTypeOf(request)?.type !== contentType)
      return refuse(415, { Accept: contentType })
    const value = request.body.length > 0 ? read(request.body) : old?.value
    if (value === undefined) return refuse(400)
    if (!old && this.#published.size >= maxInAll) return refuse(503, { 'Retry-After': '300' })
    const next = this.#keep(resource, value, termS, tag)
    const transaction = this.#context.transactions.open(request, flow)
    new ReceivedRequest({ context: this.#context, request, flow, transaction, toTag: randomHex(8) }).respond(200, {
      headers: { Expires: String(termS), 'SIP-ETag': next },
    })
    if (request.body.length > 0 || termS === 0) this.#rules.changed(resource)
  }

  close(): void {
    for (const { expiry } of this.#published.values()) expiry.cancel()
    this.#published.clear()
    this.#tags.clear()
  }

  /** Put it in the place of what had the old tag. @returns Its own tag, which is new each time (§6 step 6). */
  #keep(resource: string, value: Value, termS: number, old: string | undefined): string {
    const tag = randomHex(8)
    if (old !== undefined) this.#forget(old)
    if (termS === 0) return tag
    const expiry = this.#context.clock.after(termS * 1_000, () => this.#remove(tag))
    this.#published.set(tag, { resource, value, expiry })
    const tags = [...(this.#tags.get(resource) ?? []), tag]
    this.#tags.set(resource, tags)
    for (const oldest of tags.slice(0, -maxPerResource)) this.#forget(oldest)
    return tag
  }

  #remove(tag: string): void {
    const resource = this.#published.get(tag)?.resource
    this.#forget(tag)
    if (resource !== undefined) this.#rules.changed(resource)
  }

  #forget(tag: string): void {
    const published = this.#published.get(tag)
    if (!published) return
    published.expiry.cancel()
    this.#published.delete(tag)
    const left = (this.#tags.get(published.resource) ?? []).filter((other) => other !== tag)
    if (left.length > 0) this.#tags.set(published.resource, left)
    else this.#tags.delete(published.resource)
  }
}
