/**
 * Bytes to messages and back: the sockets of the stack, who may use them, and what our own address is.
 *
 *   net/  ── bytes ──────▶  here  ── request, response ─▶  transaction
 *         ◀─ datagrams ──         ◀── bytes for a flow ──
 *
 * A datagram leaves nothing behind here; connections are counted, bounded and watched. RFC 3261 §18, RFC 3581.
 */
import type { Clock } from '../../core/clock.ts'
import { hostText, isIP, isIPv6, isWildcardIp } from '../../core/ip.ts'
import type { Logger } from '../../core/logger.ts'
import type { Endpoint, Network, UdpSocket } from '../../net/network.ts'
import { CachingResolver, type Resolver } from '../../net/resolver.ts'
import { answerBinding, isStun } from '../../net/stun-message.ts'
import type { TlsIdentity } from '../../net/tls-identity.ts'
import { createResponse } from '../message/build.ts'
import { callIdOf } from '../message/fields.ts'
import { type ParseProblem, parseMessage } from '../message/parse.ts'
import { printedBytes, printMessage } from '../message/print.ts'
import type { SipMessage, SipRequest, SipResponse, SipUri } from '../message/types.ts'
import type { Address, Flow, KeepAliveOptions, MessageObserver, Screen, TransportName } from '../stack.types.ts'
import { Connections, defaultLimits, hopKey, type TransportLimits } from './connections.ts'
import type { SipCounters } from './counters.ts'
import { UdpFlow, type WireFlow } from './flow.ts'
import { keepAlive, StunAnswers } from './keep-alive.ts'
import { type Bound, bindAll, type ListenAddress, unbind } from './listen.ts'
import { type Hop, locate } from './locate.ts'
import { hopOf } from './next-hop.ts'
import { noteSource, responseFlow } from './response-path.ts'
import { Resting } from './resting.ts'
import { TcpFlow } from './tcp-flow.ts'

/** RFC 3261 §18.1.1: beyond this a datagram may be cut into pieces, which firewalls and NATs lose. */
const maxDatagramBytes = 1_300
/** Of what is no SIP message so much is shown to whoever observes: the beginning tells what it should have been. */
const maxNoiseBytes = 4_096
/** Room for the Via that is added when the request is sent. */
const viaBytes = 100
const noTcpMs = 300_000

export interface TransportUser {
  request(request: SipRequest, flow: WireFlow): void
  response(response: SipResponse, flow: WireFlow): void
}

export interface TransportOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly network: Network
  readonly resolver: Resolver
  readonly listen: readonly ListenAddress[]
  /** Our certificate and whom we believe; needed to listen for TLS, of use to connect by it. */
  readonly tls?: TlsIdentity
  /** Our address as that peer sees it; undefined, or not given: the address of the socket. */
  readonly advertisedIp?: (remoteIp: string) => string | undefined
  readonly observe?: MessageObserver
  readonly screen?: Screen
  /** Of the URL of WebSockets that we open; `/` unless given. */
  readonly webSocketPath?: string
  readonly limits?: Partial<TransportLimits>
  readonly counters: SipCounters
}

export class SipTransport {
  readonly #options: TransportOptions
  readonly #user: TransportUser
  readonly #connections: Connections
  readonly #stunAnswers = new StunAnswers()
  readonly #dns: Resolver
  /** Hops that failed a short while ago. */
  readonly #resting: Resting
  /** Where a connection for a large request was refused. */
  readonly #noTcp: Resting
  #bound: readonly Bound[] = []
  #closed = false

