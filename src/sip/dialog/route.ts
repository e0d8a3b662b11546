/** Route sets and the next hop of requests inside a dialog. RFC 3261 §12.1, §12.2.1.1, §16.12.1. */
import { isPrivateIp, sameIp } from '../../core/ip.ts'
import { parseNameAddr } from '../message/name-addr.ts'
import { detached } from '../message/scan.ts'
import type { SipMessage, SipUri } from '../message/types.ts'
import { printUri, writtenUri } from '../message/uri.ts'
import type { Flow } from '../stack.types.ts'
import type { Hop } from '../transport/locate.ts'
import { type HopName, hopOf } from '../transport/next-hop.ts'
import type { SipTransport } from '../transport/transport.ts'
import { Way, wayTo } from './target.ts'

/** Route values in the order we use them: as given for who was called (§12.1.1), reversed for who called (§12.1.2). */
export function routeSetOf(message: SipMessage, side: 'called' | 'caller'): string[] {
  const recorded = message.headers
    .all('Record-Route')
    .map(detached)
    .filter((value) => parseNameAddr(value) !== undefined)
  return side === 'called' ? recorded : recorded.reverse()
}

/** Request-URI and Route headers; a first route without `lr` is an old strict router. */
export function addressed(routeSet: readonly string[], target: SipUri): { uri: string; routes: readonly string[] } {
  const first = firstUri(routeSet)
  if (!first || first.params.has('lr')) return { uri: requestUri(target), routes: routeSet }
  return { uri: requestUri(first), routes: [...routeSet.slice(1), `<${writtenUri(target)}>`] }
}

/** A Request-URI has no headers part (RFC 3261 §19.1.1). */
const requestUri = (uri: SipUri): string =>
  uri.headers.size === 0 ? writtenUri(uri) : printUri({ ...uri, headers: new Map() })

export interface DialogPath {
  /** The flow the dialog was made on. */
  readonly flow: Flow
  readonly routeSet: readonly string[]
  readonly target: SipUri
  /** The peer is known by this flow and not by its Contact: a registered device, or one behind NAT. */
  readonly stay: boolean
}

/**
 * The way of the next request of a dialog; undefined when it leads nowhere.
 *
 * Departs from RFC 3261 §12.2.1.1 for peers behind NAT: their Contact cannot be reached, so the flow they came by is
 * used, as RFC 5626 §5.3 does for registered ones. Of several servers of a name (RFC 3263) the one that has the call
 * comes first, whatever their weights say.
 */
export function nextWay(transport: SipTransport, path: DialogPath): Way | undefined | Promise<Way | undefined> {
  const here = transport.ours(path.flow)
  const fixed = here && new Way(transport, here)
  const uri = firstUri(path.routeSet) ?? path.target
  // A GRUU leads to the registrar that gave it, which may be us; who has it as Contact is at the flow (RFC 5627 §3.4).
  if (path.routeSet.length === 0 && path.target.params.has('gr')) return fixed
  const name = hopOf(uri)
  if (fixed && (!name || keepsTo(path, name))) return fixed
  const hops = transport.resolve(uri)
  if (!(hops instanceof Promise)) return wayTo(transport, hops) ?? fixed
  const { remote } = path.flow
  const current = ({ ip, port, transport: by }: Hop): boolean =>
    sameIp(ip, remote.ip) && by === path.flow.transport && (path.flow.reliable || port === remote.port)
  return hops.then((found) => {
    const known = found.filter((hop) => current(hop) && !transport.isResting(hop))
    return wayTo(transport, [...known, ...found.filter((hop) => !known.includes(hop))]) ?? fixed
  })
}

function keepsTo({ flow, routeSet, stay }: DialogPath, hop: HopName): boolean {
  const fromBrowser = flow.transport === 'ws' || flow.transport === 'wss' // takes no connections (RFC 7118 §5)
  if ((stay || fromBrowser) && routeSet.length === 0) return true
  const { ip, port } = flow.remote
  if (sameIp(hop.host, ip)) return flow.reliable || (hop.port === port && hop.transport === flow.transport)
  return isPrivateIp(hop.host) && !isPrivateIp(ip)
}

/** Addresses that requests of the dialog may come from. A host name here is not looked up. */
export function mayComeFrom({ flow, routeSet, target }: DialogPath, ip: string): boolean {
  return [flow.remote.ip, target.host, firstUri(routeSet)?.host ?? ''].some((known) => sameIp(known, ip))
}

const firstUri = (routeSet: readonly string[]): SipUri | undefined =>
  routeSet[0] === undefined ? undefined : parseNameAddr(routeSet[0])?.uri
