/**
 * Puts the SIP stack together: sockets, transactions, dialogs.
 *
 *   net/ ─▶ transport ─▶ transaction ─▶ dialog ─▶ the platform (stack.types.ts)
 *
 * `request` events and `invite` events must be answered by whoever listens; see stack.types.ts.
 */
import { type Clock, systemClock } from '../core/clock.ts'
import { Emitter } from '../core/emitter.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import { dnsClient } from '../net/dns-client.ts'
import { hostNetwork } from '../net/host-network.ts'
import type { Network } from '../net/network.ts'
import { addressResolver, hostResolver, type Resolver } from '../net/resolver.ts'
import type { TlsIdentity } from '../net/tls-identity.ts'
import { SentRegistration } from './client/registration.ts'
import type { Context, Guard } from './dialog/context.ts'
import { SipDialog } from './dialog/dialog.ts'
import { DialogTable } from './dialog/dialog-table.ts'
import { SipError } from './dialog/failures.ts'
import { SentInvite } from './dialog/outgoing-invite.ts'
import { sendRequest } from './dialog/outgoing-request.ts'
import { recommendedTerms, type SessionTerms } from './dialog/session-timer.ts'
import { restoredSetup } from './dialog/snapshot.ts'
import { UserAgent } from './dialog/user-agent.ts'
import { contactFor } from './dialog/write.ts'
import { parseUri } from './message/uri.ts'
import type { MessageObserver, Screen, SipStack, SipStackEvents } from './stack.types.ts'
import { EventSide } from './subscription/event-side.ts'
import type { SubscriptionLimits } from './subscription/types.ts'
import { Transactions } from './transaction/transactions.ts'
import type { TransportLimits } from './transport/connections.ts'
import { newCounters, type SipCounters } from './transport/counters.ts'
import { lineEnds } from './transport/keep-alive.ts'
import type { ListenAddress } from './transport/listen.ts'
import { SipTransport, type TransportUser } from './transport/transport.ts'

export interface SipStackOptions {
  /** The host's unless given. */
  readonly clock?: Clock
  /** None unless given. */
  readonly log?: Logger
  /** Port 0 picks a free one; UDP and TCP entries with port 0 on one IP get the same number. */
  readonly listen: readonly ListenAddress[]
  /** Our certificate and the authorities we believe. Needed to listen for TLS. */
  readonly tls?: TlsIdentity
  /** Our IP as that peer sees it, for Via and Contact; the socket's own unless given, and where this says undefined. */
  readonly advertisedIp?: (remoteIp: string) => string | undefined
  readonly userAgent?: string
  /** Option tags a peer may require of us: `siprec`. */
  readonly supported?: readonly string[]
  /** Session timers (RFC 4028): 1800 s and at least 90 s unless given. */
  readonly session?: SessionTerms
  /** Methods told in Allow. */
  readonly allow?: readonly string[]
  readonly guard?: Guard
  readonly screen?: Screen
  readonly observe?: MessageObserver
  /** Of the URL of WebSockets that we open; `/` unless given. */
  readonly webSocketPath?: string
  readonly limits?: Partial<TransportLimits>
  /** Of those who subscribe to what is ours. */
  readonly subscriptionLimits?: Partial<SubscriptionLimits>
  /** The host's unless given. */
  readonly network?: Network
  /** DNS: the host's with the host's network, else the addresses that the network knows. */
  readonly resolver?: Resolver
}

/** The stack with what it counted, for metrics. */
export interface CountedSipStack extends SipStack {
  readonly counters: Readonly<SipCounters>
}

const defaultAllow = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'PRACK',
  'OPTIONS',
  'INFO',
  'UPDATE',
  'MESSAGE',
  'NOTIFY',
  'REFER',
]

/** Extensions the stack takes care of by itself. */
const ownTags = ['timer', '100rel']

