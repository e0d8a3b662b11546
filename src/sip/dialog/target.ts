/** Where a request outside a dialog goes: a flow we have, an address we are told, or what the URI says. */
import { parseNameAddr } from '../message/name-addr.ts'
import { parseUri } from '../message/uri.ts'
import type { ExtraHeaders, Flow, Target } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import type { Hop } from '../transport/locate.ts'
import type { SipTransport } from '../transport/transport.ts'

/** A flow, and what is left to try when it fails (RFC 3263 §4.3). */
export class Way {
  readonly #transport: SipTransport
  #hop: Hop | undefined
  #left: readonly Hop[]
  #flow: WireFlow

  /** @param hop Where `flow` leads; undefined for a flow that was there before and has no substitute. */
  constructor(transport: SipTransport, flow: WireFlow, hop?: Hop, left: readonly Hop[] = []) {
    this.#transport = transport
    this.#flow = flow
    this.#hop = hop
    this.#left = left
  }

  get flow(): WireFlow {
    return this.#flow
  }

  /** True for a flow that a peer opened: nobody knows another way to it. */
  get fixed(): boolean {
    return this.#hop === undefined
  }

  /** The server did not serve. Moves on to the next one; undefined when there is none. */
  fail(retryAfterMs?: number): WireFlow | undefined {
    if (this.#hop) this.#transport.rest(this.#hop, retryAfterMs)
    const next = firstOf(this.#transport, this.#left)
    if (!next) return undefined
    this.#hop = next.hop
    this.#left = next.left
    this.#flow = next.flow
    return next.flow
  }
}

/** To who served by this flow: the same address by datagrams, else the connection as long as it stands. */
export function wayBy(flow: Flow): Omit<Target, 'uri'> | undefined {
  if (!flow.reliable) return { via: { transport: flow.transport, ...flow.remote } }
  return flow.open ? { flow } : undefined
}

/** Calls `ready` at once when no name has to be looked up; with undefined when there is no way there. */
export function withWay(
  transport: SipTransport,
  target: Target,
  headers: ExtraHeaders | undefined,
  ready: (way: Way | undefined) => void,
): void {
  if (target.flow) {
    const flow = transport.ours(target.flow)
    return ready(flow && new Way(transport, flow))
  }
  const uri = routeUri(headers) ?? parseUri(target.uri)
  const hops = target.via ? [target.via].flat() : uri ? transport.resolve(uri) : []
  if (!(hops instanceof Promise)) return ready(wayTo(transport, hops))
  void hops.then((found) => ready(wayTo(transport, found)))
}

/** To the first of these that we have a transport for, the others in reserve. */
export function wayTo(transport: SipTransport, hops: readonly Hop[]): Way | undefined {
  const first = firstOf(transport, hops)
  return first && new Way(transport, first.flow, first.hop, first.left)
}

/** The first that we have a transport for. */
function firstOf(transport: SipTransport, hops: readonly Hop[]) {
  for (const [index, hop] of hops.entries()) {
    const flow = transport.flowTo(hop)
    if (flow) return { flow, hop, left: hops.slice(index + 1) }
  }
  return undefined
}

/** RFC 3261 §8.1.2: a preset Route decides before the Request-URI. */
function routeUri(headers: ExtraHeaders | undefined) {
  const route = headers?.['Route']
  const first = typeof route === 'string' ? route : route?.[0]
  return first === undefined ? undefined : parseNameAddr(first)?.uri
}
