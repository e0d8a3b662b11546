/** Who stands in a From or To, in the words of the facts. */
import type { Party } from '../events/catalogue.ts'
import type { NameAddr } from '../sip/message/types.ts'
import { parseUri, printUri } from '../sip/message/uri.ts'

/** Whom the header names; somebody anonymous when it is missing or cannot be read (RFC 3323 §4.1.1.3). */
export function partyAt(address: NameAddr | undefined): Party {
  const uri = address ? printUri(address.uri) : 'sip:anonymous@anonymous.invalid'
  return { uri, ...(address?.displayName && { name: address.displayName }) }
}

/** `"Alice" <sip:101@host>`: a party as others see it, at this host. */
export function addressAt(host: string, { extension, uri, name: displayName }: Party): string {
  const user = extension ?? parseUri(uri)?.user ?? 'anonymous'
  const name = displayName === undefined ? '' : `"${displayName.replace(/["\\]/g, '\\$&')}" `
  return `${name}<${printUri({ scheme: 'sip', user, host, params: new Map(), headers: new Map() })}>`
}
