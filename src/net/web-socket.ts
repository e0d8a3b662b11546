/**
 * WebSockets for SIP: one WebSocket message is one chunk of the connection.
 *
 *   browser ── HTTP upgrade ─▶ here ── TcpConnection of whole messages ─▶ sip/transport
 *   server  ◀─ HTTP upgrade ──
 *
 * RFC 6455, RFC 7118 §4.1 (the subprotocol `sip` is required). What is no upgrade gets 426. The Origin is not judged:
 * nothing here trusts a browser's cookies, SIP asks for its own credentials.
 */
import { isUtf8 } from 'node:buffer'
import { createServer } from 'node:http'
import { createServer as createSocketServer, type Socket } from 'node:net'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { endpointText, placeOf, plainIp } from '../core/ip.ts'
import { Tally } from '../core/tally.ts'
import { listenAt } from './host-listener.ts'
import type { Endpoint, Failed, StreamUser, TcpConnection, TcpListener, TlsTowards } from './network.ts'
import type { TlsIdentity } from './tls-identity.ts'
import { openSocket, withHandshake } from './tls-socket.ts'

const subprotocol = 'sip'
/** As large as a SIP message may be. */
const maxMessageBytes = 65_535
/** From the connection to the end of the HTTP head. */
const upgradeMs = 10_000
/** From the first byte of a message to its last (RFC 3261 §26.1.5), as sip/transport has it for TCP. */
const messageMs = 10_000
/** Shorter than the minute after which proxies close what is silent; who does not answer by the next one is gone. */
const pingMs = 25_000
/** Of those that have not asked for the upgrade yet, in all and from one source; the others are bounded by the stack. */
const maxWaiting = 5_000
const maxWaitingPerSource = 100

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
  /** With what takes it from the count of its source. */
  const waiting = new Map<Socket, () => void>()
  const perSource = new Tally()
  const waitNoMore = (socket: Socket): void => {
    waiting.get(socket)?.()
    waiting.delete(socket)
  }
  const http = createServer({ headersTimeout: upgradeMs, requestTimeout: upgradeMs }, (_request, response) => {
    response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end('This port speaks SIP over WebSocket.\n')
  })
  http.on('upgrade', (request, stream, head) => {
    const socket = stream as Socket
    waitNoMore(socket)
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
    const source = placeOf(socket.remoteAddress ?? '')
    if (waiting.size >= maxWaiting || perSource.of(source) >= maxWaitingPerSource) {
      socket.destroy()
      return
    }
    waiting.set(socket, perSource.take(source))
    const timer = setTimeout(() => waiting.has(socket) && socket.destroy(), upgradeMs)
    socket.once('close', () => {
      clearTimeout(timer)
      waitNoMore(socket)
    })
    http.emit('connection', socket)
  }
  const secured = tls && withHandshake(tls, begin)
  const server = createSocketServer({ noDelay: true }, secured?.begin ?? begin)
  return listenAt(server, at, () => {
    secured?.close()
    for (const socket of Array.from(waiting.keys())) socket.destroy()
  })
}

export function connectWebSocket(to: Endpoint, path: string, tls?: TlsTowards): TcpConnection {
  const host = endpointText(tls?.serverName ?? to.ip, to.port)
  const socket = openSocket(to, tls)
  const webSocket = new WebSocket(`${tls ? 'wss' : 'ws'}://${host}${path}`, subprotocol, {
    createConnection: () => socket,
    handshakeTimeout: upgradeMs,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  })
  return new WebSocketConnection(webSocket, socket, to)
}

interface Held {
  readonly bytes: Uint8Array
  readonly failed: Failed | undefined
}

class WebSocketConnection implements TcpConnection {
  readonly remote: Endpoint
  readonly #webSocket: WebSocket
  readonly #socket: Socket
  #local: Endpoint | undefined
  /** What was written before the upgrade was granted. */
  #held: Held[] | undefined

  constructor(webSocket: WebSocket, socket: Socket, remote: Endpoint) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.remote = { ip: remote.ip, port: remote.port }
    if (webSocket.readyState === WebSocket.CONNECTING) this.#held = []
    else this.#settle()
    webSocket.on('error', () => webSocket.terminate()) // no waiting for a goodbye from who broke the protocol
  }

  /** Kept: a socket that is closed knows it no more. */
  get local(): Endpoint {
    return this.#local ?? { ip: '0.0.0.0', port: 0 }
  }

  get waitingBytes(): number {
    return (this.#held ?? []).reduce((sum, { bytes }) => sum + bytes.length, this.#webSocket.bufferedAmount)
  }

  start(user: StreamUser): void {
    let failure: Error | undefined
    this.#webSocket.once('open', () => {
      this.#settle()
      user.connected?.()
    })
    this.#webSocket.on('message', (message: RawData) => user.data(message as Buffer)) // `nodebuffer` is the default kind
    this.#webSocket.once('error', (error) => {
      failure = error
    })
    this.#webSocket.once('close', () => {
      for (const { failed } of this.#held?.splice(0) ?? []) failed?.(failure ?? new Error('the connection was closed'))
      user.closed(failure)
    })
  }

  /** Text where it can be: some clients read nothing else. */
  write(bytes: Uint8Array, failed?: Failed): void {
    if (this.#held && this.#webSocket.readyState === WebSocket.CONNECTING) {
      this.#held.push({ bytes, failed })
      return
    }
    this.#webSocket.send(bytes, { binary: !isUtf8(bytes) }, (error) => {
      if (error) failed?.(error)
    })
  }

  destroy(): void {
    this.#webSocket.terminate()
  }

  /** Bytes that make no message in time are a slow sender's, who would have us keep them. */
  #watch(): void {
    let timer: NodeJS.Timeout | undefined
    const whole = (): void => {
      clearTimeout(timer)
      timer = undefined
    }
    for (const event of ['message', 'ping', 'pong', 'close'] as const) this.#webSocket.on(event, whole)
    // Before the listener that makes messages of them.
    this.#socket.prependListener('data', () => (timer ??= setTimeout(() => this.destroy(), messageMs)))
  }

  /** RFC 6455 §5.5.2, RFC 7118 §6: browsers answer by themselves. */
  #keepAlive(): void {
    let alive = true
    for (const event of ['message', 'ping', 'pong'] as const) this.#webSocket.on(event, () => (alive = true))
    const pings = setInterval(() => {
      if (!alive) return this.destroy()
      alive = false
      this.#webSocket.ping()
    }, pingMs)
    pings.unref()
    this.#webSocket.once('close', () => clearInterval(pings))
  }

  #settle(): void {
    this.#local = { ip: plainIp(this.#socket.localAddress ?? '0.0.0.0'), port: this.#socket.localPort ?? 0 }
    this.#watch()
    this.#keepAlive()
    const held = this.#held ?? []
    this.#held = undefined
    for (const { bytes, failed } of held) this.write(bytes, failed)
  }
}
