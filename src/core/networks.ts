/** Sets of addresses and networks, as people write them: `192.0.2.7`, `10.0.0.0/8`, `fe80::/10`. */
import { BlockList, isIP } from 'node:net'
import { plainIp } from './ip.ts'

export interface Networks {
  /** An IPv4 address mapped into IPv6 counts as the IPv4 one. */
  has(ip: string): boolean
}

/** Networks whose entries may change: read anew when one of the lists is another one. */
export function changingNetworks(lists: () => readonly (readonly string[])[]): Networks {
  let seen: readonly (readonly string[])[] = []
  let networks = parseNetworks([])
  return {
    has(ip) {
      const now = lists()
      if (now.length !== seen.length || now.some((list, index) => list !== seen[index])) {
        networks = parseNetworks(now.flat())
        seen = now
      }
      return networks.has(ip)
    },
  }
}

/** Families as BlockList names them. */
const family = (ip: string): 'ipv4' | 'ipv6' => (isIP(ip) === 6 ? 'ipv6' : 'ipv4')

/** `192.0.2.7` or `10.0.0.0/8` */
export function isNetwork(entry: string): boolean {
  const [ip = '', prefix, more] = entry.split('/')
  if (isIP(ip) === 0 || more !== undefined) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIP(ip) === 6 ? 128 : 32))
}

/** @throws {RangeError} naming the entry that is no address and no network. */
export function parseNetworks(entries: readonly string[]): Networks {
  const block = new BlockList()
  for (const entry of entries) {
    if (!isNetwork(entry)) throw new RangeError(`"${entry}" is neither an address nor a network such as 10.0.0.0/8`)
    const [ip = '', prefix] = entry.split('/')
    if (prefix === undefined) block.addAddress(ip, family(ip))
    else block.addSubnet(ip, Number(prefix), family(ip))
  }
  return {
    has(ip) {
      const plain = plainIp(ip)
      return isIP(plain) !== 0 && block.check(plain, family(plain))
    },
  }
}
