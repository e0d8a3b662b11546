/**
 * The servers a URI may lead to, best first: NAPTR says by which transport, SRV on which hosts, A and AAAA where.
 *
 * RFC 3263 §4.1 and §4.2, RFC 2782. Numeric hosts need none of this (next-hop.ts). Departs from RFC 3263 §4: a name
 * without a dot is a machine on the local network and is looked up for addresses only.
 */
import type { Naptr, Resolver, Srv } from '../../net/resolver.ts'
import type { SipUri } from '../message/types.ts'
import type { TransportName } from '../stack.types.ts'
import { type HopName, hopOf } from './next-hop.ts'

/** A server, numeric. */
export interface Hop {
  readonly transport: TransportName
  readonly ip: string
  readonly port: number
  /** The name that a certificate has to hold (RFC 5922 §7.1): the host of the URI, as written there. */
  readonly serverName?: string
}

export interface LocateOptions {
  readonly dns: Resolver
  /** Whether requests can be sent that way. */
  readonly speaks: (transport: TransportName) => boolean
  /** 0..1, for the choice by weight. */
  readonly random: () => number
}

interface Service {
  readonly transport: TransportName
  /** Name of SRV records. */
  readonly name: string
}

/** Rejects when the name has no address; empty for a URI that leads nowhere, or to a service that is shut (RFC 2782). */
export async function locate(uri: SipUri, options: LocateOptions): Promise<Hop[]> {
  const direct = hopOf(uri)
  if (!direct) return []
  const asked = uri.port === undefined && direct.host.includes('.')
  // Where nobody can be asked about services there may still be an address, in the hosts file.
  const servers = asked ? await serversOf(uri, direct, options) : undefined
  const found = await Promise.allSettled(
    (servers ?? [direct]).map((server) => addressed(server, direct.host, options.dns)),
  )
  const hops = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  const failed = found.find((one) => one.status === 'rejected')
  if (hops.length === 0 && failed) throw failed.reason
  return hops
}

/** The hosts of the domain's SRV records; undefined when it has none. */
async function serversOf(uri: SipUri, direct: HopName, options: LocateOptions): Promise<HopName[] | undefined> {
  const services = uri.params.has('transport')
    ? servicesBy([direct.transport], direct.host)
    : await servicesOf(uri, direct.host, options)
  const asked = await Promise.allSettled(
    services.map(async ({ transport, name }) => ({ transport, records: await options.dns.srv(name) })),
  )
  // What is known of one transport serves, though nobody answers for another.
  const found = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  if (found.every(({ records }) => records.length === 0)) return undefined
  return found.flatMap(({ transport, records }) =>
    bySrvOrder(records, options.random)
      .filter(({ name }) => name !== '')
      .map(({ name, port }) => ({ transport, host: name, port })),
  )
}

/** RFC 3263 §4.1, RFC 7118 §9.3. */
const naptrServices: Readonly<Record<string, TransportName>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
  'SIP+D2W': 'ws',
  'SIPS+D2W': 'wss',
}

/** §4.1: what NAPTR records offer and we speak; without records, what we speak. */
async function servicesOf(uri: SipUri, host: string, { dns, speaks }: LocateOptions): Promise<Service[]> {
  const wanted = (uri.scheme === 'sips' ? (['tls'] as const) : (['udp', 'tcp', 'tls'] as const)).filter(speaks)
  // There are DNS servers, in homes above all, that fail at this type alone.
  const records = await dns.naptr(host).catch(() => [])
  const offered = records.toSorted(byOrder).flatMap(({ flags, service, replacement }) => {
    const transport = naptrServices[service.toUpperCase()]
    const usable = flags.toLowerCase() === 's' && wanted.some((one) => one === transport)
    return transport && usable ? [{ transport, name: replacement }] : []
  })
  return offered.length > 0 ? offered : servicesBy(wanted, host)
}

const byOrder = (a: Naptr, b: Naptr): number => a.order - b.order || a.preference - b.preference

const srvPrefixes: Readonly<Partial<Record<TransportName, string>>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
}

const servicesBy = (transports: readonly TransportName[], host: string): Service[] =>
  transports.flatMap((transport) => {
    const prefix = srvPrefixes[transport]
    return prefix === undefined ? [] : [{ transport, name: prefix + host }]
  })

/** RFC 2782: by priority; among equals by chance, in proportion to the weight. */
export function bySrvOrder(records: readonly Srv[], random: () => number): Srv[] {
  const left = records.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight) // weight 0 first
  const ordered: Srv[] = []
  while (left[0]) {
    const { priority } = left[0]
    const equals = left.filter((record) => record.priority === priority)
    const sum = equals.reduce((total, { weight }) => total + weight, 0)
    let draw = random() * sum
    const at = equals.findIndex(({ weight }) => (draw -= weight) <= 0)
    ordered.push(...left.splice(Math.max(0, at), 1))
  }
  return ordered
}

async function addressed({ transport, host, port }: HopName, serverName: string, dns: Resolver): Promise<Hop[]> {
  const { ips } = await dns.addresses(host)
  return ips.map((ip) => ({ transport, ip, port, serverName }))
}
