/**
 * From where a recording session may come. Recording clients seldom know digest authentication (session border
 * controllers trust networks instead), so the address decides; TCP makes it hard to forge, UDP does not.
 */
import { BlockList, isIP } from 'node:net'

/** Loopback, private and link-local networks: RFC 1122, 1918, 3927, 4193, 4291. */
export const privateNetworks: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]

/** The whole internet, for those who filter elsewhere. */
export const everyNetwork: readonly string[] = ['0.0.0.0/0', '::/0']

/**
 * @param networks Addresses or networks with a prefix length.
 * @returns Whether an address lies in one of them; IPv4 in IPv6 notation counts as IPv4.
 * @throws {RangeError} when one of them is neither.
 */
export function sourceFilter(networks: readonly string[] = privateNetworks): (ip: string) => boolean {
  const list = new BlockList()
  for (const network of networks) add(list, network)
  return (ip) => {
    const family = isIP(ip)
    return family !== 0 && list.check(ip, family === 6 ? 'ipv6' : 'ipv4')
  }
}

function add(list: BlockList, network: string): void {
  const [address = '', length] = network.split('/')
  const family = isIP(address)
  const bits = family === 6 ? 128 : 32
  const prefix = length === undefined ? bits : Number(length)
  if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > bits)
    throw new RangeError(`${network} is no address and no network`)
  list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4')
}