  private constructor(options: TransportOptions, user: TransportUser) {
    this.#options = options
    this.#user = user
    const limits = { ...defaultLimits, ...options.limits }
    this.#connections = new Connections(
      { ...options, limits },
      {
        // Who sends too much over a connection hears so by its end.
        message: (bytes, flow) =>
          this.#mayRead(flow.transport, flow.remote) ? this.#message(bytes, flow) : flow.close(),
        unframed: (_problem, head, flow) => this.#unframed(head, flow),
      },
    )
    this.#dns = new CachingResolver(options.clock, options.resolver)
    this.#resting = new Resting(options.clock)
    this.#noTcp = new Resting(options.clock)
  }

  /** Bind all addresses. Rejects with the host's error when one of them cannot be had. */
  static async open(options: TransportOptions, user: TransportUser): Promise<SipTransport> {
    const transport = new SipTransport(options, user)
    transport.#bound = await bindAll(options, {
      datagram: (bytes, from, socket) => transport.#datagram(bytes, from, socket),
      accepted: (connection, name) => transport.#connections.accept(connection, name),
    })
    return transport
  }

  get listening(): readonly Hop[] {
    return this.#bound.map(({ transport, local }) => ({ transport, ip: local.ip, port: local.port }))
  }

  get connectionCount(): number {
    return this.#connections.count
  }

  /** Stop listening, close every connection. */
  async close(): Promise<void> {
    this.#closed = true
    this.#connections.close()
    await Promise.all(this.#bound.map(unbind))
  }

  send(flow: WireFlow, bytes: Uint8Array, callId: string, failed?: () => void): void {
    this.#options.counters.messagesOut++
    this.#observe('out', flow, bytes, callId)
    flow.send(bytes, (error) => {
      this.#options.counters.sendFailures++
      this.#options.log.debug('A SIP message could not be sent', { flow: flow.id, reason: error.message })
      failed?.()
    })
  }

  /** Answer without keeping anything. */
  respond(request: SipRequest, response: SipResponse, flow: WireFlow): void {
    this.send(this.responseFlow(request, flow), printMessage(response), callIdOf(request) ?? '')
  }

  /** The flow on which the responses to a request leave (§18.2.2). */
  responseFlow(request: SipRequest, flow: WireFlow): WireFlow {
    return responseFlow(request, flow, (to) => this.#udpFlow(to, flow.local) ?? flow)
  }

  /** Where a URI leads, best first: a numeric host at once, a name after asking DNS. Empty when it leads nowhere. */
  resolve(uri: SipUri): readonly Hop[] | Promise<readonly Hop[]> {
    const direct = hopOf(uri)
    if (!direct) return []
    const { transport, host, port } = direct
    return isIP(host) ? [{ transport, ip: host, port }] : this.#locate(uri)
  }

  /** That server did not serve: others are tried before it for a while. @param ms As it asked for in Retry-After. */
  rest(hop: Hop, ms?: number): void {
    this.#resting.rest(hopKey(hop), ms)
  }

  /** It did not serve a short while ago. */
  isResting(hop: Hop): boolean {
    return this.#resting.has(hopKey(hop))
  }

  /** An open flow to that address, a new connection if there is none; undefined for a transport we do not have. */
  flowTo(hop: Hop): WireFlow | undefined {
    if (this.#closed) return undefined
    if (hop.transport === 'udp') return this.#udpFlow({ ip: hop.ip, port: hop.port })
    return this.#connections.to(hop, hop.transport)
  }

  /** The request would not fit in one datagram of that flow (§18.1.1). */
  exceedsDatagram(flow: WireFlow, request: SipRequest): boolean {
    return flow.transport === 'udp' && printedBytes(request) + viaBytes > maxDatagramBytes
  }

  /** A connection instead of datagrams for a request that would not fit in one (§18.1.1), if the peer may take it. */
  flowForLarge(flow: WireFlow, request: SipRequest): WireFlow | undefined {
    if (!this.exceedsDatagram(flow, request)) return undefined
    const hop = { ...flow.remote, transport: 'tcp' } as const
    return this.#noTcp.has(hopKey(hop)) ? undefined : this.flowTo(hop)
  }

  /** TCP to that address was tried in vain: datagrams, however large, for a while. */
  refusesTcp({ remote }: WireFlow): void {
    this.#noTcp.rest(hopKey({ ...remote, transport: 'tcp' }), noTcpMs)
  }

  /** The same flow as one that can send, while it is open. */
  ours(flow: Flow): WireFlow | undefined {
    if (this.#closed) return undefined
    if (flow.transport === 'udp') return this.#udpFlow(flow.remote, flow.local)
    return flow instanceof TcpFlow && flow.open ? flow : undefined
  }

  /** Keep a flow alive while nothing is said on it. Returns how to stop. */
  keepAlive(flow: WireFlow, options: KeepAliveOptions): () => void {
    return keepAlive({ clock: this.#options.clock, stun: this.#stunAnswers }, flow, options)
  }

  /** A request that was let in came by a connection: it may name another address that leads there (RFC 5923). */
  noteAlias(request: SipRequest, flow: WireFlow): void {
    if (!(flow instanceof TcpFlow)) return
    this.#connections.letIn(flow)
    this.#connections.alias(request, flow)
  }

  /** Our address as the peer of that flow should use it: in Via, Contact and Record-Route. */
  ownAddress(flow: Flow): Address {
    const { advertisedIp, network } = this.#options
    const same = this.#bound.filter((bound) => bound.transport === flow.transport)
    const { local, remote } = flow
    const bound =
      same.find((one) => one.local.ip === local.ip && (flow.reliable || one.local.port === local.port)) ??
      same.find((one) => canSend(one.local.ip, remote.ip)) ??
      this.#bound[0]
    const localIp = isWildcardIp(local.ip) ? (bound?.local.ip ?? local.ip) : local.ip
    const ip = advertisedIp?.(remote.ip) ?? (isWildcardIp(localIp) ? network.addressTowards(remote.ip) : localIp)
    return { ip, port: bound?.local.port ?? local.port }
  }

  /** The Via of a request of ours. `rport`: RFC 3581 §3. `alias`: requests to our listener may come by this (RFC 5923). */
  via(flow: WireFlow, branch: string): string {
    const { ip, port } = this.ownAddress(flow)
    const alias = flow instanceof TcpFlow && !flow.accepted && this.#listensFor(flow.transport) ? ';alias' : ''
    return `SIP/2.0/${flow.transport.toUpperCase()} ${hostText(ip)}:${port};branch=${branch};rport${alias}`
  }

  #listensFor(transport: TransportName): boolean {
    return this.#bound.some((bound) => bound.transport === transport)
  }

  /** A request goes there: what comes back is no stranger's. */
  expect(flow: WireFlow): void {
    this.#options.screen?.expect(flow)
  }

  async #locate(uri: SipUri): Promise<readonly Hop[]> {
    const speaks = (transport: TransportName): boolean => transport !== 'udp' || this.#listensFor('udp')
    try {
      const hops = await locate(uri, { dns: this.#dns, speaks, random: Math.random })
      const rank = (hop: Hop): number => (this.#canReach(hop.ip) ? 0 : 2) + (this.isResting(hop) ? 1 : 0)
      return hops.toSorted((a, b) => rank(a) - rank(b))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#options.log.info('A SIP host name was not found', { reason, pii: { host: uri.host } })
      return []
    }
  }

  #canReach(ip: string): boolean {
    return this.#bound.some(({ local }) => canSend(local.ip, ip))
  }

  #datagram(bytes: Buffer, from: Endpoint, socket: () => UdpSocket): void {
    if (this.#closed || isKeepAlive(bytes) || !this.#mayRead('udp', from)) return
    if (isStun(bytes)) return this.#stun(bytes, from, socket())
    this.#message(bytes, new UdpFlow(socket(), from))
  }

  /** RFC 5626 §5.4, §8: whoever asks is told where it was seen; without state, and no longer than it takes to say. */
  #stun(bytes: Buffer, from: Endpoint, socket: UdpSocket): void {
    this.#options.counters.stunIn++
    const answer = answerBinding(bytes, from)
    if (answer) socket.send(answer, from)
    else this.#stunAnswers.receive(bytes)
  }

  #mayRead(transport: TransportName, from: Endpoint): boolean {
    const { screen, counters } = this.#options
    if (!screen || screen.mayRead(transport, from)) return true
    counters.screened++
    return false
  }

  #message(bytes: Buffer, flow: WireFlow): void {
    const { counters } = this.#options
    counters.messagesIn++
    const result = parseMessage(bytes)
    if (!result.ok) return this.#malformed(result.problem, bytes, flow)
    const { message } = result
    this.#observe('in', flow, bytes, callIdOf(message) ?? '')
    try {
      this.#handOver(message, flow)
    } catch (error) {
      // A fault of ours, and one message must not end the calls of all others.
      this.#options.log.error('A SIP message could not be handled', { error: describe(error) })
    }
  }

  #handOver(message: SipMessage, flow: WireFlow): void {
    const { counters } = this.#options
    if (message.kind === 'response') {
      counters.responsesIn++
      return this.#user.response(message, flow)
    }
    counters.requestsIn++
    noteSource(message, flow.remote)
    this.#user.request(message, flow)
  }

  #malformed(problem: ParseProblem, bytes: Buffer, flow: WireFlow): void {
    this.#options.counters.malformed++
    this.#observe('in', flow, bytes.subarray(0, maxNoiseBytes), (problem.partial && callIdOf(problem.partial)) ?? '')
    this.#options.log.debug('A malformed SIP message came', { code: problem.code, from: flow.remote.ip })
    const { partial } = problem
    if (!partial || partial.method === 'ACK') return
    noteSource(partial, flow.remote)
    this.respond(partial, createResponse(partial, problem.status, { reason: problem.reason }), flow)
  }

  /** A head without a usable Content-Length: the parser knows whether and how it can be answered. */
  #unframed(head: Buffer | undefined, flow: WireFlow): void {
    const result = head && parseMessage(head)
    if (result && !result.ok) return this.#malformed(result.problem, head, flow)
    this.#options.counters.malformed++
    if (head) this.#observe('in', flow, head.subarray(0, maxNoiseBytes), '')
    if (result?.ok && result.message.kind === 'request' && result.message.method !== 'ACK') {
      noteSource(result.message, flow.remote)
      this.respond(result.message, createResponse(result.message, 400, { reason: 'Content-Length required' }), flow)
    }
  }

  #udpFlow(to: Address, from?: Address): UdpFlow | undefined {
    const able: UdpSocket[] = []
    for (const bound of this.#bound) {
      if (bound.transport !== 'udp') continue
      const { local, socket } = bound
      if (from && local.ip === from.ip && local.port === from.port) return new UdpFlow(socket, to)
      if (canSend(local.ip, to.ip)) able.push(socket)
    }
    const [first, ...more] = able
    if (!first || more.length === 0) return first && new UdpFlow(first, to)
    // Several addresses of ours: from the one that leads there.
    const near = this.#options.network.addressTowards(to.ip)
    return new UdpFlow(able.find(({ local }) => local.ip === near) ?? first, to)
  }

  #observe(direction: 'in' | 'out', flow: WireFlow, bytes: Uint8Array, callId: string): void {
    const { observe } = this.#options
    if (observe) observe(direction, flow, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(), callId)
  }
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** A socket bound to `::` reaches both families. */
const canSend = (fromIp: string, toIp: string): boolean => fromIp === '::' || isIPv6(fromIp) === isIPv6(toIp)

const CR = 0x0d
const LF = 0x0a
const NUL = 0

/** Pings over UDP that want no answer: line ends (some phones) or zero bytes (others). */
function isKeepAlive(bytes: Uint8Array): boolean {
  return bytes.length <= 4 && bytes.every((byte) => byte === CR || byte === LF || byte === NUL)
}
