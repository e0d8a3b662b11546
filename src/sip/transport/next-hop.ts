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

const isTransport = (name: string): name is TransportName => transports.includes(name)

/** @returns undefined for URIs that name no SIP host (tel, mailto) or an unknown transport. */
export function hopOf(uri: SipUri): HopName | undefined {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return undefined
  const named = uri.params.get('transport')?.toLowerCase() ?? 'udp'
  if (!isTransport(named)) return undefined
  const secure = uri.scheme === 'sips' || named === 'tls' || named === 'wss'
  const transport = uri.scheme === 'sips' && named !== 'wss' ? 'tls' : named
  return { transport, host: uri.host, port: uri.port ?? (secure ? 5061 : 5060) }
}
