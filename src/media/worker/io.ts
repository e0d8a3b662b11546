/**
 * Packets in and out, as the worker sees them. node:dgram is behind it today (io-dgram.ts); a native backend that
 * drains many sockets at a tick can take its place, for no object is made for a packet above this line.
 */

/** Told of each datagram. `bytes` belong to the handler from then on. */
export interface PacketHandler {
  rtp(bytes: Uint8Array, ip: string, port: number): void
  rtcp(bytes: Uint8Array, ip: string, port: number): void
}

/** A bound pair of sockets. Sending never throws: what the network refuses is lost, as on any network. */
export interface PortSockets {
  /** Send `bytes` from `from` on. They must not change until they are sent. */
  sendRtp(bytes: Uint8Array, from: number, length: number, ip: string, port: number): void
  sendRtcp(bytes: Uint8Array, ip: string, port: number): void
  /** Resolves when the ports are free again. */
  close(): Promise<void>
}

export interface MediaIo {
  /** Bind `rtpPort` and the next one for RTCP; undefined when either is in use by somebody. */
  open(bindIp: string, rtpPort: number, handler: PacketHandler): Promise<PortSockets | undefined>
}
