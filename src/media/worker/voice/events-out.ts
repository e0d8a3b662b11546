/**
 * Digits that go to a port's peer: those its bridged party presses, and those we send ourselves.
 *
 *   telephone-event of the bridged party ─▶ same clock: as it is, or told anew in the peer's clock ─▶ wire
 *                                          no telephone-event at the peer: a tone, as long as the event ─▶ Heard
 *   sendDigits ─▶ the packets of RFC 4733 §2.5.1, or tones
 *
 * While a digit goes out as events, no speech does: who turns events into tones must not get both.
 */

import { ToneSource } from '../../../codec/tone.ts'
import { dtmfTone } from '../../../codec/tones.ts'
import { type RtpPacket, rtpHeaderBytes, writeUint16 } from '../../../rtp/packet.ts'
import { timestampDistance, uint32 } from '../../../rtp/sequence.ts'
import { type DigitPacket, digitOf, digitPackets, parseTelephoneEvent } from '../../../rtp/telephone-event.ts'
import type { Format } from '../formats.ts'
import type { FrameClock, FrameSink } from '../frame-clock.ts'
import type { Outgoing } from '../outgoing.ts'
import { frameMs, frameSamples, type SoundSource } from '../sound.ts'
import type { Wire } from './speaker.ts'

/** An event whose end was lost is over after so long, ms. */
const lostEndMs = 120
const eventBytes = 4
const mostTicks = 0xffff
/** The shortest tone that a receiver must take, with some reserve for a lost frame (ITU-T Q.24: 40 ms). */
const shortestToneMs = 60
/** Between two tones, whatever was lost of the first: the same digit twice is not to be one (Q.24: 40 ms). */
const shortestPauseMs = 60
const toneRateHz = 8000
/** Strings of digits that wait for those before them. */
const mostWaiting = 64

/** One for all ports of a worker. */
const out = new Uint8Array(rtpHeaderBytes + eventBytes)

export interface DigitTiming {
  readonly toneMs: number
  readonly pauseMs: number
  /** Whether tones can be sent. */
  readonly speech: boolean
}

export class EventsOut implements FrameSink {
  readonly #wire: Wire
  readonly #frames: FrameClock
  readonly #sent: Outgoing
  readonly #say: (source: SoundSource) => () => void
  #formats: readonly Format[] = []
  /** The event that is told anew: its timestamp there, and here. */
  #relayed: { readonly ssrc: number; readonly from: number; readonly timestamp: number } | undefined
  #busyUntilMs = 0
  #tone: EventTone | undefined
  readonly #sending: Sending[] = []

  /** @param say Let the peer hear a tone; ends when called. */
  constructor(wire: Wire, frames: FrameClock, sent: Outgoing, say: (source: SoundSource) => () => void) {
    this.#wire = wire
    this.#frames = frames
    this.#sent = sent
    this.#say = say
  }

  describe(formats: readonly Format[]): void {
    this.#formats = formats.filter(({ kind }) => kind === 'event')
  }

  /** Whether a digit is on its way in place of speech. */
  busy(nowMs: number): boolean {
    return nowMs < this.#busyUntilMs
  }

  /** Whether nothing of ours leaves, or is about to. */
  idle(nowMs: number): boolean {
    return this.#sending.length === 0 && !this.busy(nowMs)
  }

