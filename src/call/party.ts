/** Who stands in a From or To, in the words of the facts. */
import { isIP } from '../core/ip.ts'
import type { Party } from '../events/catalogue.ts'
import { quote } from '../sip/message/scan.ts'
import { withoutSeparators } from '../sip/message/tel.ts'
import type { NameAddr } from '../sip/message/types.ts'
import { parseUri, printUri, sipUri } from '../sip/message/uri.ts'
import type { Flow, Target } from '../sip/stack.types.ts'

/** Whom the header names; somebody anonymous when it is missing or cannot be read (RFC 3323 §4.1.1.3). */
export function partyAt(address: NameAddr | undefined): Party {
  const uri = address ? printUri(address.uri) : 'sip:anonymous@anonymous.invalid'
  return { uri, ...(address?.displayName && { name: address.displayName }) }
}

/** `"Alice" <sip:101@host>`: a party as others see it, at this host. */
export function addressAt(host: string, { extension, uri, name: displayName }: Party): string {
  const parsed = parseUri(uri)
  // Of a tel URI the bare number: `+1-201` is `+1201` to whoever calls it back.
  const user = extension ?? (parsed?.scheme === 'tel' ? withoutSeparators(parsed.user ?? '') : parsed?.user)
  const name = displayName === undefined ? '' : `${quote(displayName)} `
  return `${name}<${printUri(sipUri(user || 'anonymous', host))}>`
}

/** Whom a request will reach, as far as that is known before it is sent: by its flow, or by an address. */
export function peerOf({ flow, via, uri }: Target): Flow | string | undefined {
  const host = parseUri(uri)?.host ?? ''
  return flow ?? [via ?? []].flat()[0]?.ip ?? (isIP(host) ? host : undefined)
}

/** Whether the media there are those of WebRTC: who speaks SIP over WebSocket is a browser (RFC 7118), here or behind a proxy. */
export function isBrowser({ flow, uri = '' }: Partial<Target>): boolean {
  const transport = flow?.transport ?? parseUri(uri)?.params.get('transport')?.toLowerCase()
  return transport === 'ws' || transport === 'wss'
}
