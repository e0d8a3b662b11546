/** Where a request outside a dialog goes: a flow we have, an address we are told, or what the URI says. */
import { parseNameAddr } from '../message/name-addr.ts'
import { parseUri } from '../message/uri.ts'
import type { ExtraHeaders, Target } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import { hopOf } from '../transport/next-hop.ts'
import type { SipTransport } from '../transport/transport.ts'

/** Calls `ready` at once when no name has to be looked up; with undefined when there is no way there. */
export function withFlow(
  transport: SipTransport,
  target: Target,
  headers: ExtraHeaders | undefined,
  ready: (flow: WireFlow | undefined) => void,
): void {
  if (target.flow) return ready(transport.ours(target.flow))
  if (target.via) return ready(transport.flowTo(target.via))
  const uri = routeUri(headers) ?? parseUri(target.uri)
  const name = uri && hopOf(uri)
  const hop = name && transport.resolve(name)
  if (!(hop instanceof Promise)) return ready(hop && transport.flowTo(hop))
  void hop.then((found) => ready(found && transport.flowTo(found)))
}

/** RFC 3261 §8.1.2: a preset Route decides before the Request-URI. */
function routeUri(headers: ExtraHeaders | undefined) {
  const route = headers?.['Route']
  const first = typeof route === 'string' ? route : route?.[0]
  return first === undefined ? undefined : parseNameAddr(first)?.uri
}
