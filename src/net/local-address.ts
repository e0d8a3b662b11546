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

interface Own {
  readonly address: string
  /** Loopback. */
  readonly internal: boolean
  readonly family: 'ipv4' | 'ipv6'
  readonly subnet?: BlockList
}

export class LocalAddresses {
  readonly #now: () => number
  readonly #read: () => NetworkInterfaceInfo[]
  #known: Own[] = []
  #readAtMs = -Infinity

  constructor(now: () => number = () => performance.now(), read = readInterfaces) {
    this.#now = now
    this.#read = read
  }

  towards(remoteIp: string): string {
    const family = isIPv6(remoteIp) ? 'ipv6' : 'ipv4'
    if (isLoopbackIp(remoteIp)) return family === 'ipv6' ? '::1' : '127.0.0.1'
    const own = this.#interfaces().filter((entry) => entry.family === family)
    const near = own.find(({ subnet }) => subnet?.check(remoteIp, family))
    const any = near ?? own.find((entry) => !entry.internal) ?? own[0]
    return any?.address ?? (family === 'ipv6' ? '::1' : '127.0.0.1')
  }

  #interfaces(): Own[] {
    if (this.#now() - this.#readAtMs > keepMs) {
      this.#known = this.#read().map(describe)
      this.#readAtMs = this.#now()
    }
    return this.#known
  }
}

function readInterfaces(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? [])
}

function describe({ address, cidr, internal, family: written }: NetworkInterfaceInfo): Own {
  const family = written === 'IPv6' ? 'ipv6' : 'ipv4'
  if (cidr === null) return { address, internal, family }
  const [network = '', bits = '0'] = cidr.split('/')
  const subnet = new BlockList()
  subnet.addSubnet(network, Number(bits), family)
  return { address, internal, family, subnet }
}