  /**
   * An event packet of the bridged party.
   * @param bySound Its speech does not come to `relay`, so that its numbers are not ours.
   */
  relay(packet: RtpPacket, from: Format, bySound: boolean, nowMs: number): void {
    const to = this.#formatFor(from.clockRateHz)
    if (!this.#wire.open) return this.#sent.skip(packet)
    if (!to) {
      this.#sent.skip(packet)
      return this.#playEvent(packet, from)
    }
    const asItIs = !bySound && to.clockRateHz === from.clockRateHz && from.clockRateHz === this.#sent.clockRateHz
    if (!asItIs) return this.#tellAnew(packet, from, to, nowMs)
    const start = this.#sent.rewrite(packet, to.payloadType, nowMs)
    if (start !== undefined) this.#wire.send(packet.bytes, start, packet.payloadEnd - start)
  }

  /** See Speaker.sendDigits. */
  send(digits: string, { toneMs, pauseMs, speech }: DigitTiming, done: (complete: boolean) => void): boolean {
    const format = this.#formatFor(this.#sent.clockRateHz)
    if (!this.#wire.open || (!format && !speech) || this.#sending.length >= mostWaiting) return false
    this.#sending.push({ digits, format, toneMs, pauseMs, done, begun: undefined, stop: undefined })
    this.#frames.add(this)
    return true
  }

  tick(tick: number, nowMs: number): void {
    const sending = this.#sending[0]
    if (!sending) return this.#frames.remove(this)
    sending.begun ??= this.#begin(sending, tick, nowMs)
    if (sending.begun.packets) this.#sendDue(sending, sending.begun, tick, nowMs)
    if ((tick - sending.begun.tick) * frameMs < sending.toneMs + sending.pauseMs) return
    sending.stop?.()
    sending.stop = undefined
    sending.begun = undefined
    sending.digits = sending.digits.slice(1)
    if (sending.digits !== '') return
    this.#sending.shift()
    sending.done(true)
  }

  /** Whoever waits is told that it is over. */
  close(): void {
    this.#frames.remove(this)
    for (const { stop, done } of this.#sending.splice(0)) {
      stop?.()
      done(false)
    }
    this.#tone?.stop()
  }

  /** The peer's event of this clock, or of any. */
  #formatFor(clockRateHz: number): Format | undefined {
    return this.#formats.find((format) => format.clockRateHz === clockRateHz) ?? this.#formats[0]
  }

  #begin(sending: Sending, tick: number, nowMs: number): Begun {
    const { format, toneMs } = sending
    const digit = sending.digits.charAt(0)
    if (!format) {
      const tone = dtmfTone(digit)
      if (tone)
        sending.stop = this.#say(new PlainTone(new ToneSource({ ...tone, cadenceMs: [toneMs, silenceMs] }, toneRateHz)))
      return { tick, timestamp: 0, packets: undefined, next: 0 }
    }
    const packets = digitPackets(digit, toneMs, format.clockRateHz)
    return { tick, timestamp: this.#sent.nextTimestamp(nowMs), packets, next: 0 }
  }

  #sendDue({ format, toneMs }: Sending, begun: Begun, tick: number, nowMs: number): void {
    const elapsedMs = (tick - begun.tick) * frameMs
    if (elapsedMs <= toneMs) this.#busyUntilMs = nowMs + 2 * frameMs
    for (;;) {
      const packet = begun.packets?.[begun.next]
      // The first leaves at once: it tells of what the digit has lasted by its end.
      if (!format || !packet || packet.atMs - frameMs > elapsedMs) return
      begun.next++
      out.set(packet.payload, rtpHeaderBytes)
      const timestamp = uint32(begun.timestamp + packet.timestampOffset)
      this.#sendEvent(format, packet.marker, timestamp)
    }
  }

  /** The same event with our numbers, in the clock of the peer's events. */
  #tellAnew(packet: RtpPacket, from: Format, to: Format, nowMs: number): void {
    // Its number is not used: a hole behind each digit would be taken for loss.
    this.#sent.skip(packet)
    const event = parseTelephoneEvent(packet.bytes, packet.payloadStart, packet.payloadEnd)
    if (!event) return
    const known = this.#relayed
    const distance = known?.ssrc === packet.ssrc ? timestampDistance(known.from, packet.timestamp) : 1
    // A late packet of the event before would begin it again.
    if (distance < 0 && distance > -lateTicks) return
    if (distance !== 0) {
      this.#relayed = { ssrc: packet.ssrc, from: packet.timestamp, timestamp: this.#sent.nextTimestamp(nowMs) }
    }
    this.#busyUntilMs = event.end ? nowMs : nowMs + lostEndMs
    for (let i = 0; i < eventBytes; i++) out[rtpHeaderBytes + i] = packet.bytes[packet.payloadStart + i] ?? 0
    const ticks = Math.round((event.durationTicks * to.clockRateHz) / from.clockRateHz)
    // The duration holds 1.4 s at 48 kHz: a longer digit goes on in another segment (§2.5.1.3).
    const segmentStart = Math.floor(Math.max(0, ticks - 1) / mostTicks) * mostTicks
    writeUint16(out, rtpHeaderBytes + 2, ticks - segmentStart)
    this.#sendEvent(to, distance !== 0, uint32((this.#relayed?.timestamp ?? 0) + segmentStart))
  }

  #sendEvent(format: Format, marker: boolean, timestamp: number): void {
    const { packets, ssrc } = this.#sent
    if (packets === 0 && format.clockRateHz !== this.#sent.clockRateHz) this.#sent.changeSsrc(ssrc, format.clockRateHz)
    this.#sent.ownEvent(out, 0, format.payloadType, eventBytes, { marker, timestamp })
    this.#wire.send(out, 0, out.length)
  }

  /** The peer takes no events: it hears the tone that the event stands for. */
  #playEvent(packet: RtpPacket, { clockRateHz }: Format): void {
    const event = parseTelephoneEvent(packet.bytes, packet.payloadStart, packet.payloadEnd)
    const tone = event && dtmfTone(digitOf(event.event) ?? '')
    if (!event || !tone) return
    const durationMs = (event.durationTicks * 1000) / clockRateHz
    const known = this.#tone
    if (known?.ssrc === packet.ssrc) {
      if (known.timestamp === packet.timestamp) return known.lasts(durationMs, event.end)
      const distance = timestampDistance(known.timestamp, packet.timestamp)
      if (distance < 0 && distance > -lateTicks) return
    }
    const pauseMs = known ? shortestPauseMs - known.silentMs(this.#frames.tick) : 0
    known?.stop()
    const playing = new EventTone(packet, new ToneSource(tone, toneRateHz), pauseMs)
    playing.lasts(durationMs, event.end)
    playing.stop = this.#say(playing)
    this.#tone = playing
  }
}

