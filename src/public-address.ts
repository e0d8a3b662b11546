/**
 * The addresses of a server behind NAT, the public one and those of other networks: as the settings say, or found by
 * STUN and looked at again now and then.
 *
 *   settings, STUN server ─▶ here ── current() ─▶ SIP stack, descriptions of media
 */
import type { NetworkAddress } from './addresses.ts'
import type { Clock, Timer } from './core/clock.ts'
import { isIP } from './core/ip.ts'
import type { Logger } from './core/logger.ts'
import { parseNetworks } from './core/networks.ts'
import type { Settings } from './core/settings/schema.ts'
import { readToldAddress, type ToldAddress } from './core/settings/told-address.ts'
import type { Network } from './net/network.ts'
import { askStun } from './net/stun.ts'
import { StartError } from './start-error.ts'

/** Judgement: an access line gets a new address once a day, and calls fail until it is noticed. */
const lookEveryMs = 300_000
const defaultStunPort = 3478

export interface PublicAddress {
  readonly current: () => string
  readonly close: () => void
}

export interface PublicAddressOptions {
  readonly network: Network
  readonly clock: Clock
  readonly log: Logger
}

/**
 * @returns undefined when the server is not behind NAT.
 * @throws {StartError} when the address is to be found and no STUN server answers.
 */
export async function findPublicAddress(
  { nat }: { readonly nat: Pick<Settings['nat'], 'behindNat' | 'externalIp' | 'stunServer'> },
  options: PublicAddressOptions,
): Promise<PublicAddress | undefined> {
  if (!nat.behindNat) return undefined
  if (nat.externalIp === 'auto') return findByStun('EXTERNAL_IP is auto', nat.stunServer, options)
  return { current: () => nat.externalIp, close: () => {} }
}

export interface NetworkAddresses {
  readonly networks: readonly NetworkAddress[]
  readonly close: () => void
}

/**
 * What peers in networks with an address of their own are told (NAT_ADDRESSES).
 * @throws {StartError} when an address is to be found and its STUN server does not answer.
 */
export async function findNetworkAddresses(
  { nat }: { readonly nat: Pick<Settings['nat'], 'addresses'> },
  options: PublicAddressOptions,
): Promise<NetworkAddresses> {
  const found: PublicAddress[] = []
  const close = () => found.forEach((address) => address.close())
  const ipOf = async (told: ToldAddress): Promise<NetworkAddress['ip']> => {
    if (told.is === 'local') return () => undefined
    if (told.is === 'given') return () => told.address
    const seen = await findByStun(`NAT_ADDRESSES names one for ${told.network}`, told.stunServer, options)
    found.push(seen)
    return seen.current
  }
  try {
    const networks: NetworkAddress[] = []
    for (const told of nat.addresses.map(readToldAddress))
      if (told) networks.push({ networks: parseNetworks([told.network]), ip: await ipOf(told) })
    return { networks, close }
  } catch (error) {
    close()
    throw error
  }
}

/** @param wanted What is to be found, for the line that ends the start. */
async function findByStun(
  wanted: string,
  server: string,
  { network, clock, log }: PublicAddressOptions,
): Promise<PublicAddress> {
  const ask = () => askServer(server, network, clock).catch(() => undefined)
  const first = await ask()
  if (first === undefined) throw new StartError(`${wanted}, but the STUN server ${server} did not answer`)
  log.info('The public address was found by STUN', { ip: first, server })

  let current = first
  let closed = false
  let timer: Timer | undefined
  const look = async (): Promise<void> => {
    const found = await ask()
    if (found === undefined)
      log.warn('The STUN server did not answer; the public address is taken to be the same', { server })
    else if (found !== current) log.warn('The public address has changed', { from: current, to: found, server })
    current = found ?? current
    wait()
  }
  const wait = (): void => {
    if (!closed) timer = clock.after(lookEveryMs, () => void look())
  }
  wait()
  return {
    current: () => current,
    close() {
      closed = true
      timer?.cancel()
    },
  }
}

/** @param server `stun.example.com`, `stun.example.com:3478`, `192.0.2.1:3478`, `[2001:db8::1]:3478`. */
async function askServer(server: string, network: Network, clock: Clock): Promise<string | undefined> {
  const [, six, name = '', port = String(defaultStunPort)] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(server) ?? []
  const host = six ?? name
  const ips = isIP(host) ? [host] : await network.lookup(host)
  const ip = ips.find((one) => isIP(one) === 4) ?? ips[0] // behind NAT it is IPv4 that wants translating
  return ip === undefined ? undefined : askStun(network, clock, { ip, port: Number(port) })
}
