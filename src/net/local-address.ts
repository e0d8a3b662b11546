/**
 * Which of the host's addresses packets to a peer leave from, guessed from the interfaces.
 *
 * For sockets bound to every interface, whose own address says nothing: what we write into Via, Contact and SDP has to
 * be an address the peer can answer to. An interface in the peer's subnet wins, then the first that is not loopback.
 * Missing: the routing table (several uplinks); a host with those sets the advertised address.
 */
import { BlockList } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { isIPv6, isLoopbackIp } from '../core/ip.ts'

/** Interfaces change rarely and reading them costs some 50 µs: keep them this long. */
const keepMs = 10_000

export class LocalAddresses {
  readonly #now: () => number
  readonly #read: () => NetworkInterfaceInfo[]
  #known: NetworkInterfaceInfo[] = []
  #readAtMs = -Infinity

  constructor(now: () => number = () => performance.now(), read = readInterfaces) {
    this.#now = now
    this.#read = read
  }

  towards(remoteIp: string): string {
    const family = isIPv6(remoteIp) ? 'IPv6' : 'IPv4'
    if (isLoopbackIp(remoteIp)) return family === 'IPv6' ? '::1' : '127.0.0.1'
    const own = this.#interfaces().filter((entry) => entry.family === family)
    const near = own.find((entry) => entry.cidr !== null && inSubnet(remoteIp, entry.cidr, family))
    const any = near ?? own.find((entry) => !entry.internal) ?? own[0]
    return any?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1')
  }

  #interfaces(): NetworkInterfaceInfo[] {
    if (this.#now() - this.#readAtMs > keepMs) {
      this.#known = this.#read()
      this.#readAtMs = this.#now()
    }
    return this.#known
  }
}

function readInterfaces(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? [])
}

function inSubnet(ip: string, cidr: string, family: 'IPv4' | 'IPv6'): boolean {
  const [network = '', bits = '0'] = cidr.split('/')
  const kind = family === 'IPv6' ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  list.addSubnet(network, Number(bits), kind)
  return list.check(ip, kind)
}
