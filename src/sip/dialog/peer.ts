/**
 * The other side of a dialog: where it is, how requests to it are written and numbered, which of its requests are in order.
 *
 *   SipDialog  ── method, payload ─▶  here  ── Exchange ─▶  transaction
 *              ◀── final response ──
 *
 * Holds the state of RFC 3261 §12: identity, route set, remote target, sequence numbers, and the flow to use next.
 * What requests and answers mean for a call or a subscription is for who owns it.
 */
import type { Timer } from '../../core/clock.ts'
import { createResponse } from '../message/build.ts'
import { parseNameAddr } from '../message/name-addr.ts'
import { detached } from '../message/scan.ts'
import type { NameAddr, SipMessage, SipRequest, SipResponse, SipUri } from '../message/types.ts'
import { writtenUri } from '../message/uri.ts'
import type { DialogId, DialogSnapshot, Flow, Payload } from '../stack.types.ts'
import { timerCMs } from '../transaction/timers.ts'
import type { ClientFailure } from '../transaction/types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { DialogSetup } from './dialog-setup.ts'
import { Exchange } from './exchange.ts'
import { addressed, type DialogPath, mayComeFrom, nextWay, routeSetOf } from './route.ts'
import { keptFlow } from './snapshot.ts'
import type { Way } from './target.ts'
import { contactFor, localResponse, writeRequest } from './write.ts'

/** A final response, and why it was made here when nobody sent it. */
export interface Reply {
  readonly response: SipResponse
  readonly failure?: ClientFailure | undefined
}

export interface AskOptions {
  /** Asked when the way is known: false answers 481 without sending anything. */
  readonly wanted: () => boolean
  /** Hears each 2xx, of which an INVITE may have several, with the request as it was sent. */
  readonly accepted?: (request: SipRequest, response: SipResponse) => void
}

/** Requests that tell the other side where we are now (§12.2.1.1, RFC 6665 §4.4.1). */
const withContact = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'])

export class DialogPeer {
  readonly id: DialogId
  readonly #setup: DialogSetup
  #flow: Flow
  #routeSet: readonly string[]
  #target: SipUri
  /** Ends a re-INVITE that is under way. */
  #giveUp: (() => void) | undefined
  #localSeq: number
  #remoteSeq: number
  /** Behind our Contact: feature tags (RFC 3840). */
  #contactParams: string

  constructor(setup: DialogSetup) {
    this.#setup = setup
    this.id = setup.id
    this.#flow = setup.flow
    this.#routeSet = setup.routeSet
    this.#target = setup.remoteTarget
    this.#localSeq = setup.localSeq
    this.#remoteSeq = setup.remoteSeq ?? -1
    this.#contactParams = setup.contactParams ?? ''
  }

  /** From and To are rarely looked at: they stay text. */
  get local(): NameAddr {
    return this.#read(this.#setup.local)
  }

  get remote(): NameAddr {
    return this.#read(this.#setup.remote)
  }

  get flow(): Flow {
    return this.#flow
  }

  get target(): SipUri {
    return this.#target
  }

