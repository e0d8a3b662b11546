/** Which addresses the server binds to and which it tells others, from the settings. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6, isLoopbackIp, isWildcardIp } from './core/ip.ts'
import { type Networks, parseNetworks } from './core/networks.ts'
import type { Settings } from './core/settings/schema.ts'
import type { MediaPlaneSettings } from './media/types.ts'
import { LocalAddresses } from './net/local-address.ts'
import type { Flow, TransportName } from './sip/stack.types.ts'

/** An address of documentation (RFC 5737): the way to it is the default route. */
const somewhereOutside = '192.0.2.1'
const somewhereOutside6 = '2001:db8::1'

/** Sockets for SIP: PORTS for UDP and TCP unless one of them has ports of its own; the others where they are asked for. */
export function sipSockets({ sip, tls }: Settings): { transport: TransportName; ip: string; port: number }[] {
  const at = (transport: TransportName, ports: readonly number[]) =>
    sip.host.flatMap((ip) => ports.map((port) => ({ transport, ip, port })))
  return [
    ...at('udp', sip.udpPorts.length > 0 ? sip.udpPorts : sip.ports),
    ...at('tcp', sip.tcpPorts.length > 0 ? sip.tcpPorts : sip.ports),
    ...at('tls', tls.enable ? [tls.port] : []),
    ...at('ws', sip.wsPorts),
    ...at('wss', sip.wssPorts),
  ]
}

export function mediaSettings({ rtp, sip, sound, trunks, extensions }: Settings): MediaPlaneSettings {
  const { echo, denoise, gain, gainLevel } = sound
  return {
    workers: rtp.workers,
    bindIp: rtp.bindIp || common(sip.host),
    portMin: rtp.portMin,
    portMax: rtp.portMax,
    pollMs: rtp.pollMs,
    jitter: { minMs: rtp.jitterMinMs, maxMs: rtp.jitterMaxMs },
    qualityEveryMs: rtp.qualityInterval,
    loadDenoise: denoise || [...trunks, ...extensions].some((each) => each.sound?.denoise === true),
    ...((echo || denoise || gain) && { voice: { echo, denoise, ...(gain && { gainDbov: gainLevel }) } }),
  }
}

/** What takes packets for all of these addresses. */
function common([first = '', ...more]: readonly string[]): string {
  if (more.length === 0) return first
  return [first, ...more].some(isIPv6) ? '::' : '0.0.0.0'
}

/**
 * Bind once where media will be received: the ports of calls are bound when there is nobody left to tell.
 *
 * @throws The host's refusal: `EADDRNOTAVAIL` when the address is none of this machine.
 */
export async function tryMediaAddress(settings: Settings): Promise<void> {
  const { bindIp } = mediaSettings(settings)
  const socket = createSocket(isIPv6(bindIp) ? 'udp6' : 'udp4')
  try {
    socket.bind(0, bindIp)
    await once(socket, 'listening')
  } finally {
    socket.close()
  }
}

/** Our address as the world sees it, now; undefined when we are not behind NAT. */
export type PublicIp = (() => string) | undefined

/** An outside network that sees us at an address of its own. */
export interface NetworkAddress {
  readonly networks: Networks
  /** Undefined: a local one. */
  readonly ip: () => string | undefined
}

/**
 * Our address as a peer at that address is to be told it: that of its network, else the public one. Undefined when it is
 * told a local one, because it is on our side of the NAT or of the other family.
 *
 * @param networks The first that has the peer counts, before those on our side.
 */
export function externalAddress(
  { nat }: Settings,
  publicIp: PublicIp,
  networks: readonly NetworkAddress[] = [],
): (remoteIp: string) => string | undefined {
  const local = parseNetworks(nat.localNetworks)
  return (remoteIp) => {
    const named = networks.find((network) => network.networks.has(remoteIp))
    const known = named ? named.ip() : local.has(remoteIp) ? undefined : publicIp?.()
    return known !== undefined && isIPv6(known) === isIPv6(remoteIp) ? known : undefined
  }
}

/**
 * The address a peer reaches our media at: that of its network or the public one from outside, else the one its packets came to.
 *
 * The peer is known by its flow, or by its address; nobody in particular is outside.
 */
export function advertiser(
  settings: Settings,
  publicIp: PublicIp,
  networks: readonly NetworkAddress[] = [],
): (peer: Flow | string | undefined) => string {
  const addresses = new LocalAddresses()
  const external = externalAddress(settings, publicIp, networks)
  const { bindIp } = mediaSettings(settings)
  return (peer = publicIp?.() ?? somewhereOutside) => {
    const remoteIp = typeof peer === 'string' ? peer : peer.remote.ip
    const known = external(remoteIp)
    if (known !== undefined) return known
    if (!isWildcardIp(bindIp)) return bindIp
    if (typeof peer !== 'string' && !isWildcardIp(peer.local.ip)) return peer.local.ip
    return addresses.towards(remoteIp)
  }
}

/**
 * Where media are received besides: the public address and that of the interface to the outside. For browsers, which try
 * all that they are told, and whose signalling may come through a proxy that hides where they are.
 */
export function mediaAddresses(settings: Settings, publicIp: PublicIp): () => readonly string[] {
  const addresses = new LocalAddresses()
  const { bindIp } = mediaSettings(settings)
  return () => {
    const outside = isIPv6(bindIp) ? [somewhereOutside, somewhereOutside6] : [somewhereOutside]
    const own = isWildcardIp(bindIp) ? outside.map((ip) => addresses.towards(ip)) : [bindIp]
    return [...new Set([publicIp?.() ?? [], own.filter((ip) => !isLoopbackIp(ip))].flat())]
  }
}

/** Where SIP is spoken, with an address to type into a phone instead of the wildcard. */
export interface SipAddress {
  readonly transport: TransportName
  readonly ip: string
  readonly port: number
}

export function reachableAt(listening: readonly SipAddress[]): readonly SipAddress[] {
  const own = new LocalAddresses().towards(somewhereOutside)
  return listening.map(({ transport, ip, port }) => ({ transport, ip: isWildcardIp(ip) ? own : ip, port }))
}

/** What a person types into a phone as domain. */
export const domainOf = (publicIp: PublicIp, listening: readonly SipAddress[]): string =>
  publicIp?.() ?? listening[0]?.ip ?? ''