/** Longer than any pause: the tone sounds once. */
const silenceMs = 60_000
/** One second and more at every clock. */
const lateTicks = 96_000

interface Begun {
  readonly tick: number
  readonly timestamp: number
  /** Undefined for a tone. */
  readonly packets: readonly DigitPacket[] | undefined
  /** The packet that leaves next. */
  next: number
}

interface Sending {
  digits: string
  /** Undefined for tones. */
  readonly format: Format | undefined
  readonly toneMs: number
  readonly pauseMs: number
  readonly done: (complete: boolean) => void
  /** Of the first of the digits. */
  begun: Begun | undefined
  stop: (() => void) | undefined
}

const silence = new Int16Array(frameSamples(toneRateHz))

class PlainTone implements SoundSource {
  readonly sampleRateHz = toneRateHz
  readonly #tone: ToneSource
  readonly #frame = new Int16Array(frameSamples(toneRateHz))
  #tick = Number.NaN

  constructor(tone: ToneSource) {
    this.#tone = tone
  }

  read(tick: number): Int16Array {
    if (tick !== this.#tick) this.#tone.make(this.#frame, 0, this.#frame.length)
    this.#tick = tick
    return this.#frame
  }
}

/** The tone of an event, until its end is told, or nothing more is heard of it. */
class EventTone extends PlainTone {
  readonly ssrc: number
  readonly timestamp: number
  stop: () => void = () => {}
  #lastsMs = 0
  #ended = false
  #madeMs = 0
  #pauseMs: number
  /** The first without a tone. */
  #overTick: number | undefined
  #readTick = Number.NaN

  /** @param pauseMs Of silence before it. */
  constructor({ ssrc, timestamp }: RtpPacket, tone: ToneSource, pauseMs: number) {
    super(tone)
    this.ssrc = ssrc
    this.timestamp = timestamp
    this.#pauseMs = pauseMs
  }

  /** How long it has been over. */
  silentMs(tick: number): number {
    return this.#overTick === undefined ? 0 : (tick - this.#overTick + 1) * frameMs
  }

  /** How long it lasts as far as is known. */
  lasts(durationMs: number, ended: boolean): void {
    this.#lastsMs = Math.max(this.#lastsMs, durationMs)
    this.#ended ||= ended
  }

  override read(tick: number): Int16Array {
    const isNew = tick !== this.#readTick
    this.#readTick = tick
    if (isNew) this.#pauseMs -= frameMs
    if (this.#pauseMs > -frameMs) return silence
    const frame = super.read(tick)
    if (!isNew) return frame
    const untilMs = Math.max(shortestToneMs, this.#ended ? this.#lastsMs : this.#lastsMs + lostEndMs)
    if (this.#madeMs >= untilMs) {
      this.#overTick = tick
      this.stop()
      frame.fill(0)
    }
    this.#madeMs += frameMs
    return frame
  }
}