  /** All that is known of the other side, as plain data. */
  get snapshot(): Omit<DialogSnapshot, 'session'> {
    const { side, local, remote, stay, contactUser } = this.#setup
    const contactParams = this.#contactParams
    return {
      side,
      id: { ...this.id },
      flow: keptFlow(this.#flow),
      local,
      remote,
      remoteTarget: writtenUri(this.#target),
      routeSet: [...this.#routeSet],
      localSeq: this.#localSeq,
      remoteSeq: this.#remoteSeq,
      stay,
      ...(contactUser !== undefined && { contactUser }),
      ...(contactParams !== '' && { contactParams }),
    }
  }

  /** True when the address belongs to the peer, as far as the dialog knows. */
  knows(ip: string): boolean {
    return mayComeFrom(this.#path, ip)
  }

  /** True when the number was used before (§12.2.2); an equal one is a copy that took another path. */
  isOld(seq: number): boolean {
    return seq <= this.#remoteSeq
  }

  /** A request of theirs with this number is being served, and came this way. */
  served(seq: number, flow: Flow): void {
    this.#remoteSeq = seq
    this.#flow = flow
  }

  /** What we said of ourselves behind our Contact, in an answer: our requests say it too. */
  announced({ headers }: SipMessage): void {
    const [, params] = /^[^<]*<[^>]*>(;.*)$/.exec(headers.get('Contact') ?? '') ?? []
    if (params !== undefined) this.#contactParams = detached(params)
  }

  /** §13.2.2.4: the 2xx decides on the route; what the provisional answers said is forgotten. */
  confirm(response: SipResponse): void {
    this.#routeSet = routeSetOf(response, 'caller')
    this.refreshTarget(response)
  }

  /** §12.2.1.2, §12.2.2: a new Contact is where the peer is now. */
  refreshTarget(message: SipMessage): void {
    const contact = parseNameAddr(detached(message.headers.get('Contact') ?? ''))
    if (contact) this.#target = contact.uri
  }

  /**
   * A request from an address that is not the peer's: a phone that went from one network to another, a carrier with
   * several servers, or a forger who overheard the call. Whoever the guard lets in is the peer; else the request is answered here.
   */
  vouched(request: SipRequest, flow: WireFlow): boolean {
    const { guard, counters, transactions } = this.#setup.context
    const verdict = guard ? guard(request, flow) : ({ status: 481 } as const)
    if (verdict === 'pass') return true
    counters.foreignInDialog++
    if (verdict !== 'drop')
      transactions.respondStateless(
        request,
        createResponse(request, verdict.status, { headers: verdict.headers ?? {} }),
        flow,
      )
    return false
  }

  /** Send a request and wait. Never rejects: what did not come is made here. */
  async ask(method: string, payload: Payload, { wanted, accepted }: AskOptions): Promise<Reply> {
    const next = this.#nextWay()
    const way = next instanceof Promise ? await next : next
    const { context, credentials, stay } = this.#setup
    const request = this.write(method, ++this.#localSeq, payload)
    if (!wanted()) return { response: localResponse(request, 481) }
    if (!way) return { response: localResponse(request, 503), failure: 'transport' }
    return new Promise((resolve) => {
      const elsewhere = (retryAfterMs?: number) => way.fail(retryAfterMs)
      const options = { request, flow: way.flow, fixed: stay, nextSeq: () => ++this.#localSeq, credentials, elsewhere }
      let patience: Timer | undefined
      const exchange = new Exchange(context, options, {
        provisional: () => {
          patience?.cancel()
          if (method === 'INVITE') patience = context.clock.after(timerCMs, () => giveUp(408, 'timeout'))
        },
        final: (response, failure) => {
          patience?.cancel()
          if (method === 'INVITE') this.#giveUp = undefined
          if (response.status < 300) accepted?.(exchange.request, response)
          resolve({ response, failure })
        },
      })
      const giveUp = (status: number, failure?: ClientFailure): void => {
        patience?.cancel()
        exchange.stop()
        resolve({ response: localResponse(request, status), failure })
      }
      if (method === 'INVITE') this.#giveUp = () => giveUp(487)
    })
  }

  /** The dialog is gone: nobody will answer a re-INVITE of ours any more, which alone has no end of its own once it rang. */
  forget(): void {
    this.#giveUp?.()
    this.#giveUp = undefined
  }

  /** A request of this dialog, without Via. */
  write(method: string, seq: number, payload: Payload): SipRequest {
    const { context, local, remote, contactUser } = this.#setup
    const contactParams = this.#contactParams
    const { uri, routes } = addressed(this.#routeSet, this.#target)
    return writeRequest(context.identity, {
      method,
      uri,
      from: local,
      to: remote,
      callId: this.id.callId,
      seq,
      routes,
      payload,
      ...(withContact.has(method) && { contact: contactFor(context, this.#flow, contactUser, uri) + contactParams }),
    })
  }

  /** Where an ACK goes, which nobody answers. */
  nextFlow(): WireFlow | undefined | Promise<WireFlow | undefined> {
    const way = this.#nextWay()
    return way instanceof Promise ? way.then((found) => found?.flow) : way?.flow
  }

  #nextWay(): Way | undefined | Promise<Way | undefined> {
    return nextWay(this.#setup.context.transport, this.#path)
  }

  get #path(): DialogPath {
    const { stay } = this.#setup
    return { flow: this.#flow, routeSet: this.#routeSet, stay, target: this.#target }
  }

  #read(text: string): NameAddr {
    return parseNameAddr(text) ?? { uri: this.#setup.remoteTarget, params: new Map() }
  }
}
