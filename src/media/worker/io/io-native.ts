/**
 * MediaIo over the addon: all sockets of a worker are drained at each tick into one block of memory, and what is sent in
 * answer leaves in batches.
 *
 *   kernel ─▶ native/io.h         ── slots of the block ─▶  here  ── lent bytes ─▶  ports
 *          ◀─                     ◀─ list of what to send ──      ◀─ send ────────
 *
 * What it saves stands in docs/performance.md; what it costs is a tick of delay at most. A view into the block is made once
 * for each slot and length, so that nothing is made for a packet.
 */
import type { Clock, Timer } from '../../../core/clock.ts'
import type { Native } from '../../native-addon.ts'
import type { LostDatagrams } from '../../types.ts'
import {
  type Endpoint,
  type MediaIo,
  maxDatagramBytes,
  type PacketHandler,
  type PassRule,
  type PortSockets,
} from './io.ts'
import * as block from './native-block.ts'

/** Five seconds of a stream of 20 ms; the kernel keeps twice this. */
const receiveBufferBytes = 256 * 1024

/** Batches that are taken before other work has its turn: after a standstill 4,000 streams have more than enough waiting. */
const maxBatches = 256

/** Bound for what is taken before an order. Whoever is so late has other worries, and the order waits. */
const mostDrainMs = 2000

/** After so long without a packet looks are that far apart, ms. */
const quietAfterMs = 1000
const quietPauseMs = 20
/** And no nearer than this while all sockets are eased: somebody may send all the same, but nobody waits for it. */
const easedPauseMs = 5

/** All eased sockets are looked at once in this time: they hold ten packets of 20 ms then. */
const easedMs = 200

/** Readings of both clocks when it begins. */
const clockReadings = 20

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
  /** Where its packets went by themselves, and may still: the handler is told of some later. */
  passesTo: NativeSocket | undefined
}

export interface NativeIoOptions {
  readonly clock: Clock
  readonly pollMs: number
  /** Called before each look: what was ordered until now is in force for the packets that are taken. */
  readonly before?: () => void
}

