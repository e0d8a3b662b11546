/** IP addresses as text: families, mapped and private ranges, brackets. */
import { BlockList, isIP, isIPv4, isIPv6 as isWrittenIPv6 } from 'node:net'

export { isIP }

/** Asked for each message: what has no colon is told from IPv6 without the long expression. */
export const isIPv6 = (text: string): boolean => text.includes(':') && isWrittenIPv6(text)

const mapped = '::ffff:'

/** The address as we write it: IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) becomes IPv4, a zone is cut, letters are small. */
export function plainIp(address: string): string {
  if (!address.includes(':')) return address
  const lower = address.toLowerCase()
  const tail = lower.startsWith(mapped) ? lower.slice(mapped.length) : ''
  if (isIPv4(tail)) return tail
  const zone = lower.indexOf('%')
  return zone < 0 ? lower : lower.slice(0, zone)
}

/** The address as an IPv6 socket takes it. */
export const mappedIp = (ip: string): string => (isIPv4(ip) ? mapped + ip : ip)

/** As it stands in a URI, a Via or before a port: IPv6 in brackets. No host name holds a colon. */
export const hostText = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export const endpointText = (ip: string, port: number): string => `${hostText(ip)}:${port}`

/** What `endpointText` wrote. */
export function readEndpoint(text: string): { readonly ip: string; readonly port: number } {
  const colon = text.lastIndexOf(':')
  return { ip: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) }
}

const privateRanges = new BlockList()
// RFC 1918, 6598 (carrier NAT), 3927 and 4291 (link-local), 4193 (unique local), loopback.
privateRanges.addSubnet('10.0.0.0', 8)
privateRanges.addSubnet('172.16.0.0', 12)
privateRanges.addSubnet('192.168.0.0', 16)
privateRanges.addSubnet('100.64.0.0', 10)
privateRanges.addSubnet('169.254.0.0', 16)
privateRanges.addSubnet('127.0.0.0', 8)
privateRanges.addSubnet('fc00::', 7, 'ipv6')
privateRanges.addSubnet('fe80::', 10, 'ipv6')
privateRanges.addAddress('::1', 'ipv6')

/** True for addresses that mean nothing outside their own network. False for names. */
export function isPrivateIp(ip: string): boolean {
  const family = isIP(ip)
  return family !== 0 && privateRanges.check(ip, family === 6 ? 'ipv6' : 'ipv4')
}

export const isLoopbackIp = (ip: string): boolean => ip === '::1' || ip.startsWith('127.')

/** Bound to, it means every interface; in SDP it means nowhere: hold in the old style (RFC 3264 §8.4). */
export const isWildcardIp = (ip: string | undefined): boolean => ip === '0.0.0.0' || ip === '::'

/** True for the same address, however an IPv6 one is written. Host names are compared as text. */
export function sameIp(a: string, b: string): boolean {
  if (a === b) return true
  if (!isIPv6(a) || !isIPv6(b)) return false
  const list = new BlockList()
  list.addAddress(a, 'ipv6')
  return list.check(b, 'ipv6')
}

/**
 * Where somebody is, for counting: an IPv4 address by itself; of an IPv6 address its first four groups, for whoever has one
 * address has its /64 (RFC 6177).
 */
export function placeOf(address: string): string {
  if (!address.includes(':')) return address
  const ip = plainIp(address)
  if (!ip.includes(':')) return ip
  const [head = '', tail] = ip.split('::', 2)
  const front = head.split(':').filter(Boolean)
  const back = tail === undefined ? [] : tail.split(':').filter(Boolean)
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  return [...front, ...zeros, ...back].slice(0, 4).join(':')
}
