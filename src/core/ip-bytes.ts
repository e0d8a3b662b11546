/** IP addresses as they stand in a packet: 4 or 16 bytes, most significant first. */
import { isIPv4 } from 'node:net'
import { plainIp } from './ip.ts'

/** @param ip Numeric, without brackets; a zone (`%eth0`) says nothing beyond this host and is left out. */
export function ipBytes(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number))
  // The canonical form has no dotted tail and no leading zeros (RFC 5952).
  const [head = '', tail = ''] = new URL(`http://[${ip.replace(/%.*/, '')}]`).hostname.slice(1, -1).split('::')
  const bytes = Buffer.alloc(16)
  const last = groups(tail)
  for (const [index, group] of groups(head).entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * index)
  for (const [index, group] of last.entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), 16 - 2 * (last.length - index))
  return bytes
}

const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))

/** @param bytes 4 or 16; undefined for any other number. IPv4 mapped into IPv6 becomes IPv4. */
export function ipOfBytes(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return undefined
  const written = Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':')
  return plainIp(groupsToMapped(new URL(`http://[${written}]`).hostname.slice(1, -1)))
}

/** `::ffff:c000:201`, as the canonical form is written here, to `::ffff:192.0.2.1`. */
function groupsToMapped(ip: string): string {
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(ip) ?? []
  if (high === undefined || low === undefined) return ip
  const number = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return `::ffff:${number.flatMap((group) => [group >> 8, group & 255]).join('.')}`
}
