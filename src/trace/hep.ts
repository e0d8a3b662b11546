/**
 * One SIP message as a packet of HEP version 3, which Homer, heplify and sngrep read.
 *
 * HEP/EEP specification, revision 12: "HEP3", the length of all, then chunks of vendor, type, length and value. Numbers
 * are big-endian; vendor 0 is the generic one.
 */
import { isIPv6, readEndpoint } from '../core/ip.ts'
import { ipBytes } from '../core/ip-bytes.ts'
import type { TracedMessage } from '../events/catalogue.ts'

export interface HepAgent {
  /** Tells this sender from others. */
  readonly captureId: number
  /** Shared with the collector; empty for none. */
  readonly password: string
}

const sip = 1
const families = { four: 2, six: 10 } as const
const protocols = { udp: 17, tcp: 6 } as const

/** @param correlationId Of the call, the same for all its legs. */
export function hepPacket(message: TracedMessage, agent: HepAgent, correlationId?: string): Buffer {
  const { direction, local, remote, transport, atMs } = message
  const [from, to] = [
    readEndpoint(direction === 'in' ? remote : local),
    readEndpoint(direction === 'in' ? local : remote),
  ]
  const six = isIPv6(from.ip)
  const chunks = [
    chunk(1, uint(1, six ? families.six : families.four)),
    chunk(2, uint(1, transport === 'udp' ? protocols.udp : protocols.tcp)),
    chunk(six ? 5 : 3, ipBytes(from.ip)),
    chunk(six ? 6 : 4, ipBytes(to.ip)),
    chunk(7, uint(2, from.port)),
    chunk(8, uint(2, to.port)),
    chunk(9, uint(4, Math.floor(atMs / 1_000))),
    chunk(10, uint(4, Math.floor((atMs % 1_000) * 1_000))),
    chunk(11, uint(1, sip)),
    chunk(12, uint(4, agent.captureId)),
    ...(agent.password === '' ? [] : [chunk(14, Buffer.from(agent.password))]),
    ...(correlationId === undefined ? [] : [chunk(17, Buffer.from(correlationId))]),
    chunk(15, Buffer.from(message.text)),
  ]
  const bytes = chunks.reduce((sum, { length }) => sum + length, 6)
  return Buffer.concat([Buffer.from('HEP3'), uint(2, bytes), ...chunks])
}

function chunk(type: number, value: Buffer): Buffer {
  return Buffer.concat([uint(2, 0), uint(2, type), uint(2, 6 + value.length), value])
}

/** Lengths beyond 16 bits are cut: what is that long fits in no datagram and is not sent. */
function uint(bytes: 1 | 2 | 4, value: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(bytes === 2 ? Math.min(value, 0xffff) : value, 0, bytes)
  return buffer
}
