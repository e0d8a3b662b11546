/**
 * Where in a recording the sound of a packet belongs: RTP timestamp to position.
 *
 *   recorder  ── packet, arrival ─▶  here  ── place(packet, position) ─▶  recorder
 *
 * The timestamp decides; the arrival clock only judges whether it can be believed. A packet whose timestamp contradicts
 * the clock by more than two seconds is held back: either the ones behind it catch up (the network or this process
 * stood still for a while, and the timestamps are right), or they go on contradicting for half a second (the sender
 * stood still, or chose other timestamps), and then the time line is joined anew where the clock says. So nothing
 * hostile makes a file longer than the call was, and a stall moves no sample.
 * A sender that stood still for less than that is known by its pace: one pause on the wire, no number and no timestamp
 * jumped over, and afterwards packets that are as late as each other. A network that stood still delivers faster then.
 * Pure: positions are ticks of the RTP clock from the first packet's timestamp, and may be negative when that one came late.
 */
import { extendSequence, extendTimestamp } from '../../../rtp/sequence.ts'
import { ClockDrift, type ClockLine } from './clock-drift.ts'

/** A packet's sound and where its header says it belongs. */
export interface Sampled {
  readonly ssrc: number
  /** uint16 */
  readonly sequence: number
  /** uint32 */
  readonly timestamp: number
  /** How long it sounds, in ticks of its clock. */
  readonly ticks: number
}

/** How far timestamps may differ from the clock before they are doubted, ms. */
const doubtMs = 2000
/** Less than this is jitter, ms. */
const stillMs = 80
/** How much of what a packet is late the pause before it must explain, and the last one held must be late still. */
const stillShare = 0.8
/** Packets in a row that must be late before it is believed that the sender stood still. */
const stillPackets = 5
/** After this thread was late itself, all packets are: for so long nothing is concluded from that, ms. */
const ownLatenessMs = 1000
/** How long doubted packets are held before the time line is joined anew, ms. */
const holdMs = 500
/** Most doubted packets held: eight seconds of 20 ms. */
const maxHeld = 400
/** A new source that begins this close to the end of the old one continues it without a gap, ms. */
const joinMs = 60
/** Sender clocks differ from ours: how fast the comparison follows, ticks a tick (1000 ppm, ten times a bad crystal). */
const followRate = 0.001
/** Sequence numbers further apart than this belong to a sender that started anew (RFC 3550 A.1, MAX_DROPOUT). */
const maxDropout = 3000
/** Sequence numbers remembered, to know a duplicate; a power of two above `maxDropout`. */
const memory = 4096
/** Most lost packets over which a sender may run ahead of the clock. */
const maxBurstLoss = 50

/** One source's way of counting. */
class Stream {
  readonly ssrc: number
  /** Position of an extended timestamp: minus this. */
  readonly offset: number
  highestTimestamp: number
  highestSequence: number
  /** Of the newest packet. */
  ticks: number
  arrival: number
  readonly #seen = new Uint32Array(memory / 32)

  constructor(packet: Sampled, position: number, arrival: number) {
    this.arrival = arrival
    this.ssrc = packet.ssrc
    this.offset = packet.timestamp - position
    this.highestTimestamp = packet.timestamp
    this.highestSequence = packet.sequence
    this.ticks = packet.ticks
  }

