/**
 * Digits that a peer presses, each told once: by telephone-events, by signalling, and while somebody waits for them also
 * by tones.
 *
 *   port ── event packet, speech, time ─▶ DigitDetector ──┬─▶ digit
 *   Ear ── sound at 8 kHz ─▶ DtmfDetector ────────────────┤
 *   SIP INFO ─▶ SignalledDigits ──────────────────────────┘
 *
 * Tones are listened to only while somebody wants that, for it costs the decoding of all the peer says, and only as long
 * as the peer agrees to no events, for one that sends both would be heard twice.
 */
import { DtmfDetector } from '../../../codec/dtmf-detector.ts'
import type { RtpPacket } from '../../../rtp/packet.ts'
import { type DetectedDigit, DigitDetector, parseTelephoneEvent } from '../../../rtp/telephone-event.ts'
import type { Format } from '../formats.ts'
import type { FrameClock, FrameSink } from '../frame-clock.ts'
import { atRate } from './at-rate.ts'
import type { Ear } from './ear.ts'
import { SignalledDigits } from './signalled-digits.ts'

const toneRateHz = 8000
/** How long a tone has lasted when it is told: how long it goes on is not waited for. */
const toldAfterMs = 45
/** Digits that are told at once, and for each second: more than diallers send is a flood, and is not told. */
const mostAtOnce = 64
const mostInSecond = 20
/** Sound that was made up is heard in this tick and the next, and decoders need as long to find their way back. */
const madeUpTicks = 4

export class DigitsIn implements FrameSink {
  readonly #frames: FrameClock
  readonly #ear: Ear
  readonly #tell: (digit: DetectedDigit) => void
  readonly #signalled = new SignalledDigits()
  #events: DigitDetector
  #nowMs = 0
  #tones: DtmfDetector | undefined
  #wantsTones = false
  #hasEvents = false
  /** Digits that may be told now. */
  #allowed = mostAtOnce
  #passedAtMs = 0
  /** What the ear had made up by the tick before, and for how many ticks it may still be heard. */
  #concealed = 0
  #madeUpTicks = 0

  constructor(frames: FrameClock, ear: Ear, tell: (digit: DetectedDigit) => void) {
    this.#frames = frames
    this.#ear = ear
    this.#tell = (digit) => {
      if (this.#allowed < 1) return
      this.#allowed--
      tell(digit)
    }
    this.#events = this.#detector(toneRateHz)
  }

  /** @param formats What the peer may send. */
  describe(formats: readonly (Format | undefined)[], nowMs: number): void {
    this.#hasEvents = formats.some((format) => format?.kind === 'event')
    this.#listen(nowMs)
  }

  hearTones(on: boolean, nowMs: number): void {
    this.#wantsTones = on
    this.#listen(nowMs)
  }

  /**
   * A digit came by signalling. It is told like any other, unless it came as event or tone as well.
   * @param done Told whether it was.
   */
  signalled(digit: DetectedDigit, nowMs: number, done: (isNew: boolean) => void): void {
    const maySendBoth = this.#hasEvents || this.#tones !== undefined
    this.#signalled.take(digit, maySendBoth, nowMs, (isNew) => {
      if (isNew) this.#tell(digit)
      done(isNew)
    })
  }

  /** A telephone-event came. */
  event(packet: RtpPacket, { clockRateHz }: Format, nowMs: number): void {
    this.#nowMs = nowMs
    if (clockRateHz !== this.#events.clockRateHz) {
      this.#events.restart()
      this.#events = this.#detector(clockRateHz)
    }
    const event = parseTelephoneEvent(packet.bytes, packet.payloadStart, packet.payloadEnd)
    if (!event) return
    this.#events.packet(packet.timestamp, event, nowMs)
    this.#signalled.goesOn(nowMs)
  }

  /** Speech came: it ends an event of which the end was lost. */
  speech(packet: RtpPacket, { clockRateHz }: Format): void {
    if (clockRateHz === this.#events.clockRateHz) this.#events.speech(packet.timestamp)
  }

  /** Another source speaks, or nobody any more. */
  restart(): void {
    this.#events.restart()
  }

  /** Time went by. Call it every 100 ms or so. */
  pass(nowMs: number): void {
    this.#events.tick(nowMs)
    this.#signalled.pass(nowMs)
    this.#allowed = Math.min(mostAtOnce, this.#allowed + ((nowMs - this.#passedAtMs) * mostInSecond) / 1000)
    this.#passedAtMs = nowMs
  }

  tick(tick: number, nowMs: number): void {
    this.#nowMs = nowMs
    const frame = atRate(this.#ear, toneRateHz).read(tick)
    const { concealed } = this.#ear
    this.#madeUpTicks = concealed === this.#concealed ? Math.max(0, this.#madeUpTicks - 1) : madeUpTicks
    this.#concealed = concealed
    if (frame) this.#tones?.listen(frame, 0, frame.length, this.#madeUpTicks > 0)
  }

  close(): void {
    this.#events.restart()
    this.#signalled.close()
    this.#frames.remove(this)
  }

  #listen(nowMs: number): void {
    if (!this.#wantsTones || this.#hasEvents) {
      this.#frames.remove(this)
      this.#tones = undefined
      return
    }
    this.#ear.wake(nowMs)
    this.#tones ??= new DtmfDetector((digit) => {
      this.#signalled.began(digit, this.#nowMs)
      this.#tell({ digit, durationMs: toldAfterMs })
    })
    this.#frames.add(this)
  }

  #detector(clockRateHz: number): DigitDetector {
    return new DigitDetector(clockRateHz, this.#tell, (digit) => this.#signalled.began(digit, this.#nowMs))
  }
}