export class NativeIo implements MediaIo {
  readonly stamps = true
  readonly #native: Native
  readonly #io: object
  readonly #clock: Clock
  readonly #pollMs: number
  readonly #before: () => void
  readonly #memory = new ArrayBuffer(block.blockBytes)
  readonly #block = new Uint8Array(this.#memory)
  readonly #received = new Int32Array(
    this.#memory,
    block.receivedAt,
    (block.slots + block.reserved) * block.receivedWords,
  )
  readonly #toSend = new Int32Array(this.#memory, block.toSendAt, block.maxSent * block.sentWords)
  readonly #moment = new Float64Array(this.#memory, block.momentAt, 1)
  /** What to add to the addon's clock to have ours. */
  readonly #clockAheadMs: number
  readonly #passing = new Uint32Array(this.#memory, block.passAt, block.passWords)
  /** By slot and length. */
  readonly #views = Array.from<Uint8Array | undefined>({
    length: (block.slots + block.reserved) * (block.slotBytes + 1),
  })
  /** By number; numbers are used again. */
  readonly #sockets: (NativeSocket | undefined)[] = []
  readonly #rtpOf = new WeakMap<PortSockets, NativeSocket>()
  #open = 0
  #timer: Timer | undefined
  /** Packets that wait to leave. */
  #waiting = 0
  /** Where in the block there is room for bytes to send. */
  #room = block.sentAt
  #polling = false
  /** When eased sockets had their share last. */
  #easedAtMs = 0
  /** Drained while others are drained: their turn is next. */
  readonly #toDrain: NativeSocket[] = []
  #draining = false
  /** Where the packet that is handled has gone already. */
  #passedTo: NativeSocket | undefined
  /** When a packet came last. */
  #heardAtMs = 0
  /** Sockets of RTP that are not eased. */
  #prompt = 0

  /** @throws {Error} when the kernel gives no epoll: no file is left to open. */
  constructor(native: Native, { clock, pollMs, before = () => {} }: NativeIoOptions) {
    this.#native = native
    this.#clock = clock
    this.#pollMs = pollMs
    this.#before = before
    const io = native.create(this.#memory)
    if (!io) throw new Error('the kernel gave no epoll')
    this.#io = io
    this.#clockAheadMs = this.#compareClocks()
  }

  /** Both run alike: what is between them is known best where the readings lay closest together. */
  #compareClocks(): number {
    let [aheadMs, bestMs] = [0, Number.POSITIVE_INFINITY]
    for (let tries = 0; tries < clockReadings; tries++) {
      const beforeMs = this.#clock.now()
      const addonMs = this.#native.now(this.#io)
      const tookMs = this.#clock.now() - beforeMs
      if (tookMs < bestMs) [aheadMs, bestMs] = [beforeMs + tookMs / 2 - addonMs, tookMs]
    }
    return aheadMs
  }

  // Not async in itself, but others are.
  async open(bindIp: string, rtpPort: number, handler: PacketHandler, muxed = false): Promise<PortSockets | undefined> {
    const rtp = this.#bind(bindIp, rtpPort, handler, false)
    let rtcp = muxed ? undefined : rtp && this.#bind(bindIp, rtpPort + 1, handler, true)
    if (!rtp || !(rtcp || muxed)) {
      if (rtp) this.#close(rtp)
      return undefined
    }
    this.#prompt++
    if (!this.#timer) {
      this.#easedAtMs = this.#clock.now()
      this.#heardAtMs = this.#easedAtMs
    }
    this.#timer ??= this.#clock.after(this.#pollMs, this.#poll)
    let open = true
    let eased = false
    const sockets: PortSockets = {
      sendRtp: (bytes, start, length, to) => {
        if (open) this.#send(rtp, bytes, start, length, to)
      },
      sendRtcp: (bytes, to) => {
        if (open) this.#send(rtcp ?? rtp, bytes, 0, bytes.length, to)
      },
      ease: (on) => {
        if (!open || on === eased) return
        eased = on
        this.#prompt += on ? -1 : 1
        this.#native.ease(this.#io, rtp.number, on ? 1 : 0)
      },
      pass: (rule, out) => {
        const to = this.#rtpOf.get(out)
        if (open && to) this.#pass(rtp, rule, to)
      },
      canPass: true,
      drain: () => {
        if (open) this.#drain(rtp)
      },
      separate: async () => {
        if (open) rtcp ??= this.#bind(bindIp, rtpPort + 1, handler, true)
      },
      close: async () => {
        if (!open) return
        this.flush() // a goodbye may wait
        open = false
        if (!eased) this.#prompt--
        this.#close(rtp)
        if (rtcp) this.#close(rtcp)
      },
    }
    this.#rtpOf.set(sockets, rtp)
    return sockets
  }

  flush(): void {
    if (this.#waiting > 0) this.#native.send(this.#io, this.#waiting)
    this.#waiting = 0
    this.#room = block.sentAt
  }

  drain(): void {
    if (this.#open === 0) return
    const untilMs = this.#clock.now() + mostDrainMs
    while (this.#batch(0) < 0 && this.#clock.now() < untilMs);
  }

  lost(): LostDatagrams {
    const [oversized, unsent, dropped] = this.#native.counters(this.#io)
    return { oversized, unsent, dropped }
  }

  #bind(ip: string, port: number, handler: PacketHandler, rtcp: boolean): NativeSocket | undefined {
    const number = this.#native.open(this.#io, ip, port, receiveBufferBytes)
    if (number < 0) return undefined
    const socket = { number, handler, rtcp, source: nowhere, target: nowhere, reachable: false, passesTo: undefined }
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
    const share = Math.min(1, (startedMs - this.#easedAtMs) / easedMs)
    this.#easedAtMs = startedMs
    let count = this.#batch(share)
    if (count !== 0) this.#heardAtMs = startedMs
    for (let batches = 0; count < 0 && batches < maxBatches; batches++) count = this.#batch(0)
    if (this.#open === 0) return
    const pauseMs = this.#pauseMs(startedMs)
    const spentMs = count >= 0 ? this.#clock.now() - startedMs : pauseMs
    this.#timer ??= this.#clock.after(Math.max(0, pauseMs - spentMs), this.#poll)
  }

  #pauseMs(nowMs: number): number {
    if (nowMs - this.#heardAtMs > quietAfterMs) return Math.max(this.#pollMs, quietPauseMs)
    return this.#prompt > 0 ? this.#pollMs : Math.max(this.#pollMs, easedPauseMs)
  }

  /** @returns How many packets came; negative when more wait. */
  #batch(share: number): number {
    this.flush() // the block is written anew
    const answer = this.#native.poll(this.#io, share)
    this.#deliver(0, answer < 0 ? -answer - 1 : answer)
    return answer
  }

  /** Hand on what lies in these slots; what is sent in answer leaves after the last. May be called by who is handed a packet. */
  #deliver(first: number, count: number): void {
    const received = this.#received
    // Of the addon, for between its reading of the clock and one of ours this thread may have stood still.
    const nowMs = (this.#moment[0] ?? 0) + this.#clockAheadMs
    const before = this.#polling
    this.#polling = true
    try {
      for (let slot = first; slot < first + count; slot++) {
        const at = slot * block.receivedWords
        const socket = this.#sockets[received[at] ?? 0]
        if (!socket) continue // closed by what came before it
        const flags = received[at + 2] ?? 0
        if (flags === block.sourceChanged)
          socket.source = { ip: this.#native.source(this.#io, slot), port: received[at + 3] ?? 0 }
        const bytes = this.#view(slot, received[at + 1] ?? 0)
        const atMs = nowMs - (received[at + 4] ?? 0) / 1000
        if (flags === block.passedOn) this.#deliverPassed(socket, bytes, atMs)
        else if (socket.rtcp) socket.handler.rtcp(bytes, socket.source, atMs)
        else socket.handler.rtp(bytes, socket.source, atMs)
      }
    } finally {
      this.#polling = before
      this.flush()
    }
  }

  #deliverPassed(socket: NativeSocket, bytes: Uint8Array, atMs: number): void {
    const before = this.#passedTo
    this.#passedTo = socket.passesTo
    socket.handler.rtp(bytes, socket.source, atMs, true)
    this.#passedTo = before
  }

  #drain(socket: NativeSocket): void {
    this.#toDrain.push(socket)
    if (this.#draining) return
    this.#draining = true
    for (let next = this.#toDrain.shift(); next; next = this.#toDrain.shift()) {
      for (let count = block.reserved; count === block.reserved && this.#sockets[next.number] === next; ) {
        count = this.#native.drain(this.#io, next.number)
        this.#deliver(block.slots, count)
      }
    }
    this.#draining = false
  }

  #pass(socket: NativeSocket, rule: PassRule, out: NativeSocket): void {
    if (!out.reachable) return
    socket.passesTo = out
    const { from } = rule
    this.#passing.set([
      socket.number,
      out.number,
      rule.ssrc,
      rule.outSsrc,
      rule.payloadType,
      rule.outPayloadType,
      rule.newest,
      rule.sequenceOffset,
      rule.timestampOffset,
      rule.mostBytes,
    ])
    this.#native.pass(this.#io, from.ip, from.port)
  }

  #view(slot: number, length: number): Uint8Array {
    const index = slot * (block.slotBytes + 1) + length
    return (this.#views[index] ??= this.#block.subarray(slot * block.slotBytes, slot * block.slotBytes + length))
  }

  #send(socket: NativeSocket, bytes: Uint8Array, start: number, length: number, to: Endpoint): void {
    if (to !== socket.target) this.#aim(socket, to)
    if (!socket.reachable || length > maxDatagramBytes || socket === this.#passedTo) return
    const lent = this.#polling && bytes.buffer === this.#memory
    if (this.#waiting === block.maxSent || (!lent && this.#room + length > block.receivedAt)) this.flush()
    const at = lent ? bytes.byteOffset + start : this.#copy(bytes, start, length)
    const described = this.#waiting++ * block.sentWords
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
