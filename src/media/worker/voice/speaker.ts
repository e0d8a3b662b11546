/**
 * All that a port sends to its peer.
 *
 *   bridged port ── packet ─▶ does the peer take it, and is nothing else to be heard? ─▶ header rewritten ──────────▶ wire
 *                             else: ear of that port ─▶ Heard (base, what is laid over) ─▶ Encoded ─▶ packets ─▶
 *   digits to send ─▶ telephone-events, or tones
 *
 * The way is chosen anew with each packet that comes, each description and each sound that begins or ends; nothing has to
 * be switched back. Sequence and timestamps go on whichever way is taken (outgoing.ts).
 */
import type { Codec } from '../../../codec/codec.ts'
import { codecFor } from '../../../codec/codecs.ts'
import { convertG711InPlace, type G711Law } from '../../../codec/g711.ts'
import { randomUint32 } from '../../../core/random.ts'
import { type RtpPacket, rtpHeaderBytes } from '../../../rtp/packet.ts'
import type { PortDescription } from '../../types.ts'
import { type Format, isSame, sentFormats } from '../formats.ts'
import type { FrameClock, FrameSink } from '../frame-clock.ts'
import type { Outgoing, SteadyRewrite } from '../outgoing.ts'
import { frameMs, type SoundSource } from '../sound.ts'
import type { Ear } from './ear.ts'
import { type Encoded, encoded, mostPayloadBytes, packetMsFor } from './encoded.ts'
import { EventsOut } from './events-out.ts'
import { Heard, type Laying } from './heard.ts'
import type { SentSound } from './sent-sound.ts'

/** The port, as what is sent goes out by it. */
export interface Wire {
  /** Whether there is somewhere to send to. */
  readonly open: boolean
  /**
   * Encrypt and send `length` of `bytes` from `start`; they may be used again when this returns.
   * @param atMs When what is relayed came.
   */
  send(bytes: Uint8Array, start: number, length: number, atMs?: number): void
  /** The stream is over: what follows has another SSRC. */
  bye(): void
}

/** A bridged party who sent nothing for so long is not spoken for any longer, ms: as when its packets were relayed. */
const quietMs = 1000
/**
 * What comes so soon after a change was sent before it, ms; and nobody is to make an encoder, or a stream, of us with each
 * packet.
 */
const stragglerMs = 100
/** Opus in silence (DTX): a packet that need not be sent (RFC 6716 §2.1.9). */
const silentBytes = 2

/** One for all ports of a worker: what is sent is taken before the next is made. */
const out = new Uint8Array(rtpHeaderBytes + mostPayloadBytes)

/** What is relayed goes on with such headers. */
export interface SteadyRelay extends SteadyRewrite {
  readonly outPayloadType: number
}

export class Speaker implements FrameSink {
  /** What the peer hears, as sound. */
  readonly heard = new Heard()
  readonly #wire: Wire
  readonly #frames: FrameClock
  readonly #sent: Outgoing
  readonly #events: EventsOut
  #described = ''
  /** What the peer takes, the best first. */
  #formats: readonly Format[] = []
  #ptimeMs: number | undefined
  #maxPtimeMs: number | undefined
  /** The voice of the bridged party. */
  #bridged: Ear | undefined
  /** The same made better: then it is always decoded. */
  #improved: SoundSource | undefined
  /** Is told what the peer hears: then that is always sound. */
  #listener: SentSound | undefined
  /** What is heard in its place: a mixer, music. */
  #instead: SoundSource | undefined
  /** What came last, and as what the peer takes it. */
  #from: Format | undefined
  #to: Format | undefined
  /** What was sent last: sound of our own stays in the codec that the peer hears already. */
  #last: Format | undefined
  #followedAtMs = Number.NEGATIVE_INFINITY
  /** The bridged party sends what the peer does not take. */
  #transcodes = false
  #transcodesSinceMs = 0
  #clockChangedAtMs = Number.NEGATIVE_INFINITY
  #running = false
  #ticking = false
  #closed = false
  #encoded: Encoded | undefined
  #encodedFrom: SoundSource | undefined
  #encodedAs: Format | undefined
  /** The rate that the sound deserved. */
  #encodedHz = 0
  /** What the peer loses of it. */
  #lossPercent = 0

