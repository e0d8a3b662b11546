/**
 * What the platform needs of a network: UDP sockets, TCP and TLS listeners and connections, name lookup.
 *
 * `host-network.ts` is the host's; `memory-network.ts` is a network inside one test that loses packets by seed. Every
 * failure arrives through a callback: no socket error may end the process.
 */

import type { TlsIdentity } from './tls-identity.ts'

/** A transport address: numeric IP (IPv6 without brackets, never IPv4-mapped) and port. */
export interface Endpoint {
  readonly ip: string
  readonly port: number
}

/** Hears of a failure after the call that caused it has returned, never within it. */
export type Failed = (error: Error) => void

export interface UdpSocket {
  readonly local: Endpoint
  /** Send one datagram; `failed` hears of what the host refused, never of what the network lost. */
  send(bytes: Uint8Array, to: Endpoint, failed?: Failed): void
  close(): Promise<void>
}

/** Who listens to a connection. */
export interface StreamUser {
  /** Outgoing connections only, once. */
  connected?(): void
  data(chunk: Buffer): void
  /** Once, whoever closed it and why ever. */
  closed(error?: Error): void
}

/** Who a peer is, by its certificate: signed by an authority that we believe. */
export interface ClientCertificate {
  /** Its common name and the DNS names, URIs and addresses beside it, in lower case. */
  readonly names: readonly string[]
  /** Fingerprint of the certificate, hexadecimal digits. */
  readonly sha256: string
}

export interface TcpConnection {
  /** Port 0 until an outgoing connection stands. */
  readonly local: Endpoint
  readonly remote: Endpoint
  /** Of who connected to us by TLS; undefined without one that is valid. */
  readonly certificate?: ClientCertificate | undefined
  /** Bytes accepted by `write` and not yet taken by the host. */
  readonly waitingBytes: number
  /** Begin to listen; call it once and at once. */
  start(user: StreamUser): void
  write(bytes: Uint8Array, failed?: Failed): void
  /** Close now; what was not sent is lost. */
  destroy(): void
}

export interface TcpListener {
  readonly local: Endpoint
  /** Stops accepting; connections live on. */
  close(): Promise<void>
}

/** TLS towards a server. */
export interface TlsTowards {
  /** Our certificate and the authorities we believe; none and the system's unless given. */
  readonly identity?: TlsIdentity | undefined
  /** The name its certificate has to hold; its IP unless given. */
  readonly serverName?: string | undefined
}

export interface Network {
  /** @param at Port 0 picks a free one. Rejects when the address cannot be bound. */
  udp(at: Endpoint, received: (bytes: Buffer, from: Endpoint) => void): Promise<UdpSocket>
  /**
   * @param at Port 0 picks a free one. Rejects when the address cannot be bound.
   * @param tls Speak TLS; `accepted` hears of a connection once its handshake is done.
   */
  listen(at: Endpoint, accepted: (connection: TcpConnection) => void, tls?: TlsIdentity): Promise<TcpListener>
  /** As `listen`, for WebSockets with the subprotocol `sip`: each chunk is one message, both ways (RFC 7118). */
  listenWebSocket(at: Endpoint, accepted: (connection: TcpConnection) => void, tls?: TlsIdentity): Promise<TcpListener>
  /** Bytes may be written at once: they wait for the connection, and for the peer's certificate. */
  connect(to: Endpoint, tls?: TlsTowards): TcpConnection
  /** As `connect`, for a WebSocket with the subprotocol `sip`. @param path Of its URL: `/`, `/ws`. */
  connectWebSocket(to: Endpoint, path: string, tls?: TlsTowards): TcpConnection
  /** Addresses of a host name, best first. Rejects when there is none. */
  lookup(host: string): Promise<string[]>
  /** The address of this host that packets to `remoteIp` leave from. */
  addressTowards(remoteIp: string): string
}
