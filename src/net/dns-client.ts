/**
 * Asks the host's DNS servers for records with their time to live, which node:dns does not tell of NAPTR and SRV.
 *
 *   resolver.ts  ── name, type ─▶  here  ── UDP, or TCP when the answer is long ─▶  DNS server
 *
 * RFC 1035 §4, §7; RFC 5452: each question has a random number and leaves from a random port, and what does not fit it is
 * no answer. The bytes are dns-packet's. No search list: names of SIP domains are whole.
 */
import { getServers } from 'node:dns'
import * as packet from 'dns-packet'
import type { Clock } from '../core/clock.ts'
import { isIP, isIPv6 } from '../core/ip.ts'
import { randomUint16 } from '../core/random.ts'
import type { Endpoint, Network } from './network.ts'

/** Records of a type; empty when there are none. Rejects when no server answers. */
export type AskDns = <Type extends RecordType>(name: string, type: Type) => Promise<readonly RecordOf<Type>[]>

type RecordType = 'NAPTR' | 'SRV'
type RecordOf<Type extends RecordType> = Type extends 'NAPTR' ? packet.NaptrAnswer : packet.SrvAnswer

export interface DnsClientOptions {
  readonly network: Pick<Network, 'udp' | 'connect'>
  readonly clock: Clock
  /** The host's unless given. */
  readonly servers?: () => readonly Endpoint[]
}

/** A request waits for the answer: shorter than the patience of resolvers that nobody waits for. */
const waitMs = 1_500
/** Of all servers together: one that is alone is asked twice, since a datagram may get lost. */
const maxTries = 3
/** What passes everywhere in one piece (RFC 9715 §3). */
const udpBytes = 1_232
const dnsPort = 53

/** @returns undefined when the host names no DNS servers. */
export function dnsClient({ network, clock, servers = hostServers }: DnsClientOptions): AskDns | undefined {
  if (servers().length === 0) return undefined
  return async (name, type) => {
    const known = servers()
    for (const server of [...known, ...known].slice(0, maxTries)) {
      const answer = await askServer(server, name, type)
      if (answer) return answer
    }
    throw new Error(`no DNS server answered for ${type} ${name}`)
  }

  /** undefined when this server does not answer, or says that it cannot. */
  async function askServer<Type extends RecordType>(
    server: Endpoint,
    name: string,
    type: Type,
  ): Promise<RecordOf<Type>[] | undefined> {
    const id = randomUint16()
    const query = packet.encode(questionOf(id, name, type))
    const read = (bytes: Buffer): packet.DecodedPacket | undefined => answerIn(bytes, id, name, type)
    // A socket that cannot be had, as of IPv6 on a host without: the next server may be reached by another.
    const first = await overUdp(server, query, read).catch(() => undefined)
    const whole = first?.flag_tc ? await overTcp(server, query, read) : first
    if (!whole) return undefined
    const { rcode } = whole as { readonly rcode?: string }
    if (rcode === 'NXDOMAIN') return []
    if (rcode !== 'NOERROR') return undefined
    return (whole.answers ?? []).filter((record): record is RecordOf<Type> => record.type === type)
  }

  type Read = (bytes: Buffer) => packet.DecodedPacket | undefined

  async function overUdp(server: Endpoint, query: Buffer, read: Read): Promise<packet.DecodedPacket | undefined> {
    const answered = Promise.withResolvers<packet.DecodedPacket | undefined>()
    const from = { ip: isIPv6(server.ip) ? '::' : '0.0.0.0', port: 0 }
    const socket = await network.udp(from, (bytes, { ip, port }) => {
      const answer = ip === server.ip && port === server.port ? read(bytes) : undefined
      if (answer) answered.resolve(answer)
    })
    const timer = clock.after(waitMs, () => answered.resolve(undefined))
    socket.send(query, server, () => answered.resolve(undefined))
    const answer = await answered.promise
    timer.cancel()
    await socket.close()
    return answer
  }

  /** RFC 7766: each message behind its length. */
  async function overTcp(server: Endpoint, query: Buffer, read: Read): Promise<packet.DecodedPacket | undefined> {
    const answered = Promise.withResolvers<packet.DecodedPacket | undefined>()
    const connection = network.connect(server)
    const timer = clock.after(waitMs, () => answered.resolve(undefined))
    let came: Buffer = Buffer.alloc(0)
    connection.start({
      data(chunk) {
        came = Buffer.concat([came, chunk])
        const length = came.length < 2 ? Number.POSITIVE_INFINITY : came.readUInt16BE(0)
        if (came.length >= 2 + length) answered.resolve(read(came.subarray(2, 2 + length)))
      },
      closed: () => answered.resolve(undefined),
    })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    connection.write(Buffer.concat([length, query]))
    const answer = await answered.promise
    timer.cancel()
    connection.destroy()
    return answer
  }
}

const questionOf = (id: number, name: string, type: RecordType): packet.Packet => ({
  id,
  type: 'query',
  flags: packet.RECURSION_DESIRED,
  questions: [{ type, name }],
  additionals: [{ type: 'OPT', name: '.', udpPayloadSize: udpBytes, flags: 0, options: [] } as never],
})

/** The message when it answers this question; whatever else came is noise, or somebody's try (RFC 5452 §3). */
function answerIn(bytes: Buffer, id: number, name: string, type: RecordType): packet.DecodedPacket | undefined {
  try {
    const message = packet.decode(bytes)
    const [question] = message.questions ?? []
    const fits = question?.type === type && sameName(question.name, name)
    return message.id === id && message.type === 'response' && fits ? message : undefined
  } catch {
    return undefined
  }
}

const sameName = (a: string, b: string): boolean => bare(a) === bare(b)
const bare = (name: string): string => name.toLowerCase().replace(/\.$/, '')

/** As node:dns reads them from the host: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`. */
function hostServers(): Endpoint[] {
  return getServers().flatMap((text) => {
    if (isIP(text)) return [{ ip: text, port: dnsPort }]
    const [, six, four, port] = /^(?:\[(.+)\]|([\d.]+)):(\d+)$/.exec(text) ?? []
    const ip = six ?? four ?? ''
    return isIP(ip) ? [{ ip, port: Number(port) }] : []
  })
}