/** @throws {SipError} `sip.cannot-listen`, with the host's error as cause. */
export async function createSipStack(options: SipStackOptions): Promise<CountedSipStack> {
  const { clock = systemClock, log = silentLogger } = options
  const counters = newCounters()
  const events = new Emitter<SipStackEvents>()
  events.onListenerError = (error) => log.error('A listener of SIP requests failed', { error: String(error) })
  // What comes while the last socket is being bound finds no transactions yet, and is sent again by its sender.
  let transactions: Transactions | undefined
  const transport = await openTransport({ ...options, clock, log }, counters, {
    request: (request, flow) => transactions?.receiveRequest(request, flow),
    response: (response) => transactions?.receiveResponse(response),
  })
  const agent = new UserAgent(() => context, events, options.guard ?? (() => 'pass'))
  transactions = new Transactions({ clock, transport, counters, user: agent })
  const { userAgent, allow = defaultAllow, session = recommendedTerms, guard } = options
  const supported = [...(options.supported ?? []), ...ownTags]
  const identity = { allow, supported, session, ...(userAgent !== undefined && { userAgent }) }
  const dialogs = new DialogTable()
  const context: Context = {
    clock,
    log,
    transport,
    transactions,
    dialogs,
    counters,
    identity,
    guard,
    services: new Map(),
  }
  return facade(context, events, new EventSide(context, options.subscriptionLimits))
}

const hostDns = (clock: Clock): Resolver =>
  hostResolver({ network: hostNetwork, ask: dnsClient({ network: hostNetwork, clock }) })

async function openTransport(
  options: SipStackOptions & { readonly clock: Clock; readonly log: Logger },
  counters: SipCounters,
  user: TransportUser,
): Promise<SipTransport> {
  const { network = hostNetwork } = options
  const { resolver = network === hostNetwork ? hostDns(options.clock) : addressResolver(network) } = options
  try {
    return await SipTransport.open({ ...options, network, resolver, counters }, user)
  } catch (error) {
    throw new SipError('sip.cannot-listen', { cause: error })
  }
}

function facade(context: Context, events: Emitter<SipStackEvents>, eventSide: EventSide): CountedSipStack {
  const { transport, transactions, dialogs, counters } = context
  const registrations = new Set<SentRegistration>()
  return {
    counters,
    listening: transport.listening,
    on: (name, listener) => events.on(name, listener),
    request: (method, request) => sendRequest(context, method, request),
    message: (message) => sendRequest(context, 'MESSAGE', message),
    subscribe: (subscribe) => eventSide.subscribe(subscribe),
    notifier: (told) => eventSide.notifier(told),
    refer: (refer) => eventSide.refer(refer),
    publish: (publish) => eventSide.publish(publish),
    publications: (rules) => eventSide.publications(rules),
    invite: (invite) => new SentInvite(context, invite),
    register(options) {
      const registration = new SentRegistration(context, options)
      if (registration.state.is === 'closed') return registration
      registrations.add(registration)
      registration.on('changed', ({ is }) => {
        if (is === 'closed') registrations.delete(registration)
      })
      return registration
    },
    ping: (flow) => transport.ours(flow)?.send(lineEnds),
    keepAlive(flow, keeping) {
      const ours = transport.ours(flow)
      if (ours) return transport.keepAlive(ours, keeping)
      queueMicrotask(() => keeping.failed?.('closed'))
      return () => {}
    },
    locate: async (uri) => {
      const parsed = parseUri(uri)
      return parsed ? transport.resolve(parsed) : []
    },
    contact: (flow, user) => contactFor(context, flow, user),
    snapshot: (dialog) => (dialog instanceof SipDialog ? dialog.snapshot : undefined),
    takeUp(snapshot) {
      const setup = dialogs.get(snapshot.id) ? undefined : restoredSetup(context, snapshot)
      return setup && new SipDialog(setup, undefined, snapshot.session)
    },
    counts: () => ({
      dialogs: dialogs.size,
      transactions: transactions.count,
      connections: transport.connectionCount,
    }),
    async close() {
      for (const registration of Array.from(registrations)) registration.drop()
      eventSide.close()
      dialogs.close()
      transactions.close()
      await transport.close()
    },
  }
}
