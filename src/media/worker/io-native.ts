/**
 * MediaIo over the addon: all sockets of a worker are drained at each tick into one block of memory, and what is sent in
 * answer leaves in batches.
 *
 *   kernel ─▶ native/media-io.cc  ── slots of the block ─▶  here  ── lent bytes ─▶  ports
 *          ◀─                     ◀─ list of what to send ──      ◀─ send ────────
 *
 * What it saves stands in docs/performance.md; what it costs is a tick of delay at most. A view into the block is made once
 * for each slot and length, so that nothing is made for a packet.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import type { Native } from '../native-addon.ts'
import type { LostDatagrams } from '../types.ts'
import { type Endpoint, type MediaIo, maxDatagramBytes, type PacketHandler, type PortSockets } from './io.ts'

/** Five seconds of a stream of 20 ms; the kernel keeps twice this. */
const receiveBufferBytes = 256 * 1024

// The block, as native/media-io.cc lays it out.
const slots = 64
const slotBytes = maxDatagramBytes
const sentAt = slots * slotBytes
const sentBytes = 128 * 1024
const receivedAt = sentAt + sentBytes
const receivedWords = 5
const maxSent = 256
const sentWords = 3
const toSendAt = receivedAt + slots * receivedWords * 4
const blockBytes = toSendAt + maxSent * sentWords * 4

/** Batches that are taken before other work has its turn: after a standstill 4,000 streams have more than enough waiting. */
const maxBatches = 256

/** Bound for what is taken before an order. Whoever is so late has other worries, and the order waits. */
const mostDrainMs = 2000

/** After so many looks without a packet (a second) the pauses between them are longer. */
const quietPolls = 200
const quietPauses = 4

const nowhere: Endpoint = { ip: '', port: 0 }

/** One of a pair. */
interface NativeSocket {
  readonly number: number
  readonly handler: PacketHandler
  readonly rtcp: boolean
  source: Endpoint
  /** Where the addon was told to send, and whether it can. */
  target: Endpoint
  reachable: boolean
}

export interface NativeIoOptions {
  readonly clock: Clock
  readonly pollMs: number
  /** Called before each look: what was ordered until now is in force for the packets that are taken. */
  readonly before?: () => void
}

export class NativeIo implements MediaIo {
  readonly #native: Native
  readonly #io: object
  readonly #clock: Clock
  readonly #pollMs: number
  readonly #before: () => void
  readonly #memory = new ArrayBuffer(blockBytes)
  readonly #block = new Uint8Array(this.#memory)
  readonly #received = new Int32Array(this.#memory, receivedAt, slots * receivedWords)
  readonly #toSend = new Int32Array(this.#memory, toSendAt, maxSent * sentWords)
  /** By slot and length. */
  readonly #views = Array.from<Uint8Array | undefined>({ length: slots * (slotBytes + 1) })
  /** By number; numbers are used again. */
  readonly #sockets: (NativeSocket | undefined)[] = []
  #open = 0
  #timer: Timer | undefined
  /** Packets that wait to leave. */
  #waiting = 0
  /** Where in the block there is room for bytes to send. */
  #room = sentAt
  #polling = false
  /** Looks in a row without a packet. */
  #quiet = 0

