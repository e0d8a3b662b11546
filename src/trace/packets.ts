/**
 * Datagrams as they would look on an Ethernet: Ethernet, IPv4 or IPv6, UDP, with checksums; long ones in fragments.
 *
 * RFC 791, RFC 8200 §4.5, RFC 768, RFC 1071. The hardware addresses are made up (locally administered).
 */
import { ipBytes } from '../core/ip-bytes.ts'

export interface Datagram {
  readonly from: Endpoint
  readonly to: Endpoint
  readonly payload: Buffer
}

interface Endpoint {
  readonly ip: string
  readonly port: number
}

/** What an Ethernet carries at once. */
const mtuBytes = 1_500
const udp = 17
const ipv6Fragment = 44
const hopLimit = 64
/** So that an IPv4 packet, the largest kind, holds it: 65,535 less 20 and 8. */
const maxPayloadBytes = 65_507
/** Fragments begin at multiples of it. */
const fragmentUnitBytes = 8

const ethernet = {
  4: Buffer.from('0200000000020200000000010800', 'hex'),
  6: Buffer.from('02000000000202000000000186dd', 'hex'),
}

/** @param id Tells the fragments of one datagram from those of another. */
export function framesOf({ from, to, payload }: Datagram, id: number): Buffer[] {
  const [source, destination] = sameFamily(ipBytes(from.ip), ipBytes(to.ip))
  const four = source.length === 4
  const packet = udpPacket(source, destination, from.port, to.port, payload.subarray(0, maxPayloadBytes))
  const headBytes = four ? 20 : 40
  if (headBytes + packet.length <= mtuBytes) {
    const head = four
      ? ipv4Head(source, destination, packet.length, id, 0)
      : ipv6Head(source, destination, packet.length, udp)
    return [Buffer.concat([ethernet[four ? 4 : 6], head, packet])]
  }
  const room = mtuBytes - headBytes - (four ? 0 : fragmentUnitBytes)
  const step = room - (room % fragmentUnitBytes)
  const frames: Buffer[] = []
  for (let at = 0; at < packet.length; at += step) {
    const part = packet.subarray(at, at + step)
    const more = at + step < packet.length
    frames.push(
      four
        ? Buffer.concat([
            ethernet[4],
            ipv4Head(source, destination, part.length, id, fragmentWord(at, more, 0x2000)),
            part,
          ])
        : Buffer.concat([
            ethernet[6],
            ipv6Head(source, destination, fragmentUnitBytes + part.length, ipv6Fragment),
            ipv6FragmentHead(at, more, id),
            part,
          ]),
    )
  }
  return frames
}

/** An address of a socket bound to everything may be of the other family than its peer's: nowhere, in the peer's family. */
function sameFamily(source: Buffer, destination: Buffer): readonly [Buffer, Buffer] {
  if (source.length === destination.length) return [source, destination]
  if (nowhere(source)) return [Buffer.alloc(destination.length), destination]
  if (nowhere(destination)) return [source, Buffer.alloc(source.length)]
  return [mapped(source), mapped(destination)]
}

const nowhere = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0)

const mapped = (bytes: Buffer): Buffer =>
  bytes.length === 16 ? bytes : Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), bytes])

function udpPacket(source: Buffer, destination: Buffer, fromPort: number, toPort: number, payload: Buffer): Buffer {
  const length = 8 + payload.length
  const packet = Buffer.concat([Buffer.alloc(8), payload])
  packet.writeUInt16BE(fromPort, 0)
  packet.writeUInt16BE(toPort, 2)
  packet.writeUInt16BE(length, 4)
  const pseudo = Buffer.alloc(4)
  pseudo.writeUInt16BE(udp, 0)
  pseudo.writeUInt16BE(length, 2)
  // Zero says that there is none.
  packet.writeUInt16BE(checksum(source, destination, pseudo, packet) || 0xffff, 6)
  return packet
}

/** @param fragment Flags and offset. */
function ipv4Head(source: Buffer, destination: Buffer, bytes: number, id: number, fragment: number): Buffer {
  const head = Buffer.alloc(20)
  head.writeUInt8(0x45, 0)
  head.writeUInt16BE(20 + bytes, 2)
  head.writeUInt16BE(id & 0xffff, 4)
  head.writeUInt16BE(fragment, 6)
  head.writeUInt8(hopLimit, 8)
  head.writeUInt8(udp, 9)
  source.copy(head, 12)
  destination.copy(head, 16)
  head.writeUInt16BE(checksum(head), 10)
  return head
}

function ipv6Head(source: Buffer, destination: Buffer, bytes: number, next: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt8(0x60, 0)
  head.writeUInt16BE(bytes, 4)
  head.writeUInt8(next, 6)
  head.writeUInt8(hopLimit, 7)
  return Buffer.concat([head, source, destination])
}

/** Offset in units and the flag "more"; `moreFlag` is where the family has it. */
const fragmentWord = (at: number, more: boolean, moreFlag: number): number =>
  at / fragmentUnitBytes + (more ? moreFlag : 0)

function ipv6FragmentHead(at: number, more: boolean, id: number): Buffer {
  const head = Buffer.alloc(fragmentUnitBytes)
  head.writeUInt8(udp, 0)
  head.writeUInt16BE(at + (more ? 1 : 0), 2) // the offset in units stands three bits up, which is the offset in bytes
  head.writeUInt32BE(id, 4)
  return head
}

/** RFC 1071, over parts of even length but for the last. */
function checksum(...parts: readonly Buffer[]): number {
  let sum = 0
  for (const part of parts) {
    for (let at = 0; at + 1 < part.length; at += 2) sum += part.readUInt16BE(at)
    if (part.length % 2 === 1) sum += (part.at(-1) ?? 0) << 8
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}
