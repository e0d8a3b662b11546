/**
 * Digits as RTP packets: telephone-events. RFC 4733.
 *
 *   port   ── payload ──▶  DigitDetector  ── digit, once ─▶  media
 *   phone  ◀─ payloads ──  digitPayloads  ◀─ digit ────────
 *
 * A digit is told when it ends: by its end packet, or, when all three end packets were lost, by the next digit, by
 * speech, or by silence. Missing: events other than the sixteen DTMF digits (flash, fax tones): they are not told.
 */
import { readUint16, writeUint16 } from './packet.ts'
import { timestampDistance, uint32 } from './sequence.ts'

/** Event codes 0..15, RFC 4733 §3.2. */
const digits = '0123456789*#ABCD'

export interface TelephoneEvent {
  /** 0..255 */
  readonly event: number
  readonly end: boolean
  /** Power level below 0 dBm0, 0..63 dB. */
  readonly volume: number
  /** Ticks since the packet's timestamp, uint16. */
  readonly durationTicks: number
}

/** The event code of a digit 0-9 * # A-D; undefined for anything else. */
function eventOf(digit: string): number | undefined {
  const event = digit.length === 1 ? digits.indexOf(digit.toUpperCase()) : -1
  return event < 0 ? undefined : event
}

/** The digit of an event code; undefined for other events. */
export const digitOf = (event: number): string | undefined => digits[event]

/** RFC 4733 §2.3; undefined when shorter than an event. Redundant events behind it (RFC 2198) are not read. */
export function parseTelephoneEvent(bytes: Uint8Array, from = 0, to = bytes.length): TelephoneEvent | undefined {
  if (to - from < 4) return undefined
  const flags = bytes[from + 1] ?? 0
  return {
    event: bytes[from] ?? 0,
    end: flags >= 0x80,
    volume: flags & 0x3f,
    durationTicks: readUint16(bytes, from + 2),
  }
}

export function printTelephoneEvent(event: TelephoneEvent): Uint8Array {
  const bytes = Uint8Array.of(event.event, (event.end ? 0x80 : 0) | (event.volume & 0x3f), 0, 0)
  writeUint16(bytes, 2, event.durationTicks)
  return bytes
}

/** One packet of a digit: payload, and how its header differs from that of speech. */
export interface DigitPacket {
  readonly payload: Uint8Array
  /** Only the first packet of a digit carries the marker. */
  readonly marker: boolean
  /** To add to the timestamp at which the digit began; not zero only in later segments of a long one. */
  readonly timestampOffset: number
  /** When to send it, after the digit began; the last three fall together. */
  readonly atMs: number
}

/** Longest event that the 16-bit duration holds; a longer one goes on in a new segment (RFC 4733 §2.5.1.3). */
const segmentTicks = 0xffff
const packetMs = 20
const volumeDbm0 = 10

/**
 * The packets of one digit: one each 20 ms, the last three times (RFC 4733 §2.5.1.4).
 *
 * @param digit 0-9 * # A-D.
 * @param toneMs Its length; receivers need 40 (ITU-T Q.24). Rounded up to whole packets.
 * @throws {RangeError} when it is no digit.
 */
export function digitPackets(digit: string, toneMs: number, clockRateHz = 8000): DigitPacket[] {
  const event = eventOf(digit)
  if (event === undefined) throw new RangeError(`no DTMF digit: ${digit}`)
  const packetTicks = (clockRateHz * packetMs) / 1000
  const count = Math.max(1, Math.ceil(toneMs / packetMs))
  const packets: DigitPacket[] = []
  let segmentStart = 0
  for (let i = 1; i <= count; i++) {
    const end = i === count
    if (i * packetTicks - segmentStart > segmentTicks)
      segmentStart += Math.floor(segmentTicks / packetTicks) * packetTicks
    const durationTicks = i * packetTicks - segmentStart
    const payload = printTelephoneEvent({ event, end, volume: volumeDbm0, durationTicks })
    const packet = { payload, marker: i === 1, timestampOffset: segmentStart, atMs: i * packetMs }
    packets.push(packet)
    if (end) packets.push({ ...packet, marker: false }, { ...packet, marker: false })
  }
  return packets
}

