/** Ports for programs that must be told theirs. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { randomUint16 } from '../../src/core/random.ts'

/** A TCP port nobody listens on now. */
export async function freePort(): Promise<number> {
  const port = await tryTcp(0)
  if (port === undefined) throw new Error('no TCP port is free')
  return port
}

const lowest = 13_000
const count = 6_000

/**
 * A port free for UDP and TCP, below those that the host gives to sockets which ask for any (32768 and up on Linux):
 * there a packet meant for a socket that was closed a moment ago may still come.
 */
export async function freeSipPort(ip = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = lowest + (randomUint16() % count)
    if ((await tryUdp(port, ip)) && (await tryTcp(port, ip)) === port) return port
  }
  throw new Error(`no port from ${lowest} to ${lowest + count - 1} is free`)
}

function tryTcp(port: number, ip = '127.0.0.1'): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, ip, () => {
      const address = server.address()
      server.close(() => resolve(address && typeof address === 'object' ? address.port : undefined))
    })
  })
}

function tryUdp(port: number, ip: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => resolve(false))
    socket.bind(port, ip, () => socket.close(() => resolve(true)))
  })
}
