/**
 * Our address as the world sees it: one STUN Binding request, asked again until it is answered.
 *
 * RFC 5389 §6, §7.2.1, §15.1, §15.2. The mapped port is of no use here: SIP and RTP leave from other sockets.
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../core/clock.ts'
import { isIPv6, plainIp } from '../core/ip.ts'
import type { Endpoint, Network } from './network.ts'

const magicCookie = 0x2112a442
const bindingRequest = 0x0001
const bindingSuccess = 0x0101
const mappedAddress = 0x0001
const xorMappedAddress = 0x0020
const headerBytes = 20

/** §7.2.1: the first wait, doubled each time. */
const firstWaitMs = 500
/** Fewer than the seven of §7.2.1: whoever starts the server waits. 7.5 s in all. */
const attempts = 4

/** @returns The address, or undefined when nobody answered. Rejects when no socket can be had. */
export async function askStun(network: Network, clock: Clock, server: Endpoint): Promise<string | undefined> {
  const id = randomBytes(12)
  const answered = Promise.withResolvers<string | undefined>()
  const from = { ip: isIPv6(server.ip) ? '::' : '0.0.0.0', port: 0 }
  const socket = await network.udp(from, (bytes) => {
    const ip = mappedIn(bytes, id)
    if (ip) answered.resolve(ip)
  })
  let timer: Timer | undefined
  const ask = (left: number, waitMs: number): void => {
    if (left === 0) return answered.resolve(undefined)
    socket.send(requestOf(id), server)
    timer = clock.after(waitMs, () => ask(left - 1, 2 * waitMs))
  }
  ask(attempts, firstWaitMs)
  const ip = await answered.promise
  timer?.cancel()
  await socket.close()
  return ip
}

function requestOf(id: Buffer): Buffer {
  const request = Buffer.alloc(headerBytes)
  request.writeUInt16BE(bindingRequest, 0)
  request.writeUInt32BE(magicCookie, 4)
  id.copy(request, 8)
  return request
}

/** The address in the success response to the request of that id; undefined for everything else. */
export function mappedIn(bytes: Buffer, id: Buffer): string | undefined {
  if (bytes.length < headerBytes || bytes.readUInt16BE(0) !== bindingSuccess) return undefined
  if (bytes.readUInt32BE(4) !== magicCookie || !bytes.subarray(8, headerBytes).equals(id)) return undefined
  let plain: string | undefined
  for (let at = headerBytes; at + 4 <= bytes.length; ) {
    const type = bytes.readUInt16BE(at)
    const length = bytes.readUInt16BE(at + 2)
    const value = bytes.subarray(at + 4, at + 4 + length)
    if (type === xorMappedAddress) return addressIn(value, bytes.subarray(4, headerBytes))
    if (type === mappedAddress) plain = addressIn(value) // servers of RFC 3489
    at += 4 + length + ((4 - (length % 4)) % 4)
  }
  return plain
}

/** @param mask What it is XORed with: magic cookie and transaction id (§15.2). */
function addressIn(value: Buffer, mask: Buffer = Buffer.alloc(16)): string | undefined {
  const bytes = Array.from(value.subarray(4), (byte, index) => byte ^ (mask[index] ?? 0))
  if (value[1] === 1 && bytes.length === 4) return bytes.join('.')
  if (value[1] !== 2 || bytes.length !== 16) return undefined
  return plainIp(
    new URL(`http://[${Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':')}]`).hostname.slice(1, -1),
  )
}
