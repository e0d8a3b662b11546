/**
 * RTP as a capture file, for sipp to play: speech made into packets by our Talker under a clock that costs no time,
 * and, when asked, damaged on the way: packets lost, doubled, swapped.
 */
import type { G711Law } from '../../src/codec/g711.ts'
import { FakeClock } from '../../src/core/fake-clock.ts'
import { packetMs, samplesPerPacket, Talker } from '../../src/demo/talker.ts'
import { seededRandom } from '../../src/net/memory-network.ts'

export interface CapturedPacket {
  readonly atMs: number
  readonly rtp: Uint8Array
}

export interface SpokenCapture {
  readonly packets: readonly CapturedPacket[]
  /** What a receiver of all packets ends up with. */
  readonly samples: Int16Array
}

/** All of `speech` as packets, the last one filled up with silence. */
export function speak(speech: Int16Array, law: G711Law = 'PCMU'): SpokenCapture {
  const clock = new FakeClock()
  const packets: CapturedPacket[] = []
  const talker = new Talker({
    clock,
    law,
    payloadType: law === 'PCMU' ? 0 : 8,
    speech,
    send: (rtp) => packets.push({ atMs: clock.now(), rtp }),
  })
  talker.start()
  clock.advance((Math.ceil(speech.length / samplesPerPacket) - 1) * packetMs)
  talker.stop()
  return { packets, samples: talker.sent() }
}

/**
 * Lose 5 % of the packets, double 5 %, swap 5 % with their successor. The first and the last stay as they are, so that
 * beginning and length are known.
 */
export function damage(capture: SpokenCapture, seed: number): SpokenCapture {
  const samples = capture.samples.slice()
  const packets: CapturedPacket[] = []
  const dice = seededRandom(seed)
  const last = capture.packets.length - 1
  for (let i = 0; i <= last; i++) {
    const packet = capture.packets[i]
    const next = capture.packets[i + 1]
    if (!packet) break
    const roll = i === 0 || i >= last - 1 ? 1 : dice()
    if (roll < 0.05) samples.fill(0, i * samplesPerPacket, (i + 1) * samplesPerPacket)
    else if (roll < 0.1) packets.push(packet, { ...packet, atMs: packet.atMs + 1 })
    else if (roll < 0.15 && next) {
      packets.push({ ...next, atMs: packet.atMs }, { ...packet, atMs: next.atMs })
      i++
    } else packets.push(packet)
  }
  return { packets, samples }
}

const fileHeaderBytes = 24
const recordHeaderBytes = 16
const ethernet = 1
/** Any even port: sipp sends to the negotiated one, by the distance from the capture's lowest. */
const port = 4000

/** A pcap file (libpcap 2.4, microseconds) of these packets as UDP over IPv4 over Ethernet. */
export function pcapOf(packets: readonly CapturedPacket[]): Buffer {
  const head = Buffer.alloc(fileHeaderBytes)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65_535, 16)
  head.writeUInt32LE(ethernet, 20)
  return Buffer.concat([head, ...packets.map(pcapRecord)])
}

function pcapRecord({ atMs, rtp }: CapturedPacket): Buffer {
  const udpBytes = 8 + rtp.length
  const ipBytes = 20 + udpBytes
  const frameBytes = 14 + ipBytes
  const record = Buffer.alloc(recordHeaderBytes + frameBytes)
  const startSeconds = 1_000_000_000
  record.writeUInt32LE(startSeconds + Math.floor(atMs / 1000), 0)
  record.writeUInt32LE((atMs % 1000) * 1000, 4)
  record.writeUInt32LE(frameBytes, 8)
  record.writeUInt32LE(frameBytes, 12)
  const ip = recordHeaderBytes + 14
  record.writeUInt16BE(0x0800, ip - 2) // EtherType IPv4
  record[ip] = 0x45
  record.writeUInt16BE(ipBytes, ip + 2)
  record[ip + 8] = 64
  record[ip + 9] = 17 // UDP
  record.writeUInt32BE(0x7f00_0001, ip + 12)
  record.writeUInt32BE(0x7f00_0001, ip + 16)
  record.writeUInt16BE(checksum(record.subarray(ip, ip + 20)), ip + 10)
  const udp = ip + 20
  record.writeUInt16BE(port, udp)
  record.writeUInt16BE(port, udp + 2)
  record.writeUInt16BE(udpBytes, udp + 4)
  record.set(rtp, udp + 8)
  return record
}

/** RFC 791 §3.1: the ones' complement of the ones' complement sum of the header's 16-bit words. */
function checksum(header: Buffer): number {
  let sum = 0
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
