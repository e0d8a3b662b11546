/**
 * What a URI itself says of where its request goes: transport, host and port. RFC 3263 §4 up to its DNS records, which
 * are locate.ts's.
 */
import type { SipUri } from '../message/types.ts'
import type { TransportName } from '../stack.types.ts'

/** A next hop whose host may still be a name. */
export interface HopName {
  readonly transport: TransportName
  readonly host: string
  readonly port: number
}

const transports: readonly string[] = ['udp', 'tcp', 'tls', 'ws', 'wss'] satisfies TransportName[]

/** RFC 3261 §19.1.2; WebSockets live where HTTP does (RFC 6455 §3). */
const defaultPorts: Readonly<Record<TransportName, number>> = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 }

const isTransport = (name: string): name is TransportName => transports.includes(name)

/** @returns undefined for URIs that name no SIP host (tel, mailto) or an unknown transport. */
export function hopOf(uri: SipUri): HopName | undefined {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return undefined
  const named = uri.params.get('transport')?.toLowerCase() ?? 'udp'
  if (!isTransport(named)) return undefined
  const overWebSocket = named === 'ws' || named === 'wss'
  const transport = uri.scheme === 'sips' ? (overWebSocket ? 'wss' : 'tls') : named
  return { transport, host: uri.host, port: uri.port ?? defaultPorts[transport] }
}