  constructor(wire: Wire, frames: FrameClock, sent: Outgoing) {
    this.#wire = wire
    this.#frames = frames
    this.#sent = sent
    // A digit that finds no room is not heard: no packet of a peer's may throw.
    const say = (source: SoundSource): (() => void) => (this.heard.full ? () => {} : this.say(source, 'instead'))
    this.#events = new EventsOut(wire, frames, sent, say)
  }

  describe({ send, ptimeMs, maxPtimeMs }: PortDescription): void {
    // A refresh of the session (RFC 4028) says what was said before: encoders go on.
    const described = JSON.stringify([send, ptimeMs, maxPtimeMs])
    if (described === this.#described) return
    this.#described = described
    this.#formats = sentFormats(send)
    this.#ptimeMs = ptimeMs
    this.#maxPtimeMs = maxPtimeMs
    this.#from = undefined
    this.#to = undefined
    const last = this.#last
    this.#last = last && this.#formats.find((format) => isSame(format, last))
    this.#events.describe(this.#formats)
    this.#release()
    this.#update()
  }

  /**
   * Whose packets come to `relay`; undefined when no bridge is.
   * @param improved The same voice, better: heard in its place, and never relayed.
   */
  bridge(voice: Ear | undefined, improved?: SoundSource): void {
    this.#bridged = voice
    this.#improved = improved
    this.#from = undefined
    this.#transcodes = false
    this.#chooseBase()
  }

  /** Tell this what the peer hears, each tick; undefined: nobody. */
  tell(listener: SentSound | undefined): void {
    this.#listener = listener
  }

  /** Let the peer hear this in place of the bridged party, from now on; undefined: the bridged party again. */
  hear(source: SoundSource | undefined): void {
    this.#instead = source
    this.#chooseBase()
  }

  /**
   * Let the peer hear a sound besides, or instead.
   *
   * @returns Ends it; twice is fine.
   * @throws {RangeError} for the seventeenth at once.
   */
  say(source: SoundSource, how: Laying): () => void {
    const end = this.heard.lay(source, how)
    this.#update()
    return () => {
      end()
      this.#update()
    }
  }

  /**
   * Send digits, as events where the peer takes them, else as tones.
   * @param done Told when the last has left, or the port has closed before.
   * @returns False when neither can be sent.
   */
  sendDigits(digits: string, toneMs: number, pauseMs: number, done: (complete: boolean) => void): boolean {
    return this.#events.send(digits, { toneMs, pauseMs, speech: this.#ownFormat() !== undefined }, done)
  }

  /**
   * The peer reports how much of what we send it loses, 0 to 1: what carries copies carries more of them. Losses that come
   * are followed at once, those that go slowly.
   */
  hearLoss(share: number): void {
    const percent = Math.round(100 * share)
    this.#lossPercent = percent > this.#lossPercent ? percent : Math.floor((this.#lossPercent + percent) / 2)
    if (!this.#encodedFrom?.shared) this.#encoded?.adapt(this.#lossPercent)
  }

  /** Before the bridged port relays a packet: decide how it goes on, and wake its ear when that is by sound. */
  prepare(packet: RtpPacket, from: Format, nowMs: number): void {
    if (from.kind !== 'speech') return
    if (from !== this.#from) this.#choose(from)
    if (this.#to && this.#to !== this.#last) this.#follow(this.#to, nowMs)
    if (this.heard.layered || this.#instead) return
    const asIs = !this.#improved && !this.#listener
    const relays = asIs && this.#to !== undefined && this.#fits(packet, from)
    if (relays || !from.codec || !this.#ownFormat()) {
      if (!this.#transcodes || nowMs - this.#transcodesSinceMs < stragglerMs) return
      this.#transcodes = false
      return this.#update()
    }
    this.#bridged?.wake(nowMs)
    if (this.#transcodes) return
    this.#transcodes = true
    this.#transcodesSinceMs = nowMs
    this.#update()
  }

  /** Send a packet that the bridged port received, if it goes across as it is. Its payload may be changed. */
  relay(packet: RtpPacket, from: Format, nowMs: number): void {
    if (from.kind === 'event') return this.#events.relay(packet, from, this.#speaks, nowMs)
    const to = from.kind === 'noise' ? this.#formats.find((format) => isSame(format, from)) : this.#to
    if (this.#speaks || !to || !this.#wire.open || this.#events.busy(nowMs)) return this.#sent.skip(packet)
    if (from.encoding !== to.encoding) {
      const bytes = packet.payloadEnd - packet.payloadStart
      convertG711InPlace(from.encoding as G711Law, packet.bytes, packet.payloadStart, bytes)
    }
    if (to.clockRateHz !== this.#sent.clockRateHz && this.#sent.packets > 0) {
      // Noise is of the clock of the speech beside it (RFC 3389 §4): no stream is begun for that of another.
      const goes = from.kind === 'speech' && nowMs - this.#clockChangedAtMs >= stragglerMs
      if (!goes) return this.#sent.skip(packet)
      this.#clockChangedAtMs = nowMs
    }
    this.#useClock(to)
    const start = this.#sent.rewrite(packet, to.payloadType, nowMs)
    if (start !== undefined) this.#wire.send(packet.bytes, start, packet.payloadEnd - start, nowMs)
  }

  /** How packets like this one, which was relayed last, go on as long as nothing changes; undefined when it is not that simple. */
  rule(packet: RtpPacket, from: Format, nowMs: number): SteadyRelay | undefined {
    const to = this.#to
    const follows = from === this.#from && to !== undefined && to === this.#last
    if (!follows || from.kind !== 'speech' || to.encoding !== from.encoding) return undefined
    if (this.#running || this.heard.layered || this.#improved || this.#listener) return undefined
    if (!this.#wire.open || !this.#events.idle(nowMs) || to.clockRateHz !== this.#sent.clockRateHz) return undefined
    const rule = this.#sent.rule(packet)
    return rule && { ...rule, outPayloadType: to.payloadType }
  }

  tick(tick: number, nowMs: number): void {
    this.#ticking = true
    this.#speak(tick, nowMs)
    this.#ticking = false
    this.#update()
  }

  #speak(tick: number, nowMs: number): void {
    if (this.#isIdle(nowMs)) {
      this.#transcodes = false
      return
    }
    const format = this.#ownFormat()
    // Those who play go on, whether or not they are heard.
    if (!format || !this.#wire.open) return void this.heard.read(tick)
    const encoder = this.#encoderFor(format)
    // Nothing is said before the bridged party is heard.
    if (this.#onlyTranscodes && this.#sent.packets === 0 && !this.heard.read(tick)) return
    encoder.read(tick)
    this.#listener?.put(this.heard.read(tick))
    if (this.#events.busy(nowMs)) return
    for (let i = 0; i < encoder.count; i++) this.#sendPayload(encoder, i, format, nowMs)
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#closed = true
    this.#events.close()
    this.#frames.remove(this)
    this.#release()
  }

  /** Sound is sent, and no packets of the bridged party. */
  get #speaks(): boolean {
    return this.#running && this.#ownFormat() !== undefined
  }

  get #onlyTranscodes(): boolean {
    return this.#transcodes && !this.#instead && !this.heard.layered
  }

  #isIdle(nowMs: number): boolean {
    return this.#onlyTranscodes && nowMs - (this.#bridged?.heardAtMs ?? 0) > quietMs
  }

  #chooseBase(): void {
    this.heard.base = this.#instead ?? this.#improved ?? this.#bridged
    this.#update()
  }

  /** Whether sound is to be made now. */
  #update(): void {
    // A sound may end while it is read: its encoder is at work.
    if (this.#ticking || this.#closed) return
    const running = this.heard.layered || this.#instead !== undefined || this.#transcodes
    if (running === this.#running) return
    this.#running = running
    if (running) return this.#frames.add(this)
    this.#frames.remove(this)
    this.#release()
  }

  /** As what the peer takes what comes: the same, or the other law of G.711. */
  #choose(from: Format): void {
    this.#from = from
    const same = this.#formats.find((format) => isSame(format, from))
    const otherLaw = from.encoding === 'PCMU' ? 'PCMA' : from.encoding === 'PCMA' ? 'PCMU' : undefined
    const inOtherLaw = otherLaw && { ...from, encoding: otherLaw }
    this.#to = same ?? (inOtherLaw && this.#formats.find((format) => isSame(format, inOtherLaw)))
  }

  /** What is relayed is what the peer hears. */
  #follow(to: Format, nowMs: number): void {
    if (nowMs - this.#followedAtMs < stragglerMs) return
    this.#last = to
    this.#followedAtMs = nowMs
  }

  /**
   * Whether the packet holds no more sound than the peer takes in one. Shorter ones are left as they are: receivers take
   * any length (RFC 3551 §4.2), and to gather them would delay them.
   */
  #fits({ bytes, payloadStart, payloadEnd }: RtpPacket, { codec, clockRateHz }: Format): boolean {
    const mostMs = this.#maxPtimeMs ?? (this.#ptimeMs === undefined ? undefined : Math.max(this.#ptimeMs, frameMs))
    if (mostMs === undefined || !codec) return true
    return codec.ticksOf(bytes, payloadStart, payloadEnd - payloadStart) * 1000 <= mostMs * clockRateHz
  }

  /** The highest rate that the peer can hear; the lowest while it hears nothing that we make. */
  get hearsHz(): number {
    const format = this.#ownFormat()
    return Math.min(format?.codec?.sampleRateHz ?? 8000, format?.playbackRateHz ?? 8000)
  }

  /** In what sound of ours is sent: in the codec that the peer hears already, else in the best that we can make. */
  #ownFormat(): Format | undefined {
    return this.#last?.codec ? this.#last : this.#formats.find(({ codec }) => codec !== undefined)
  }

  #encoderFor(format: Format): Encoded {
    const { heard } = this
    const source = heard.only?.shared ? heard.only : heard
    const richHz = Math.min(heard.richestHz, format.playbackRateHz)
    const fits = this.#encodedFrom === source && this.#encodedAs === format
    // A richer sound than before deserves a higher rate; a poorer one is no reason to change.
    if (this.#encoded && fits && richHz <= this.#encodedHz) return this.#encoded
    this.#release()
    this.#useClock(format)
    // `#ownFormat` gives none without a codec.
    const codec = codecFor(format.codec as Codec, richHz)
    heard.encodeAt(codec.sampleRateHz)
    const packetMs = packetMsFor(codec, this.#ptimeMs, this.#maxPtimeMs)
    this.#encoded = encoded(source, { codec, packetMs, wishes: { ...format.wishes, lossPercent: this.#lossPercent } })
    this.#encodedFrom = source
    this.#encodedAs = format
    this.#encodedHz = richHz
    this.#last = format
    return this.#encoded
  }

  #release(): void {
    this.#encoded?.leave()
    this.#encoded = undefined
    this.heard.encodeAt(undefined)
  }

  #useClock({ clockRateHz }: Format): void {
    if (clockRateHz === this.#sent.clockRateHz) return
    if (this.#sent.packets > 0) this.#wire.bye()
    this.#sent.changeSsrc(randomUint32(), clockRateHz)
  }

  #sendPayload({ shape, payloads }: Encoded, index: number, format: Format, nowMs: number): void {
    const payload = payloads[index]
    if (!payload || payload.length === 0) return
    if (format.wishes.dtx && payload.length <= silentBytes) return
    for (let i = 0; i < payload.length; i++) out[rtpHeaderBytes + i] = payload.bytes[i] ?? 0
    const ticks = (shape.packetMs * format.clockRateHz) / 1000
    this.#sent.own(out, 0, format.payloadType, payload.length, payload.position, ticks, nowMs)
    this.#wire.send(out, 0, rtpHeaderBytes + payload.length)
  }
}
