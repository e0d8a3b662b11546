/**
 * DNS as finding a SIP server needs it (RFC 3263): NAPTR, SRV, addresses; kept for as long as they may be.
 *
 *   sip/transport ── name ─▶ CachingResolver ─▶ host's DNS servers (dns-client.ts, node:dns), its hosts file
 */
import { Resolver as DnsResolver } from 'node:dns/promises'
import type { Clock } from '../core/clock.ts'
import { plainIp } from '../core/ip.ts'
import type { AskDns } from './dns-client.ts'
import type { Network } from './network.ts'

/** RFC 3403 §4.1, RFC 3263 §4.1: which service of a domain is found where. */
export interface Naptr {
  readonly order: number
  readonly preference: number
  /** `s`: the replacement is the name of SRV records. */
  readonly flags: string
  /** `SIP+D2U`, `SIPS+D2T`. */
  readonly service: string
  readonly replacement: string
  /** How long it may be kept; a minute unless given. */
  readonly ttlMs?: number
}

/** RFC 2782. */
export interface Srv {
  readonly priority: number
  readonly weight: number
  readonly port: number
  /** Empty when the service is decidedly not there. */
  readonly name: string
  /** How long it may be kept; a minute unless given. */
  readonly ttlMs?: number
}

export interface Addresses {
  /** Best first; never empty. */
  readonly ips: readonly string[]
  readonly ttlMs: number
}

export interface Resolver {
  /** Empty when there are none; rejects when nobody could be asked. */
  naptr(name: string): Promise<readonly Naptr[]>
  /** Empty when there are none; rejects when nobody could be asked. */
  srv(name: string): Promise<readonly Srv[]>
  /** Rejects when there are none. */
  addresses(host: string): Promise<Addresses>
}

/** For what comes without a time to live: from the hosts file, and that there is no such record. */
const defaultTtlMs = 60_000
/** TTL 0 and tiny ones: no more than one question in this time. */
const leastTtlMs = 1_000
/** A server that moves is found again within a day, whatever was promised. */
const longestTtlMs = 86_400_000
/** That a name is missing is believed this long. */
const failureTtlMs = 5_000
const maxNames = 1_000

/** A request waits for the answer: shorter than the patience of node:dns. */
const makeDns = (): DnsResolver => new DnsResolver({ timeout: 1_500, tries: 2 })

export interface HostResolverOptions {
  readonly network: Pick<Network, 'lookup'>
  /** Tells how long NAPTR and SRV may be kept; without it they come from node:dns, which does not. */
  readonly ask?: AskDns | undefined
  /** May be told to ask other servers. */
  readonly dns?: DnsResolver
}

/** The host's DNS servers, and its hosts file for addresses. */
export function hostResolver({ network, ask, dns = makeDns() }: HostResolverOptions): Resolver {
  return {
    naptr: (name) => (ask ? naptrBy(ask, name) : dns.resolveNaptr(name).catch(noneOrThrow)),
    srv: (name) => (ask ? srvBy(ask, name) : dns.resolveSrv(name).catch(noneOrThrow)),
    async addresses(host) {
      const [system, four, six] = await Promise.allSettled([
        network.lookup(host),
        dns.resolve4(host, { ttl: true }),
        dns.resolve6(host, { ttl: true }),
      ])
      const records = [four, six].flatMap((found) => (found.status === 'fulfilled' ? found.value : []))
      const ttlOf = new Map(records.map(({ address, ttl }) => [plainIp(address), ttl * 1_000]))
      // The hosts file beats DNS; only the system knows it.
      const ips = system.status === 'fulfilled' ? system.value : Array.from(ttlOf.keys())
      if (ips.length === 0) throw system.status === 'rejected' ? system.reason : new Error(`no address for ${host}`)
      return { ips, ttlMs: Math.min(...ips.map((ip) => ttlOf.get(ip) ?? defaultTtlMs)) }
    },
  }
}

async function naptrBy(ask: AskDns, name: string): Promise<Naptr[]> {
  return (await ask(name, 'NAPTR')).map(({ data, ttl }) => ({
    order: data.order,
    preference: data.preference,
    flags: data.flags,
    service: data.services,
    replacement: withoutDot(data.replacement),
    ttlMs: keptFor(ttl),
  }))
}

async function srvBy(ask: AskDns, name: string): Promise<Srv[]> {
  return (await ask(name, 'SRV')).map(({ data, ttl }) => ({
    priority: data.priority ?? 0,
    weight: data.weight ?? 0,
    port: data.port,
    name: withoutDot(data.target),
    ttlMs: keptFor(ttl),
  }))
}

const withoutDot = (name: string): string => name.replace(/\.$/, '')
const keptFor = (ttlS: number | undefined): number => (ttlS === undefined ? defaultTtlMs : ttlS * 1_000)

/** A network that knows addresses only. */
export const addressResolver = (network: Pick<Network, 'lookup'>): Resolver => ({
  naptr: () => Promise.resolve([]),
  srv: () => Promise.resolve([]),
  addresses: async (host) => ({ ips: await network.lookup(host), ttlMs: defaultTtlMs }),
})

const none = new Set(['ENOTFOUND', 'ENODATA'])

function noneOrThrow(error: NodeJS.ErrnoException): [] {
  if (none.has(error.code ?? '')) return []
  throw error
}

/** Records of one name go together. */
const leastTtlOf = (records: readonly { readonly ttlMs?: number }[]): number =>
  Math.min(longestTtlMs, ...(records.length > 0 ? records.map(({ ttlMs = defaultTtlMs }) => ttlMs) : [defaultTtlMs]))

interface Kept {
  readonly answer: Promise<unknown>
  untilMs: number
}

/** Remembers answers for their time to live, failures for a moment; asks once for all who ask at the same time. */
export class CachingResolver implements Resolver {
  readonly #clock: Clock
  readonly #inner: Resolver
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock, inner: Resolver) {
    this.#clock = clock
    this.#inner = inner
  }

  naptr(name: string): Promise<readonly Naptr[]> {
    return this.#keep(`naptr ${name}`, () => this.#inner.naptr(name), leastTtlOf)
  }

  srv(name: string): Promise<readonly Srv[]> {
    return this.#keep(`srv ${name}`, () => this.#inner.srv(name), leastTtlOf)
  }

  addresses(host: string): Promise<Addresses> {
    return this.#keep(
      `addresses ${host}`,
      () => this.#inner.addresses(host),
      ({ ttlMs }) => ttlMs,
    )
  }

  #keep<Answer>(key: string, ask: () => Promise<Answer>, ttlMsOf: (answer: Answer) => number): Promise<Answer> {
    const known = this.#kept.get(key)
    if (known && known.untilMs > this.#clock.now()) return known.answer as Promise<Answer>
    const answer = ask()
    const kept: Kept = { answer, untilMs: Number.POSITIVE_INFINITY } // shared while it is under way
    this.#kept.delete(key) // so that the oldest stands first
    this.#kept.set(key, kept)
    const until = (ttlMs: number): void => void (kept.untilMs = this.#clock.now() + Math.max(leastTtlMs, ttlMs))
    answer.then(
      (found) => until(ttlMsOf(found)),
      () => until(failureTtlMs),
    )
    if (this.#kept.size > maxNames) this.#kept.delete(this.#kept.keys().next().value ?? '')
    return answer
  }
}
