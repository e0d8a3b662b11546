/**
 * Packets in and out, as the worker sees them.
 *
 *   sockets  ◀──▶  io-dgram.ts (node:dgram, works everywhere) or io-native.ts (the addon)  ◀── MediaIo ──▶  ports
 *
 * Nothing is made for a packet above this line: its bytes are lent, and its source is the same object as long as it is
 * the same source. Both kinds keep the same contract (io.contract.test.ts).
 */

import type { LostDatagrams } from '../../types.ts'

/** Where a datagram comes from or goes to. Numeric; IPv4 in its own form, whatever socket it came through. */
export interface Endpoint {
  readonly ip: string
  readonly port: number
}

/** Longer datagrams are dropped and counted: no network carries them whole, and no peer of ours sends them. */
export const maxDatagramBytes = 2048

/** Told of each datagram. `bytes` may be changed, and hold what is received next as soon as the call returns: copy what stays. */
export interface PacketHandler {
  /**
   * @param from The same object for packets that follow each other from one source; never changed.
   * @param atMs When the kernel took it, by the clock of the worker; left out where that is not known: now.
   * @param passed It has left by a pass already: what is sent now by the other sockets is that, and goes nowhere.
   */
  rtp(bytes: Uint8Array, from: Endpoint, atMs?: number, passed?: boolean): void
  rtcp(bytes: Uint8Array, from: Endpoint, atMs?: number): void
}

/**
 * A bound pair of sockets. Sending never throws: what the network refuses is lost, as on any network.
 *
 * Bytes that are sent are the caller's again when the call returns. Those that the handler was lent, and sent, must stay as
 * they are until it returns: they may leave after it.
 */
export interface PortSockets {
  /** Send `length` of `bytes` from `start` on. Cheapest when `to` is the same object each time. */
  sendRtp(bytes: Uint8Array, start: number, length: number, to: Endpoint): void
  sendRtcp(bytes: Uint8Array, to: Endpoint): void
  /** Whether packets may wait for a fifth of a second before they are handed on, which then come together: it costs less. */
  ease(on: boolean): void
  /**
   * From now on packets of RTP that are like the last one may go straight to other sockets. The handler is told of them later,
   * in order, and does with them all that it would have done, sending too. Ends with the first that is not alike, and with
   * `drain` of either. One that has not ended goes on as it is.
   */
  pass(rule: PassRule, out: PortSockets): void
  /** Whether `pass` does anything. */
  readonly canPass: boolean
  /** Hand on what waits because of `ease` and `pass`, and pass nothing on any more: something changes now. */
  drain(): void
  /** RTCP comes by a port of its own after all, from now on. */
  separate(): Promise<void>
  /** Resolves when the ports are free again. */
  close(): Promise<void>
}

/** Which packets a pass takes, all of one stream, and what it writes into their headers. */
export interface PassRule {
  readonly from: Endpoint
  readonly ssrc: number
  readonly payloadType: number
  /** The newest sequence number of the stream. */
  readonly newest: number
  /** Longer packets are not alike. */
  readonly mostBytes: number
  readonly outSsrc: number
  readonly outPayloadType: number
  /** What to add to its numbers. */
  readonly sequenceOffset: number
  readonly timestampOffset: number
}

export interface MediaIo {
  /** Packets are told with the moment in which the kernel took them: a thread that is late does not make them so. */
  readonly stamps: boolean
  /**
   * Bind `rtpPort` and the next one for RTCP; undefined when either cannot be had: somebody uses it, or no file is left to open.
   * @param muxed RTCP comes by the port of RTP (RFC 5761), and has none of its own.
   */
  open(bindIp: string, rtpPort: number, handler: PacketHandler, muxed?: boolean): Promise<PortSockets | undefined>
  /** What was sent since the last packet came in leaves now. For whoever sends by a clock: once, when all is sent. */
  flush(): void
  /**
   * Take what has come until now, as far as that can be asked for: before an order is obeyed, so that a recording that ends has
   * what came before its end, however late the thread is. Takes two seconds at most.
   */
  drain(): void
  lost(): LostDatagrams
}
