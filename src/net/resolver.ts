/**
 * DNS as finding a SIP server needs it (RFC 3263): NAPTR, SRV, addresses; kept for as long as they may be.
 *
 *   sip/transport ── name ─▶ CachingResolver ─▶ host's DNS servers
 */
import { Resolver as DnsResolver } from 'node:dns/promises'
import type { Clock } from '../core/clock.ts'
import { plainIp } from '../core/ip.ts'
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
}

/** RFC 2782. */
export interface Srv {
  readonly priority: number
  readonly weight: number
  readonly port: number
  /** Empty when the service is decidedly not there. */
  readonly name: string
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

/** For what comes without a time to live: from the hosts file, and NAPTR and SRV, whose TTL node:dns does not tell. */
const defaultTtlMs = 60_000
/** TTL 0 and tiny ones: no more than one question in this time. */
const leastTtlMs = 1_000
/** That a name is missing is believed this long. */
const failureTtlMs = 5_000
const maxNames = 1_000

/** A request waits for the answer: shorter than the patience of node:dns. */
const makeDns = (): DnsResolver => new DnsResolver({ timeout: 1_500, tries: 2 })

/** The host's DNS servers, and its hosts file for addresses. @param dns May be told to ask other servers. */
export function hostResolver(network: Pick<Network, 'lookup'>, dns: DnsResolver = makeDns()): Resolver {
  return {
    naptr: (name) => dns.resolveNaptr(name).catch(noneOrThrow),
    srv: (name) => dns.resolveSrv(name).catch(noneOrThrow),
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
    return this.#keep(`naptr ${name}`, () => this.#inner.naptr(name))
  }

  srv(name: string): Promise<readonly Srv[]> {
    return this.#keep(`srv ${name}`, () => this.#inner.srv(name))
  }

  addresses(host: string): Promise<Addresses> {
    return this.#keep(
      `addresses ${host}`,
      () => this.#inner.addresses(host),
      ({ ttlMs }) => ttlMs,
    )
  }

  #keep<Answer>(
    key: string,
    ask: () => Promise<Answer>,
    ttlMsOf: (answer: Answer) => number = () => defaultTtlMs,
  ): Promise<Answer> {
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
