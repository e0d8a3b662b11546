/** One entry of NAT_ADDRESSES: which address the peers of a network are told. */
import { isIP } from '../ip.ts'
import { isNetwork } from '../networks.ts'

export type ToldAddress =
  | { readonly network: string; readonly is: 'given'; readonly address: string }
  /** That of this machine which leads there. */
  | { readonly network: string; readonly is: 'local' }
  /** As this STUN server, `host` or `host:port`, sees us. */
  | { readonly network: string; readonly is: 'found'; readonly stunServer: string }

/** `10.9.0.0/16=10.9.0.5`, `10.9.0.0/16=local`, `10.9.0.0/16=stun:stun.example.com`; undefined for anything else. */
export function readToldAddress(entry: string): ToldAddress | undefined {
  const [network = '', address = '', more] = entry.split('=')
  if (!isNetwork(network) || more !== undefined) return undefined
  if (address === 'local') return { network, is: 'local' }
  const stunServer = /^stun:(.*)$/.exec(address)?.[1]
  if (stunServer !== undefined) return isStunServer(stunServer) ? { network, is: 'found', stunServer } : undefined
  const [ip = ''] = network.split('/')
  return isIP(ip) === isIP(address) ? { network, is: 'given', address } : undefined
}

/** `stun.example.com`, `stun.example.com:3478`, `192.0.2.1:3478`, `[2001:db8::1]:3478` */
export const isStunServer = (given: string): boolean => /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(given)