  /** @throws {Error} when the kernel gives no epoll: no file is left to open. */
  constructor(native: Native, { clock, pollMs, before = () => {} }: NativeIoOptions) {
    this.#native = native
    this.#clock = clock
    this.#pollMs = pollMs
    this.#before = before
    const io = native.create(this.#memory)
    if (!io) throw new Error('the kernel gave no epoll')
    this.#io = io
  }

  // Not async in itself, but others are.
  async open(bindIp: string, rtpPort: number, handler: PacketHandler): Promise<PortSockets | undefined> {
    const rtp = this.#bind(bindIp, rtpPort, handler, false)
    const rtcp = rtp && this.#bind(bindIp, rtpPort + 1, handler, true)
    if (!rtcp) {
      if (rtp) this.#close(rtp)
      return undefined
    }
    this.#timer ??= this.#clock.after(this.#pollMs, this.#poll)
    let open = true
    return {
      sendRtp: (bytes, start, length, to) => {
        if (open) this.#send(rtp, bytes, start, length, to)
      },
      sendRtcp: (bytes, to) => {
        if (open) this.#send(rtcp, bytes, 0, bytes.length, to)
      },
      close: async () => {
        if (!open) return
        this.flush() // a goodbye may wait
        open = false
        this.#close(rtp)
        this.#close(rtcp)
      },
    }
  }

  flush(): void {
    if (this.#waiting > 0) this.#native.send(this.#io, this.#waiting)
    this.#waiting = 0
    this.#room = sentAt
  }

  drain(): void {
    if (this.#open === 0) return
    const untilMs = this.#clock.now() + mostDrainMs
    while (this.#batch() === slots && this.#clock.now() < untilMs);
  }

  lost(): LostDatagrams {
    const [oversized, unsent, dropped] = this.#native.counters(this.#io)
    return { oversized, unsent, dropped }
  }

  #bind(ip: string, port: number, handler: PacketHandler, rtcp: boolean): NativeSocket | undefined {
    const number = this.#native.open(this.#io, ip, port, receiveBufferBytes)
    if (number < 0) return undefined
    const socket = { number, handler, rtcp, source: nowhere, target: nowhere, reachable: false }
    this.#sockets[number] = socket
    this.#open++
    return socket
  }

  #close({ number }: NativeSocket): void {
    this.#native.close(this.#io, number)
    this.#sockets[number] = undefined
    this.#open--
    if (this.#open > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Take what has come and hand it on; what is sent meanwhile leaves at the end of its batch. */
  readonly #poll = (): void => {
    const startedMs = this.#clock.now()
    this.#timer = undefined
    this.#before()
    let batches = 0
    let count = this.#batch()
    this.#quiet = count > 0 ? 0 : this.#quiet + 1
    for (; count === slots && batches < maxBatches; batches++) count = this.#batch()
    if (this.#open === 0) return
    const pauseMs = this.#quiet < quietPolls ? this.#pollMs : quietPauses * this.#pollMs
    const spentMs = count < slots ? this.#clock.now() - startedMs : pauseMs
    this.#timer ??= this.#clock.after(Math.max(0, pauseMs - spentMs), this.#poll)
  }

  /** @returns How many packets came; fewer than there are slots when no more wait. */
  #batch(): number {
    this.flush() // the block is written anew
    const nowMs = this.#clock.now()
    const count = this.#native.poll(this.#io)
    const received = this.#received
    this.#polling = true
    try {
      for (let slot = 0; slot < count; slot++) {
        const at = slot * receivedWords
        const socket = this.#sockets[received[at] ?? 0]
        if (!socket) continue // closed by what came before it
        if (received[at + 2] === 1)
          socket.source = { ip: this.#native.source(this.#io, slot), port: received[at + 3] ?? 0 }
        const bytes = this.#view(slot, received[at + 1] ?? 0)
        const atMs = nowMs - (received[at + 4] ?? 0) / 1000
        if (socket.rtcp) socket.handler.rtcp(bytes, socket.source, atMs)
        else socket.handler.rtp(bytes, socket.source, atMs)
      }
    } finally {
      this.#polling = false
      this.flush()
    }
    return count
  }

  #view(slot: number, length: number): Uint8Array {
    const index = slot * (slotBytes + 1) + length
    return (this.#views[index] ??= this.#block.subarray(slot * slotBytes, slot * slotBytes + length))
  }

  #send(socket: NativeSocket, bytes: Uint8Array, start: number, length: number, to: Endpoint): void {
    if (to !== socket.target) this.#aim(socket, to)
    if (!socket.reachable || length > maxDatagramBytes) return
    const lent = this.#polling && bytes.buffer === this.#memory
    if (this.#waiting === maxSent || (!lent && this.#room + length > receivedAt)) this.flush()
    const at = lent ? bytes.byteOffset + start : this.#copy(bytes, start, length)
    const described = this.#waiting++ * sentWords
    this.#toSend[described] = socket.number
    this.#toSend[described + 1] = at
    this.#toSend[described + 2] = length
  }

  #copy(bytes: Uint8Array, start: number, length: number): number {
    const at = this.#room
    if (start === 0 && length === bytes.length) this.#block.set(bytes, at)
    else for (let i = 0; i < length; i++) this.#block[at + i] = bytes[start + i] ?? 0
    this.#room = at + length
    return at
  }

  /** What waits was sent to where the socket was aimed before. */
  #aim(socket: NativeSocket, to: Endpoint): void {
    const { ip, port } = socket.target
    socket.target = to
    if (to.ip === ip && to.port === port) return
    this.flush()
    socket.reachable = this.#native.aim(this.#io, socket.number, to.ip, to.port) === 1
  }
}
