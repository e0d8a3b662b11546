/**
 * All transactions of the stack: finds the one a message belongs to, makes new ones, forgets ended ones.
 *
 *   transport  ── request, response ─▶  here  ── new request, ACK, CANCEL ─▶  dialog
 *              ◀──────── bytes ───────        ◀──── requests, responses ────
 *
 * A request that matches nothing is handed up before any state is made for it. RFC 3261 §17.1.3, §17.2.3, §8.2.2.2.
 */
import type { Clock } from '../../core/clock.ts'
import { randomHex } from '../../core/random.ts'
import { createResponse } from '../message/build.ts'
import { callIdOf } from '../message/fields.ts'
import { printMessage } from '../message/print.ts'
import { detached } from '../message/scan.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { SipCounters } from '../transport/counters.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { SipTransport } from '../transport/transport.ts'
import { InviteClient } from './invite-client.ts'
import { InviteServer } from './invite-server.ts'
import { answeredKey, clientKey, magicCookie, mergeKey, serverKey } from './key.ts'
import { NonInviteClient } from './non-invite-client.ts'
import { NonInviteServer } from './non-invite-server.ts'
import type { ClientUser, Outlet } from './types.ts'

/** What the user of an INVITE's server transaction hears besides its failures. */
export interface InviteUser {
  /** Our tag in the answers; the answer to a CANCEL carries it too (§9.2). */
  readonly toTag: string
  /** A CANCEL for this INVITE came and was answered. */
  cancelled(cancel: SipRequest): void
  failed(why: 'no-ack' | 'transport'): void
}

export interface TransactionsUser {
  /** A request that belongs to no transaction: no state has been made for it. Never ACK, never CANCEL. */
  request(request: SipRequest, flow: WireFlow): void
  /** An ACK that belongs to no transaction: it acknowledges a 2xx. */
  ack(request: SipRequest, flow: WireFlow): void
}

/** A request of ours that is under way. */
export interface ClientTransaction {
  readonly branch: string
  /** Forget it: nothing more is sent, nobody is told. */
  stop(): void
}

/** A request of theirs; a second final response is ignored. */
export interface ServerTransaction {
  respond(response: SipResponse): void
  stop(): void
}

interface OpenInvite {
  readonly machine: InviteServer
  user: InviteUser
  readonly flow: WireFlow
}

export interface TransactionsOptions {
  readonly clock: Clock
  readonly transport: SipTransport
  readonly counters: SipCounters
  readonly user: TransactionsUser
}

export class Transactions {
  readonly #clock: Clock
  readonly #transport: SipTransport
  readonly #counters: SipCounters
  readonly #user: TransactionsUser
  readonly #clients = new Map<string, InviteClient | NonInviteClient>()
  readonly #invites = new Map<string, OpenInvite>()
  readonly #others = new Map<string, NonInviteServer>()
  /** Requests outside dialogs that are being worked on, to tell copies over other paths (§8.2.2.2). */
  readonly #merged = new Set<string>()

  constructor(options: TransactionsOptions) {
    this.#clock = options.clock
    this.#transport = options.transport
    this.#counters = options.counters
    this.#user = options.user
  }

  get count(): number {
    return this.#clients.size + this.#invites.size + this.#others.size
  }

