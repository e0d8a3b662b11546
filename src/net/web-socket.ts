/**
 * WebSocket listeners for SIP: one WebSocket message is one chunk of the connection.
 *
 *   browser ── HTTP upgrade ─▶ here ── TcpConnection of whole messages ─▶ sip/transport
 *
 * RFC 6455, RFC 7118 §4.1 (the subprotocol `sip` is required). What is no upgrade gets 426. The Origin is not judged:
 * nothing here trusts a browser's cookies, SIP asks for its own credentials.
 */
import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSocketServer, type Socket } from 'node:net'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { plainIp } from '../core/ip.ts'
import type { Endpoint, Failed, StreamUser, TcpConnection, TcpListener } from './network.ts'
import type { TlsIdentity } from './tls-identity.ts'
import { withHandshake } from './tls-socket.ts'

const subprotocol = 'sip'
/** As large as a SIP message may be. */
const maxMessageBytes = 65_535
/** From the connection to the end of the HTTP head. */
const upgradeMs = 10_000
/** Those that have not asked for the upgrade yet, and those that have; the stack bounds the latter more closely. */
const maxSockets = 6_000

export async function listenWebSocket(
  at: Endpoint,
  accepted: (connection: TcpConnection) => void,
  tls?: TlsIdentity,
): Promise<TcpListener> {
  const upgrading = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false, // memory for each connection, and a way to make much of little
    handleProtocols: () => subprotocol,
  })
  const waiting = new Set<Socket>()
  const http = createServer({ headersTimeout: upgradeMs, requestTimeout: upgradeMs }, (_request, response) => {
    response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end('This port speaks SIP over WebSocket.\n')
  })
  http.on('upgrade', (request, stream, head) => {
    const socket = stream as Socket
    waiting.delete(socket)
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    const remote = { ip: plainIp(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
    if (remote.port === 0)
      socket.destroy() // gone before we looked
    else if (!offered.includes(subprotocol)) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else
      upgrading.handleUpgrade(request, socket, head, (webSocket) => {
        accepted(new WebSocketConnection(webSocket, socket, remote))
      })
  })
  const begin = (socket: Socket): void => {
    waiting.add(socket)
    const timer = setTimeout(() => waiting.has(socket) && socket.destroy(), upgradeMs)
    socket.once('close', () => {
      clearTimeout(timer)
      waiting.delete(socket)
    })
    http.emit('connection', socket)
  }
  const secured = tls && withHandshake(tls, begin)
  const server = createSocketServer({ noDelay: true }, secured?.begin ?? begin)
  server.maxConnections = maxSockets
  server.listen({ host: at.ip, port: at.port, exclusive: true })
  await once(server, 'listening')
  server.on('error', () => {}) // running out of file descriptors passes; the next accept may work
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the listener has no address')
  return {
    local: { ip: plainIp(bound.address), port: bound.port },
    close() {
      secured?.close()
      for (const socket of waiting) socket.destroy()
      return new Promise((closed) => void server.close(() => closed()))
    },
  }
}

class WebSocketConnection implements TcpConnection {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #webSocket: WebSocket

  constructor(webSocket: WebSocket, socket: Socket, remote: Endpoint) {
    this.#webSocket = webSocket
    this.remote = remote
    this.local = { ip: plainIp(socket.localAddress ?? '0.0.0.0'), port: socket.localPort ?? 0 }
    webSocket.on('error', () => webSocket.terminate()) // no waiting for a goodbye from who broke the protocol
  }

  get waitingBytes(): number {
    return this.#webSocket.bufferedAmount
  }

  start(user: StreamUser): void {
    let failure: Error | undefined
    this.#webSocket.on('message', (message: RawData) => user.data(message as Buffer)) // `nodebuffer` is the default kind
    this.#webSocket.once('error', (error) => {
      failure = error
    })
    this.#webSocket.once('close', () => user.closed(failure))
  }

  /** Text where it can be: some clients read nothing else. */
  write(bytes: Uint8Array, failed?: Failed): void {
    this.#webSocket.send(bytes, { binary: !isUtf8(bytes) }, (error) => {
      if (error) failed?.(error)
    })
  }

  destroy(): void {
    this.#webSocket.terminate()
  }
}
