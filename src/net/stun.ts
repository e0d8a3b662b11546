/**
 * Our address as the world sees it: one STUN Binding request, asked again until it is answered.
 *
 * RFC 5389 §7.2.1. The mapped port is of no use here: SIP and RTP leave from other sockets.
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../core/clock.ts'
import { isIPv6 } from '../core/ip.ts'
import type { Endpoint, Network } from './network.ts'
import { bindingRequest, mappedIn, stunIdBytes } from './stun-message.ts'

/** §7.2.1: the first wait, doubled each time. */
const firstWaitMs = 500
/** Fewer than the seven of §7.2.1: whoever starts the server waits. 7.5 s in all. */
const attempts = 4

/** @returns The address, or undefined when nobody answered. Rejects when no socket can be had. */
export async function askStun(network: Network, clock: Clock, server: Endpoint): Promise<string | undefined> {
  const id = randomBytes(stunIdBytes)
  const answered = Promise.withResolvers<string | undefined>()
  const from = { ip: isIPv6(server.ip) ? '::' : '0.0.0.0', port: 0 }
  const socket = await network.udp(from, (bytes) => {
    const mapped = mappedIn(bytes, id)
    if (mapped) answered.resolve(mapped.ip)
  })
  let timer: Timer | undefined
  const ask = (left: number, waitMs: number): void => {
    if (left === 0) return answered.resolve(undefined)
    socket.send(bindingRequest(id), server)
    timer = clock.after(waitMs, () => ask(left - 1, 2 * waitMs))
  }
  ask(attempts, firstWaitMs)
  const ip = await answered.promise
  timer?.cancel()
  await socket.close()
  return ip
}
