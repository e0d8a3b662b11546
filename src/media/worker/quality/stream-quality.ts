/**
 * How well one party is heard: what its packets tell, as figures, as a score and as plain verdicts.
 *
 *   Port  ── each packet, each refusal, ticks ─▶  here  ── quality (on a change, and every few seconds) ─▶  main thread
 *                                                      └── VoIP metrics ─▶  reports.ts ─▶ the peer
 *
 * The packet path counts only; the arithmetic is done once in `windowMs`. The score is that of the whole stream so far,
 * verdicts are about the last window. A verdict stands until two windows in a row are without it.
 */
import { meanOpinionScore, ratingFactor, ratingOf, widebandRating, widebandScore } from '../../../codec/e-model.ts'
import type { G711Law } from '../../../codec/g711.ts'
import { endpointText } from '../../../core/ip.ts'
import { type RtpPacket, rtpHeaderBytes } from '../../../rtp/packet.ts'
import { leastBufferMs, mostBufferMs, PlayoutModel } from '../../../rtp/playout-model.ts'
import type { VoipMetrics } from '../../../rtp/rtcp-xr.ts'
import { sequenceDistance, timestampDistance } from '../../../rtp/sequence.ts'
import type { PortDescription, StreamQuality } from '../../types.ts'
import { type Evidence, judge, type Verdict, type VerdictCode } from '../../verdict.ts'
import type { Endpoint } from '../io/io.ts'
import type { Reports } from '../reports.ts'
import type { VoiceStats } from '../voice/voice-decoder.ts'
import { EchoMeter } from './echo-meter.ts'
import { LevelSampler } from './level-sampler.ts'
import { Refusals } from './refusals.ts'

/** Of evidence for verdicts. */
const windowMs = 5000
/** From dBov to dBm0: 0 dBm0 is 3.14 dB below the loudest sine (ITU-T G.711), which is 3.01 dB below dBov's square. */
const dbm0OverDbov = 6.15
/** RFC 3551 §4.2, until the packets tell. */
const usualPacketMs = 20
/** The longest packet that is believed. */
const mostPacketMs = 200

/** Of sounds that a recorder decodes one in so many is looked at, as of packets of G.711. */
const sampledSounds = 10

/** What the port counts anyway. */
export interface Counted {
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly jitterMs: number
}

export interface QualityOptions {
  readonly nowMs: number
  /** Tell at least so often while packets come; 0 on changes only. */
  readonly everyMs: number
  readonly reports: Reports
  readonly counted: () => Counted
  /** Of the jitter buffer and decoder, while somebody listens. */
  readonly voice: () => VoiceStats | undefined
  readonly tell: (quality: StreamQuality) => void
}

export class QualityMeter {
  readonly #options: QualityOptions
  #playout = new PlayoutModel(8000)
  #clockRateHz = 8000
  readonly #levels = new LevelSampler()
  readonly #echo: EchoMeter
  /** By payload type: what we send, where it is G.711. */
  #sendLaws: readonly (G711Law | undefined)[] = []
  readonly #strangers = new Refusals<Endpoint>((a, b) => a.ip === b.ip && a.port === b.port)
  readonly #unknown = new Refusals<number>((a, b) => a === b)
  #ssrc = 0
  #encoding = ''
  #packetMs = usualPacketMs
  #lastSequence = 0
  #lastTimestamp = 0
  #soundsHeard = 0
  #expects = false
  #listensOnly = false
  /** Of the first description. */
  #describedAtMs: number | undefined
  /** Its last packet was comfort noise: it may send nothing more until somebody speaks (RFC 3389). */
  #saysSilence = false
  #everReceived = false
  /** In this window. */
  #undecrypted = 0
  /** A verdict went, and it was not told yet. */
  #takenBack = false
  #lastPacketAtMs = 0
  #windowEndsAtMs = Number.POSITIVE_INFINITY
  #tellAtMs = 0
  /** At the end of the last window. */
  #before = { expected: 0, missing: 0, sent: 0, received: 0 }
  #levelDbov: number | undefined
  /** What stands, and for how many more windows without evidence. */
  readonly #standing = new Map<VerdictCode, { readonly verdict: Verdict; readonly windows: number }>()

