/** A TCP server of the host, made to listen. Shared by plain streams and WebSockets. */
import { once } from 'node:events'
import type { Server } from 'node:net'
import { plainIp } from '../core/ip.ts'
import type { Endpoint, TcpListener } from './network.ts'

/**
 * @param closing Called first when the listener is closed: ends what has not become a connection yet.
 * @throws {Error} EADDRINUSE, EACCES, …: it cannot listen there.
 */
export async function listenAt(server: Server, at: Endpoint, closing: () => void): Promise<TcpListener> {
  server.listen({ host: at.ip, port: at.port, exclusive: true })
  await once(server, 'listening')
  server.on('error', () => {}) // running out of file descriptors passes; the next accept may work
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the listener has no address')
  return {
    local: { ip: plainIp(bound.address), port: bound.port },
    close() {
      closing()
      return new Promise((closed) => void server.close(() => closed()))
    },
  }
}