  /** Remember a sequence number; false when it was remembered already. */
  see(sequence: number): boolean {
    if (Math.abs(sequence - this.highestSequence) > maxDropout) this.#seen.fill(0)
    else for (let next = this.highestSequence + 1; next <= sequence; next++) this.#set(next, false)
    if (this.#has(sequence)) return false
    this.#set(sequence, true)
    return true
  }

  #has(sequence: number): boolean {
    const slot = sequence & (memory - 1)
    return (((this.#seen[slot >>> 5] ?? 0) >>> (slot & 31)) & 1) === 1
  }

  #set(sequence: number, on: boolean): void {
    const slot = sequence & (memory - 1)
    const bit = 1 << (slot & 31)
    const word = this.#seen[slot >>> 5] ?? 0
    this.#seen[slot >>> 5] = on ? word | bit : word & ~bit
  }
}

interface Held<Packet> {
  readonly packet: Packet
  /** In ticks. */
  readonly arrival: number
}

export class Timeline<Packet extends Sampled> {
  readonly #ticksPerMs: number
  readonly #place: (packet: Packet, position: number) => void
  readonly #keep: (packet: Packet) => Packet
  #current: Stream | undefined
  /** The source before it: its late packets still land in place, and it may come back. */
  #previous: Stream | undefined
  /** Arrival minus position, in ticks, as it should be; follows the sender's clock slowly. */
  #transit = 0
  #followedAt = 0
  /** Just after the last packet placed. */
  #end = 0
  #held: Held<Packet>[] = []
  /** When packets were last read late, in ticks. */
  #lateAt = Number.NEGATIVE_INFINITY
  readonly #drift: ClockDrift

  /**
   * @param place Told for each packet to keep, once.
   * @param keep Copies a packet that has to be held: the one handed in may be used again by its owner.
   */
  constructor(
    clockRateHz: number,
    place: (packet: Packet, position: number) => void,
    keep: (packet: Packet) => Packet,
  ) {
    this.#ticksPerMs = clockRateHz / 1000
    this.#drift = new ClockDrift(clockRateHz)
    this.#place = place
    this.#keep = keep
  }

  /** Take a packet that came at `nowMs`. */
  packet(packet: Packet, nowMs: number): void {
    const arrival = nowMs * this.#ticksPerMs
    if (!this.#current) {
      this.#transit = arrival
      this.#followedAt = arrival
      this.#drift.see(0, arrival)
    }
    if (packet.ssrc !== this.#current?.ssrc) this.#changeSource(packet, arrival)
    if (this.#take(packet, arrival)) return
    this.#held.push({ packet: this.#keep(packet), arrival })
    this.settle(nowMs)
  }

  /** Decide about held packets when they were held long enough. Call it as time goes by. */
  settle(nowMs: number): void {
    const first = this.#held[0]
    if (!first) return
    if (nowMs * this.#ticksPerMs - first.arrival < holdMs * this.#ticksPerMs && this.#held.length < maxHeld) return
    this.#joinHeld()
  }

  /** This thread was busy: packets that are read now came before. */
  readLate(nowMs: number): void {
    this.#lateAt = nowMs * this.#ticksPerMs
  }

  /** Where a source that begins at `nowMs` would begin, in ticks: for one that counts by another clock. */
  joinsAt(nowMs: number): number {
    return this.#joinAt(nowMs * this.#ticksPerMs)
  }

  /** What is known of the sender's clock. */
  get clock(): ClockLine {
    return this.#drift.read()
  }

  /** No more packets come: place what is held. */
  finish(): void {
    this.#joinHeld()
  }

  /** A packet of another source than the last: the one before it, or a new one. */
  #changeSource(packet: Packet, arrival: number): void {
    this.#joinHeld()
    const former = this.#current
    const again = this.#previous
    if (again?.ssrc === packet.ssrc && this.#trusts(again, packet, arrival)) {
      // A straggler of the former source is placed by its own time line; a source that came back goes on with it.
      this.#current = again
    } else {
      this.#current = new Stream(packet, former ? this.#joinAt(arrival) : 0, arrival)
    }
    this.#previous = former
  }

  /** Place the packet if its timestamp can be believed, or drop it as a duplicate; false when it must be held. */
  #take(packet: Packet, arrival: number): boolean {
    const stream = this.#current
    if (!stream) return false
    if (!this.#trusts(stream, packet, arrival)) return false
    const sequence = extendSequence(stream.highestSequence, packet.sequence)
    const timestamp = extendTimestamp(stream.highestTimestamp, packet.timestamp)
    const position = timestamp - stream.offset
    if (sequence > stream.highestSequence) {
      if (this.#mayHaveStood(stream, sequence, timestamp, arrival)) return false
      this.#releaseHeld()
      this.#follow(arrival, position, follows(stream, sequence, timestamp))
      this.#drift.see(position, arrival)
    }
    this.#accept(stream, packet, sequence, timestamp, arrival)
    return true
  }

  /** Right after the newest packet by its numbers, but too late by as much as the pause before it was too long. */
  #mayHaveStood(stream: Stream, sequence: number, timestamp: number, arrival: number): boolean {
    const late = arrival - this.#transit - (timestamp - stream.offset)
    if (late < stillMs * this.#ticksPerMs || this.#readLateBy(arrival)) return false
    if (this.#held.length > 0) return true
    const isNext = sequence === stream.highestSequence + 1 && timestamp === stream.highestTimestamp + stream.ticks
    return isNext && arrival - stream.arrival - stream.ticks >= stillShare * late
  }

  #accept(stream: Stream, packet: Packet, sequence: number, timestamp: number, arrival: number): void {
    if (!stream.see(sequence)) return
    if (sequence >= stream.highestSequence || sequence < stream.highestSequence - maxDropout) {
      stream.arrival = arrival
      stream.highestSequence = sequence
      stream.highestTimestamp = timestamp
      stream.ticks = packet.ticks
    }
    const position = timestamp - stream.offset
    this.#end = Math.max(this.#end, position + packet.ticks)
    this.#place(packet, position)
  }

  #trusts(stream: Stream, packet: Packet, arrival: number): boolean {
    const steps = extendSequence(stream.highestSequence, packet.sequence) - stream.highestSequence
    const timestamp = extendTimestamp(stream.highestTimestamp, packet.timestamp)
    const ticks = timestamp - stream.highestTimestamp
    // Late or a duplicate: it must not lie after what was sent after it.
    if (steps <= 0 && steps >= -maxDropout) return ticks <= 0
    if (ticks < 0) return false
    const ahead = timestamp - stream.offset + this.#transit - arrival
    return Math.abs(ahead) <= doubtMs * this.#ticksPerMs
  }

  /** What is held was only late: the timestamps were right. What is further ahead than the clock was a stray. */
  #releaseHeld(): void {
    const stream = this.#current
    if (this.#held.length === 0 || !stream) return
    const held = this.#held
    this.#held = []
    for (const { packet, arrival } of held) {
      const sequence = extendSequence(stream.highestSequence, packet.sequence)
      const timestamp = extendTimestamp(stream.highestTimestamp, packet.timestamp)
      const inOrder = sequence > stream.highestSequence === timestamp > stream.highestTimestamp
      const ahead = timestamp - stream.offset + this.#transit - arrival
      if (inOrder && ahead <= 0) this.#accept(stream, packet, sequence, timestamp, arrival)
    }
  }

  /** What is held goes on contradicting: join it to the time line where the clock says it came. */
  #joinHeld(): void {
    const first = this.#held[0]
    if (!first) return
    if (this.#isOnlyLate(first)) return this.#releaseHeld()
    const held = this.#held
    this.#held = []
    const stream = new Stream(first.packet, this.#joinAt(first.arrival), first.arrival)
    this.#current = stream
    for (const { packet, arrival } of held) {
      if (!this.#trusts(stream, packet, arrival)) continue
      const sequence = extendSequence(stream.highestSequence, packet.sequence)
      this.#accept(stream, packet, sequence, extendTimestamp(stream.highestTimestamp, packet.timestamp), arrival)
    }
  }

  #readLateBy(arrival: number): boolean {
    return arrival - this.#lateAt < ownLatenessMs * this.#ticksPerMs
  }

  /** The first that is held could be believed but for the pause before it, and too few came since, or less late. */
  #isOnlyLate(first: Held<Packet>): boolean {
    const stream = this.#current
    const last = this.#held.at(-1)
    if (!stream || !last || !this.#trusts(stream, first.packet, first.arrival)) return false
    if (this.#readLateBy(first.arrival)) return true
    const lateness = ({ packet, arrival }: Held<Packet>): number =>
      arrival - this.#transit - (extendTimestamp(stream.highestTimestamp, packet.timestamp) - stream.offset)
    return this.#held.length < stillPackets || lateness(last) < stillShare * lateness(first)
  }

  /** Where a source that begins now begins: where the clock says, but never over samples that are there already. */
  #joinAt(arrival: number): number {
    const position = Math.round(arrival - this.#transit)
    return position < this.#end + joinMs * this.#ticksPerMs ? this.#end : position
  }

  /**
   * Let the comparison with the clock follow: at once to the packet that was quickest on its way, as long as packets
   * follow each other (a burst may play faster than time runs), and slowly to a sender whose clock runs a little faster
   * or slower than ours.
   */
  #follow(arrival: number, position: number, closely: boolean): void {
    const most = Math.max(0, arrival - this.#followedAt) * followRate
    this.#followedAt = arrival
    const off = arrival - position - this.#transit
    this.#transit += off < 0 && closely ? off : Math.max(-most, Math.min(most, off))
  }
}

/** Whether a packet comes right after the newest one, but for some lost between: no timestamp was jumped over. */
function follows(stream: Stream, sequence: number, timestamp: number): boolean {
  const steps = sequence - stream.highestSequence
  return steps <= maxBurstLoss && timestamp - stream.highestTimestamp <= steps * stream.ticks
}
