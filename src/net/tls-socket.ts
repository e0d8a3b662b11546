/**
 * TLS on sockets of the host: handshakes of those who connect to us, and our own towards servers.
 *
 *   host-network.ts  ── raw socket ─▶  here  ── socket whose peer is checked ─▶  host-network.ts
 *
 * Handshakes cost CPU and are open to anybody, so those under way are bounded in number, per source, and in time.
 * RFC 3261 §26.3.1, RFC 5922 (the peer's certificate holds the name we asked for).
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls'
import { placeOf } from '../core/ip.ts'
import { Tally } from '../core/tally.ts'
import type { ClientCertificate, Endpoint, TlsTowards } from './network.ts'
import type { TlsIdentity } from './tls-identity.ts'

/** Judgement: a handshake takes milliseconds; an office behind one NAT comes back within these after a power cut. */
const handshakeMs = 10_000
const handshakesAtATime = 1_000
const handshakesPerSource = 100

export interface Handshakes {
  /** Take a raw socket; it is handed on when its handshake is done, and destroyed when that fails. */
  readonly begin: (socket: Socket) => void
  /** End those under way. */
  readonly close: () => void
}

/** @param secured Hears of each connection whose handshake is done and whose certificate, if asked for, is valid. */
export function withHandshake(
  identity: TlsIdentity,
  secured: (socket: TLSSocket) => void,
  patienceMs = handshakeMs,
): Handshakes {
  /** By address and port of the peer, which name one connection. */
  const underWay = new Map<string, Socket>()
  const perSource = new Tally()
  // Never listens: it is given sockets, so that they are counted before anything is spent on them.
  const server = createServer({ ...identity.serverOptions, handshakeTimeout: patienceMs })
  const forget = identity.onChange(() => server.setSecureContext(identity.serverOptions))
  server.on('secureConnection', (socket) => {
    end(keyOf(socket), sourceOf(socket))
    if (mayCome(identity, socket)) secured(socket)
    else socket.destroy()
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())

  const end = (key: string, source: string): void => {
    if (underWay.delete(key)) perSource.remove(source)
  }
  return {
    begin(socket) {
      const source = sourceOf(socket)
      if (underWay.size >= handshakesAtATime || perSource.of(source) >= handshakesPerSource) {
        socket.destroy()
        return
      }
      const key = keyOf(socket)
      underWay.set(key, socket)
      perSource.add(source)
      socket.once('close', () => end(key, source))
      server.emit('connection', socket)
    },
    close() {
      forget()
      for (const socket of Array.from(underWay.values())) socket.destroy()
    },
  }
}

/** Counted together: whoever has one IPv6 address has many. */
const sourceOf = ({ remoteAddress = '' }: Socket): string => placeOf(remoteAddress)

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** RFC 3261 §26.3.2.1. With `request`, a certificate may be missing but not wrong. */
function mayCome({ clientAuth }: TlsIdentity, socket: TLSSocket): boolean {
  if (clientAuth === 'none' || socket.authorized) return true
  return clientAuth === 'request' && Object.keys(socket.getPeerCertificate()).length === 0
}

/** What its valid certificate says of who connected. */
export function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  if (!socket.authorized) return undefined
  const { subject, subjectaltname = '', fingerprint256 } = socket.getPeerCertificate()
  if (!fingerprint256) return undefined
  // `DNS:sbc.example.com, IP Address:192.0.2.7`; node puts in quotes what could be mistaken for more of the list.
  const beside = subjectaltname.split(', ').map((entry) => /^(?:DNS|URI|IP Address):([^"]+)$/.exec(entry)?.[1] ?? '')
  const names = [subject?.CN ?? [], beside].flat(2).filter((name) => name !== '')
  return {
    names: [...new Set(names.map((name) => name.toLowerCase()))],
    sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

/** Probe silent connections after this long, so that a peer that vanished is noticed. */
export const keepAliveMs = 60_000

/** A connection of ours, on its way. */
export function openSocket(to: Endpoint, tls: TlsTowards | undefined): Socket {
  const options = { host: to.ip, port: to.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }
  return tls ? openTlsSocket(options, tls) : connectPlain(options)
}

function openTlsSocket(options: ConnectionOptions, { identity, serverName }: TlsTowards): TLSSocket {
  const named = serverName !== undefined && isIP(serverName) === 0
  return connect({
    ...options,
    ...(identity?.clientOptions ?? { minVersion: 'TLSv1.2' }),
    ...(named && { servername: serverName }), // also what its certificate is checked against
  })
}