  constructor(options: QualityOptions) {
    this.#options = options
    this.#tellAtMs = options.nowMs + options.everyMs
    this.#echo = new EchoMeter(options.nowMs)
  }

  describe({ receive, send, silent = false, listensOnly = false }: PortDescription, nowMs: number): void {
    this.#listensOnly = listensOnly
    this.#describedAtMs ??= nowMs
    const expects = !silent && receive.length > 0
    const laws: (G711Law | undefined)[] = []
    for (const { payloadType, encoding } of send) if (isG711(encoding)) laws[payloadType] = encoding
    this.#sendLaws = laws
    if (expects && !this.#expects) this.#lastPacketAtMs = nowMs
    this.#expects = expects
    if (this.#windowEndsAtMs === Number.POSITIVE_INFINITY) this.#windowEndsAtMs = nowMs + windowMs
  }

  /** A packet was taken; its payload is as it came. @param heard A jitter buffer takes it, and says when it is too late. */
  packet(
    packet: RtpPacket,
    encoding: string,
    clockRateHz: number,
    nowMs: number,
    jitterMs: number,
    heard: boolean,
  ): void {
    const speech = encoding !== 'telephone-event' && encoding !== 'CN'
    if (speech && clockRateHz !== this.#clockRateHz) this.#useClock(clockRateHz)
    if (!this.#everReceived) this.#begin()
    this.#saysSilence = encoding === 'CN'
    this.#lastPacketAtMs = nowMs
    this.#ssrc = packet.ssrc
    this.#playout.packet(packet.ssrc, packet.sequence, packet.timestamp, nowMs, jitterMs, speech && !heard)
    if (!speech) return
    this.#encoding = encoding
    this.#measurePacket(packet)
    if (isG711(encoding)) this.#sample(packet, encoding, nowMs)
  }

  /** A caller is silent as long as it hears ringing: what was said of that is not true of the call. */
  #begin(): void {
    this.#everReceived = true
    const quiet: readonly VerdictCode[] = ['one-way-audio', 'no-audio']
    for (const code of quiet) this.#takenBack = this.#standing.delete(code) || this.#takenBack
  }

  /** The packet that was taken last came too late for the jitter buffer. */
  discarded({ sequence }: RtpPacket): void {
    this.#playout.discard(sequence)
  }

  /** A packet was not taken. @param payloadType When that is why: nobody agreed to it. Else its source is not the locked one. */
  refused(from: Endpoint, payloadType: number | undefined): void {
    if (payloadType === undefined) this.#strangers.refused(from)
    else this.#unknown.refused(payloadType)
  }

  /** Whether packets that are sent are wanted now. */
  get wantsSent(): boolean {
    return this.#echo.measuring
  }

  /** A packet of ours, plain, while they are wanted. */
  sent(bytes: Uint8Array, start: number, length: number, nowMs: number): void {
    const law = this.#sendLaws[(bytes[start + 1] ?? 0) & 0x7f]
    if (law) this.#echo.sent(law, bytes, start + rtpHeaderBytes, length - rtpHeaderBytes, nowMs)
  }

  /** A packet was not authentic. */
  undecrypted(): void {
    this.#undecrypted++
  }

  /** Sound of it that is decoded anyway, while nobody listens. */
  sound(samples: Int16Array, count: number, nowMs: number): void {
    if (this.#soundsHeard++ % sampledSounds === 0) this.#levels.frame(samples, count, nowMs)
  }

  #sample({ bytes, payloadStart, payloadEnd }: RtpPacket, law: G711Law, nowMs: number): void {
    this.#levels.packet(law, bytes, payloadStart, payloadEnd - payloadStart, nowMs)
    if (this.#echo.measuring) this.#echo.heard(law, bytes, payloadStart, payloadEnd - payloadStart, nowMs)
  }

  #measurePacket({ sequence, timestamp }: RtpPacket): void {
    const ms = timestampDistance(this.#lastTimestamp, timestamp) / (this.#clockRateHz / 1000)
    if (sequenceDistance(this.#lastSequence, sequence) === 1 && ms > 0 && ms <= mostPacketMs) this.#packetMs = ms
    this.#lastSequence = sequence
    this.#lastTimestamp = timestamp
  }

  #useClock(clockRateHz: number): void {
    this.#clockRateHz = clockRateHz
    this.#playout.useClock(clockRateHz)
  }

  /** Time went by. @param sound What was decoded last for somebody who listens; packets of G.711 are looked into anyway. */
  tick(nowMs: number, sound: Int16Array | undefined): void {
    this.#echo.tick(nowMs)
    if (sound && !isG711(this.#encoding)) this.#levels.frame(sound, sound.length, nowMs)
    if (nowMs < this.#windowEndsAtMs) return
    this.#windowEndsAtMs = nowMs + windowMs
    const changed = this.#stand(judge(this.#evidence(nowMs))) || this.#takenBack
    this.#takenBack = false
    const due = this.#options.everyMs > 0 && nowMs >= this.#tellAtMs && this.#everReceived
    if (!changed && !due) return
    this.#tellAtMs = nowMs + this.#options.everyMs
    this.#options.tell(this.read())
  }

  #evidence(nowMs: number): Evidence {
    const { packetsReceived, packetsSent, jitterMs } = this.#options.counted()
    const { expected, lost, discarded } = this.#playout.read()
    const now = { expected, missing: lost + discarded, sent: packetsSent, received: packetsReceived }
    const before = this.#before
    this.#before = now
    const sound = this.#levels.read(nowMs)
    this.#levelDbov = sound?.levelDbov
    const undecrypted = now.received > before.received ? 0 : this.#undecrypted
    this.#undecrypted = 0
    const stranger = this.#strangers.take()
    const unknown = this.#unknown.take()
    return {
      expectsPackets: this.#expects && !this.#saysSilence,
      quietMs: nowMs - this.#lastPacketAtMs,
      everReceived: this.#everReceived,
      listensOnly: this.#listensOnly,
      heardForMs: this.#lastPacketAtMs - (this.#describedAtMs ?? nowMs),
      sent: now.sent - before.sent,
      expected: now.expected - before.expected,
      missing: now.missing - before.missing,
      jitterMs: now.received > before.received ? jitterMs : 0,
      ...(stranger && {
        stranger: { address: endpointText(stranger.what.ip, stranger.what.port), packets: stranger.packets },
      }),
      ...(unknown && { unknown: { payloadType: unknown.what, packets: unknown.packets } }),
      undecrypted,
      ...(sound && { sound }),
      ...(this.#echo.echo && { echo: this.#echo.echo }),
      ...(this.#options.reports.roundTripMs !== undefined && { delayMs: this.#delayMs }),
    }
  }

  /** True when a verdict came or went. */
  #stand(verdicts: readonly Verdict[]): boolean {
    let changed = false
    for (const [code, { verdict, windows }] of this.#standing) {
      if (windows > 0) this.#standing.set(code, { verdict, windows: windows - 1 })
      else changed = this.#standing.delete(code)
    }
    for (const verdict of verdicts) {
      changed ||= !this.#standing.has(verdict.code)
      this.#standing.set(verdict.code, { verdict, windows: 2 })
    }
    return changed
  }

  /** One way from mouth to ear, as far as this side goes: half of the round trip, a packet, the jitter buffer. */
  get #delayMs(): number {
    return (this.#options.reports.steadyRoundTripMs ?? 0) / 2 + this.#packetMs + this.#bufferMs
  }

  get #bufferMs(): number {
    return this.#options.voice()?.delayMs ?? this.#playout.bufferMs
  }

  read(): StreamQuality {
    const { jitterMs } = this.#options.counted()
    const losses = this.#playout.read()
    const share = (count: number): number => (losses.expected === 0 ? 0 : count / losses.expected)
    const { heard, heardMetrics, roundTripMs } = this.#options.reports
    const voice = this.#options.voice()
    return {
      ...this.#score(share(losses.lost + losses.discarded), losses.burstRatio),
      lossShare: share(losses.lost),
      discardShare: share(losses.discarded),
      burstRatio: losses.burstRatio,
      bursts: losses.bursts,
      burstDensity: losses.burstPackets === 0 ? 0 : losses.burstMissing / losses.burstPackets,
      burstMs: losses.bursts === 0 ? 0 : (losses.burstPackets * this.#packetMs) / losses.bursts,
      gapDensity: losses.gapPackets === 0 ? 0 : losses.gapMissing / losses.gapPackets,
      gapMs: (losses.gapPackets * this.#packetMs) / (losses.bursts + 1),
      jitterMs,
      bufferMs: this.#bufferMs,
      ...(voice && voice.playedMs > 0 && { concealedShare: voice.concealedMs / voice.playedMs }),
      delayMs: this.#delayMs,
      ...(roundTripMs !== undefined && { roundTripMs }),
      ...(this.#levelDbov !== undefined && { levelDbov: this.#levelDbov }),
      ...(heard && {
        heardByPeer: {
          lossShare: heard.lossShare,
          jitterMs: heard.jitterTicks / (this.#clockRateHz / 1000),
          ...(heardMetrics?.mosConversational !== undefined && { mos: heardMetrics.mosConversational }),
        },
      }),
      verdicts: Array.from(this.#standing.values(), ({ verdict }) => verdict),
    }
  }

  /** Of conversation, delay included; nothing before the first packets, or for a codec without figures. */
  #score(lossShare: number, burstRatio: number, delayMs = this.#delayMs) {
    const codec = ratingOf(this.#encoding, this.#clockRateHz)
    if (!codec || !this.#everReceived) return {}
    const inputs = { delayMs, lossShare, burstRatio, impairment: codec.impairment }
    if (codec.scale === 'narrowband') {
      const rating = ratingFactor(inputs)
      return { rating, mos: meanOpinionScore(rating), scale: codec.scale }
    }
    const rating = widebandRating(inputs)
    return { rating, mos: widebandScore(rating), scale: codec.scale }
  }

  /** For the peer; undefined before its first packet. */
  metrics(): VoipMetrics | undefined {
    if (!this.#everReceived) return undefined
    const quality = this.read()
    const { rating, mos, scale } = quality
    const listening = this.#score(quality.lossShare + quality.discardShare, quality.burstRatio, 0).mos
    return {
      ssrc: this.#ssrc,
      lossShare: quality.lossShare,
      discardShare: quality.discardShare,
      burstDensity: quality.burstDensity,
      gapDensity: quality.gapDensity,
      burstMs: quality.burstMs,
      gapMs: quality.gapMs,
      roundTripMs: quality.roundTripMs ?? 0,
      endSystemMs: this.#packetMs + quality.bufferMs,
      ...(quality.levelDbov !== undefined && { signalDbm0: quality.levelDbov + dbm0OverDbov }),
      // RFC 3611 §4.7.5 has one scale of 0 to 100.
      ...(rating !== undefined && { rFactor: scale === 'wideband' ? rating / 1.29 : rating }),
      ...(listening !== undefined && { mosListening: listening }),
      ...(mos !== undefined && { mosConversational: mos }),
      concealed: true,
      adaptive: true,
      bufferMs: quality.bufferMs,
      bufferMaxMs: Math.max(leastBufferMs, quality.bufferMs),
      bufferAbsoluteMaxMs: mostBufferMs,
    }
  }

  /** No packet comes any more: the last ones are judged too. */
  end(): void {
    this.#playout.end()
  }
}

const isG711 = (encoding: string): encoding is G711Law => encoding === 'PCMU' || encoding === 'PCMA'