export interface DetectedDigit {
  readonly digit: string
  readonly durationMs: number
}

interface Running {
  readonly event: number
  /** Of the first segment. */
  readonly startTimestamp: number
  /** Of the segment we are in. */
  segmentTimestamp: number
  /** Longest duration seen in this segment. */
  segmentTicks: number
  lastSeenMs: number
}

/** No packet of a digit for so long, and it has ended: its end packets were lost. RFC 4733 §2.6.1 says three packets or so. */
const lostEndMs = 120
/** How far a segment may start from where the last one stopped and still continue it, in ticks. */
const segmentTolerance = 1600

/** Tells each digit of one stream once, when it has ended. Time is handed in. */
export class DigitDetector {
  readonly clockRateHz: number
  readonly #tell: (digit: DetectedDigit) => void
  readonly #begins: (digit: string) => void
  #running: Running | undefined
  /** Timestamp of the newest segment of the last digit told: what is not newer is a repetition of it. */
  #toldTimestamp: number | undefined

  /** @param begins Told of each digit when its first packet comes. */
  constructor(clockRateHz: number, tell: (digit: DetectedDigit) => void, begins: (digit: string) => void = () => {}) {
    this.clockRateHz = clockRateHz
    this.#tell = tell
    this.#begins = begins
  }

  /** A telephone-event packet came. */
  packet(timestamp: number, event: TelephoneEvent, nowMs: number): void {
    if (event.event >= digits.length) return
    if (this.#toldTimestamp !== undefined && timestampDistance(this.#toldTimestamp, timestamp) <= 0) return
    let running = this.#running
    if (running && timestamp !== running.segmentTimestamp) {
      if (timestampDistance(running.segmentTimestamp, timestamp) < 0) return // late packet of an earlier segment
      if (continues(running, timestamp, event)) {
        running.segmentTimestamp = timestamp
        running.segmentTicks = 0
      } else {
        this.#end()
        running = undefined
      }
    }
    if (!running) {
      running = {
        event: event.event,
        startTimestamp: timestamp,
        segmentTimestamp: timestamp,
        segmentTicks: 0,
        lastSeenMs: nowMs,
      }
      this.#begins(digits[event.event] ?? '')
    }
    this.#running = running
    running.segmentTicks = Math.max(running.segmentTicks, event.durationTicks)
    running.lastSeenMs = nowMs
    if (event.end) this.#end()
  }

  /** Speech sampled at `timestamp` came: a digit that began before it is over. */
  speech(timestamp: number): void {
    const running = this.#running
    if (!running) return
    const stopped = uint32(running.segmentTimestamp + running.segmentTicks)
    if (timestampDistance(stopped, timestamp) >= 0) this.#end()
  }

  /** Time went by. Call it every 100 ms or so. */
  tick(nowMs: number): void {
    if (this.#running && nowMs - this.#running.lastSeenMs >= lostEndMs) this.#end()
  }

  /** The stream is over, or another source begins: tell the digit that was still running, forget its timestamps. */
  restart(): void {
    this.#end()
    this.#toldTimestamp = undefined
  }

  #end(): void {
    const running = this.#running
    if (!running) return
    this.#running = undefined
    this.#toldTimestamp = running.segmentTimestamp
    const ticks = timestampDistance(running.startTimestamp, running.segmentTimestamp) + running.segmentTicks
    this.#tell({ digit: digits[running.event] ?? '', durationMs: Math.round((ticks * 1000) / this.clockRateHz) })
  }
}

/** RFC 4733 §2.5.1.3: a long event goes on in a segment that starts where the 16-bit duration of the last one ended. */
function continues(running: Running, timestamp: number, event: TelephoneEvent): boolean {
  if (event.event !== running.event) return false
  const full = running.segmentTicks > segmentTicks - segmentTolerance
  const stopped = uint32(running.segmentTimestamp + running.segmentTicks)
  return full && Math.abs(timestampDistance(stopped, timestamp)) <= segmentTolerance
}