  /** Forget them all; who waits for an answer is told that none will come. */
  close(): void {
    for (const client of Array.from(this.#clients.values())) {
      client.transportFailed()
      client.stop()
    }
    for (const invite of Array.from(this.#invites.values())) invite.machine.stop()
    for (const server of Array.from(this.#others.values())) server.stop()
  }

  receiveResponse(response: SipResponse): void {
    const client = this.#clients.get(answeredKey(response) ?? '')
    if (client) client.receive(response)
    else this.#counters.unmatched++
  }

  receiveRequest(request: SipRequest, flow: WireFlow): void {
    const { method } = request
    const key = serverKey(request)
    if (method === 'INVITE' || method === 'ACK') {
      const invite = this.#invites.get(key)
      if (method === 'INVITE' && invite) return invite.machine.receive('INVITE')
      if (invite && invite.machine.state !== 'accepted') return invite.machine.receive('ACK')
      return method === 'ACK' ? this.#user.ack(request, flow) : this.#user.request(request, flow)
    }
    const known = this.#others.get(key)
    if (known) return known.receive()
    if (method === 'CANCEL') return this.#cancel(request, flow)
    this.#user.request(request, flow)
  }

  /** True while a copy of this request that came by another path is being worked on. */
  isMerged(request: SipRequest): boolean {
    return this.#merged.has(mergeKey(request))
  }

  /** Answer without keeping anything. */
  respondStateless(request: SipRequest, response: SipResponse, flow: WireFlow): void {
    this.#transport.respond(request, response, flow)
  }

  openInvite(request: SipRequest, flow: WireFlow, user: InviteUser): ServerTransaction {
    const key = detached(serverKey(request))
    const merged = this.#merge(request)
    const unwatch = flow.onClose(() => machine.transportFailed())
    const machine = new InviteServer({
      clock: this.#clock,
      flow: this.#outlet(this.#transport.responseFlow(request, flow), request),
      user: { failed: (why) => open.user.failed(why) },
      trying: tryingFor(request),
      onEnd: () => {
        unwatch()
        this.#merged.delete(merged)
        this.#invites.delete(key)
      },
    })
    const open: OpenInvite = { machine, user, flow }
    this.#invites.set(key, open)
    return {
      respond(response) {
        machine.respond(response.status, printMessage(response))
        if (machine.state === 'accepted') open.user = answered(open.user.toTag)
      },
      stop: () => machine.stop(),
    }
  }

  open(request: SipRequest, flow: WireFlow): ServerTransaction {
    const key = detached(serverKey(request))
    const merged = this.#merge(request)
    const unwatch = flow.onClose(() => machine.transportFailed())
    const machine = new NonInviteServer({
      clock: this.#clock,
      flow: this.#outlet(this.#transport.responseFlow(request, flow), request),
      onEnd: () => {
        unwatch()
        this.#merged.delete(merged)
        this.#others.delete(key)
      },
    })
    this.#others.set(key, machine)
    return { respond: (response) => machine.respond(kept(printMessage(response))), stop: () => machine.stop() }
  }

  /**
   * Send a request and hear its responses. Adds the Via on top.
   *
   * @param branch Given for a CANCEL only, which repeats its INVITE's (§9.1).
   */
  send(request: SipRequest, flow: WireFlow, user: ClientUser, branch = newBranch()): ClientTransaction {
    const { method, headers } = request
    headers.prepend('Via', this.#transport.via(flow, branch))
    this.#transport.expect(flow)
    const key = detached(clientKey(branch, method))
    const unwatch = flow.onClose(() => machine.transportFailed())
    const options = {
      clock: this.#clock,
      flow: this.#outlet(flow, request),
      user,
      request,
      onEnd: () => {
        unwatch()
        this.#clients.delete(key)
      },
    }
    const machine = method === 'INVITE' ? new InviteClient(options) : new NonInviteClient(options)
    this.#clients.set(key, machine)
    return { branch, stop: () => machine.stop() }
  }

  /** Send an ACK to a 2xx: it is no transaction. Returns how to send it once more. */
  sendAck(ack: SipRequest, flow: WireFlow): () => void {
    ack.headers.prepend('Via', this.#transport.via(flow, newBranch()))
    const bytes = kept(printMessage(ack))
    const callId = detached(callIdOf(ack) ?? '')
    const send = (): void => this.#transport.send(flow, bytes, callId)
    send()
    return send
  }

  /** §9.2. Only who sent the INVITE may cancel it: the branch is hard to guess, the address is checked as well. */
  #cancel(request: SipRequest, flow: WireFlow): void {
    const invite = this.#invites.get(serverKey(request, 'INVITE'))
    if (!invite || invite.flow.remote.ip !== flow.remote.ip) {
      this.#counters.unknownDialog++
      return this.respondStateless(request, createResponse(request, 481, { toTag: randomHex(4) }), flow)
    }
    this.open(request, flow).respond(createResponse(request, 200, { toTag: invite.user.toTag }))
    invite.user.cancelled(request)
  }

  #merge(request: SipRequest): string {
    const key = detached(mergeKey(request))
    this.#merged.add(key)
    return key
  }

  #outlet(flow: WireFlow, request: SipRequest): Outlet {
    return new FlowOutlet(this.#transport, flow, detached(callIdOf(request) ?? ''))
  }
}

/** Where the messages of one transaction go. */
class FlowOutlet implements Outlet {
  readonly #transport: SipTransport
  readonly #flow: WireFlow
  readonly #callId: string

  constructor(transport: SipTransport, flow: WireFlow, callId: string) {
    this.#transport = transport
    this.#flow = flow
    this.#callId = callId
  }

  get reliable(): boolean {
    return this.#flow.reliable
  }

  send(bytes: Uint8Array, failed?: () => void): void {
    this.#transport.send(this.#flow, bytes, this.#callId, failed)
  }
}

/** In memory of their own: what is printed lies in larger blocks, and a block lives as long as any of its messages. */
const kept = (bytes: Buffer): Uint8Array => new Uint8Array(bytes)

const nothing = (): void => {}

/** An INVITE that was answered lingers for its copies: the call itself must not stay in memory with it. */
const answered = (toTag: string): InviteUser => ({ toTag, cancelled: nothing, failed: nothing })

/** Apart, so that a transaction that lingers does not keep its request in memory. */
const tryingFor = (request: SipRequest) => (): Uint8Array => printMessage(createResponse(request, 100))

const newBranch = (): string => magicCookie + randomHex(12)
