/**
 * The voice of one party: packets in as they come, 20 ms of sound out each tick.
 *
 *   port ── put ─▶  JitterBuffer ─▶ Decoder, concealment, comfort noise ─▶  read ── 20 ms ─▶  Ear
 *
 * One for a stream and a codec. What is lost is recovered from the packet behind it where the codec can, else made up;
 * what is not yet here is made up too, and played when it comes. The steady path allocates nothing.
 * How long packets wait follows the network (delay-estimate.ts), without a jump: by periods of the voice played twice or
 * not at all, and below that by samples that are a little shorter or longer, as is what the two clocks disagree by.
 */
import type { Codec, Decoder } from '../../../codec/codec.ts'
import { ComfortNoise } from '../../../codec/comfort-noise.ts'
import { FractionalResampler, samplesAfter } from '../../../codec/fractional-resampler.ts'
import { insertPeriod, longestPeriodMs, removePeriod, unheard } from '../../../codec/time-scale.ts'
import { type Carries, JitterBuffer, type JitterCounts } from '../../../rtp/jitter/jitter-buffer.ts'
import type { RtpPacket } from '../../../rtp/packet.ts'
import type { DelayBounds } from '../../types.ts'
import { frameMs, frameSamples } from '../sound.ts'

export interface VoiceStats extends Readonly<JitterCounts> {
  /** How much later than the fastest packet arrives it is played, ms, and how much later it should be. */
  readonly delayMs: number
  readonly targetMs: number
  /** The sender's clock is slower than ours by so many millionths. */
  readonly driftPpm: number
  /** Sound given since the beginning, and how much of it was made up, ms. */
  readonly playedMs: number
  readonly concealedMs: number
  /** Lost, and made of the copy in the packet behind (FEC of Opus), ms. */
  readonly recoveredMs: number
  /** Periods taken out to wait less, and put in to wait longer, ms. */
  readonly removedMs: number
  readonly insertedMs: number
}

/** What is made up at a time while nothing comes. */
const holdMs = 10
/** So long after the last sound nobody hears what is made up: it is silence, and costs nothing. */
const silentAfterMs = 200
/** Opus goes on with packets of 1 or 2 bytes in silence (DTX, RFC 6716 §2.1.9). */
const silentBytes = 2
const longestPacketMs = 120
/** A delay that is off by more is mended by whole periods; in speech by one each 60 ms when it is too long. */
const scaledFromMs = 10
const ticksBetweenRemovals = 3
/** Off by more than that, a cut that may be heard is better than late packets, or a delay that stays: this much alike will do. */
const farOffMs = 40
const somewhatAlike = 0.2
/** Below that by this much for each ms (a time constant of 40 s), once it is off by so many ms or ppm. */
const ppmPerMs = 25
const offMs = 4
const offPpm = 5

export class VoiceDecoder {
  readonly sampleRateHz: number
  readonly #decoder: Decoder
  readonly #maxMs: number
  readonly #buffer: JitterBuffer
  readonly #ticksPerSample: number
  readonly #frame: Int16Array
  readonly #resampler = new FractionalResampler()
  /** Whether the resampler is in use; once it is it stays, for its place lies between two samples. */
  #isResampled = false
  /** What was read last, up to `#head`, then what is decoded and not yet read. */
  readonly #sound: Int16Array
  readonly #head: number
  #end: number
  #ticksSinceRemoval = 0
  #noise: ComfortNoise | undefined
  /** The sender said that it is silent: what does not come is not missing. */
  #quiet = false
  /** Made up since the last packet, samples. */
  #madeUp = 0
  #concealed = 0
  #recovered = 0
  #played = 0
  #removed = 0
  #inserted = 0
  #delayOfFrameMs = 0

  /** @param codec Mono. */
  constructor(codec: Codec, { minMs, maxMs }: DelayBounds) {
    this.sampleRateHz = codec.sampleRateHz
    this.#decoder = codec.createDecoder()
    this.#maxMs = maxMs
    this.#buffer = new JitterBuffer({ clockRateHz: codec.clockRateHz, minMs, maxMs })
    this.#ticksPerSample = codec.clockRateHz / codec.sampleRateHz
    this.#frame = new Int16Array(frameSamples(codec.sampleRateHz))
    this.#head = Math.ceil((longestPeriodMs * codec.sampleRateHz) / 1000)
    this.#end = this.#head
    this.#sound = new Int16Array(this.#head + this.#frame.length * 4 + (codec.sampleRateHz * longestPacketMs) / 1000)
  }

  /** Take a packet of this stream in; false when it is too late, or there already. */
  put(packet: RtpPacket, carries: Carries, nowMs: number): boolean {
    return this.#buffer.put(packet, carries, nowMs)
  }

  /**
   * The next 20 ms. To be called for each tick, with the time it was due at, even if it is served later.
   *
   * @returns Undefined for silence. Valid until the next call.
   */
  read(nowMs: number): Int16Array | undefined {
    const buffer = this.#buffer
    if (!buffer.begun) return undefined
    if (!buffer.playing && !this.#begin(nowMs)) return undefined
    this.#bound(nowMs)
    const frame = this.#frame
    // What is left over from before is silence then, too
    if (this.#isSilent() && buffer.next() === 'none') {
      buffer.hold(frame.length * this.#ticksPerSample)
      return undefined
    }
    this.#delayOfFrameMs = this.#delayMs(nowMs)
    const errorMs = this.#delayOfFrameMs - buffer.wanted.targetMs
    this.#decode(frame.length + samplesAfter)
    this.#scale(errorMs)
    this.#decode(frame.length + samplesAfter)
    const used = this.#resampler.process(this.#sound, this.#head, this.#step(errorMs), frame, 0, frame.length)
    this.#sound.copyWithin(0, used, this.#end)
    this.#end -= used
    this.#played += frame.length
    return frame
  }

  /** Samples made up so far because something was missing. */
  get concealed(): number {
    return this.#concealed
  }

  stats(): VoiceStats {
    const samplesPerMs = this.sampleRateHz / 1000
    const { wanted, counts } = this.#buffer
    return {
      ...counts,
      delayMs: this.#delayOfFrameMs,
      targetMs: wanted.targetMs,
      driftPpm: wanted.driftPpm,
      playedMs: this.#played / samplesPerMs,
      concealedMs: this.#concealed / samplesPerMs,
      recoveredMs: this.#recovered / samplesPerMs,
      removedMs: this.#removed / samplesPerMs,
      insertedMs: this.#inserted / samplesPerMs,
    }
  }

  /** Gives back what the codec holds. */
  close(): void {
    this.#decoder.close()
  }

  /** Delay of the sample that is read next. */
  #delayMs(nowMs: number): number {
    return this.#buffer.delayMs(nowMs) + (1000 * (this.#end - this.#head)) / this.sampleRateHz
  }

  /** The first packet waits for as long as all will; the rest of a tick is silence. */
  #begin(nowMs: number): boolean {
    const earlyMs = this.#buffer.wanted.targetMs - this.#buffer.delayMs(nowMs)
    if (earlyMs >= frameMs) return false
    this.#buffer.start()
    this.#end = this.#head + Math.max(0, Math.round((earlyMs * this.sampleRateHz) / 1000))
    this.#sound.fill(0, 0, this.#end)
    return true
  }

  /** More than may ever wait: the network had held packets up, or nobody had listened for a while. */
  #bound(nowMs: number): void {
    const { wanted } = this.#buffer
    if (this.#delayMs(nowMs) <= this.#maxMs + frameMs) return
    this.#end = this.#head
    this.#buffer.drop(wanted.targetMs, nowMs)
    // The step to what comes next is blended over
    this.#conceal(this.#frame.length / 4)
  }

  /** Nearer to the wanted delay by a period, when it is far off. */
  #scale(errorMs: number): void {
    this.#ticksSinceRemoval++
    const alike = Math.abs(errorMs) > farOffMs ? somewhatAlike : unheard
    if (errorMs < -scaledFromMs) {
      const inserted = insertPeriod(this.#sound, this.#head, this.#end, this.sampleRateHz, alike)
      this.#inserted += inserted
      this.#end += inserted
    } else if (errorMs > scaledFromMs && this.#ticksSinceRemoval >= ticksBetweenRemovals) {
      // What waits too long is there: two of the longest periods are looked at
      while (this.#end < 3 * this.#head && this.#buffer.next() === 'packet') this.#decodeMore()
      const removed = removePeriod(this.#sound, this.#head, this.#end, this.sampleRateHz, alike)
      this.#removed += removed
      this.#end -= removed
      if (removed > 0) this.#ticksSinceRemoval = 0
    }
  }

  /** Samples to use up for each that is read. */
  #step(errorMs: number): number {
    const { driftPpm } = this.#buffer.wanted
    this.#isResampled ||= Math.abs(errorMs) > offMs || Math.abs(driftPpm) > offPpm
    if (!this.#isResampled) return 1
    const nearMs = Math.max(-2 * scaledFromMs, Math.min(2 * scaledFromMs, errorMs))
    return 1 + (nearMs * ppmPerMs - driftPpm) / 1e6
  }

  #isSilent(): boolean {
    return !this.#quiet && this.#madeUp > (silentAfterMs * this.sampleRateHz) / 1000
  }

  /** Until so many samples are there. */
  #decode(samples: number): void {
    while (this.#end - this.#head < samples) this.#decodeMore()
  }

  #decodeMore(): void {
    const buffer = this.#buffer
    switch (buffer.next()) {
      case 'packet':
        return this.#decodePacket()
      case 'lost':
        return this.#replace()
      case 'gap': {
        const samples = Math.min(this.#frame.length / 2, Math.ceil(buffer.ticks / this.#ticksPerSample))
        this.#makeUp(samples, false)
        return buffer.advance(Math.min(buffer.ticks, samples * this.#ticksPerSample))
      }
      default: {
        const samples = (holdMs * this.sampleRateHz) / 1000
        this.#makeUp(samples, true)
        buffer.hold(samples * this.#ticksPerSample)
      }
    }
  }

  #decodePacket(): void {
    const buffer = this.#buffer
    const { bytes, payloadStart, payloadBytes } = buffer
    if (buffer.carries === 'noise') {
      this.#noise ??= new ComfortNoise(1)
      this.#noise.describe(bytes, payloadStart, payloadBytes)
      this.#quiet = true
      return buffer.advance(0)
    }
    const count = this.#decoder.decode(bytes, payloadStart, payloadBytes, this.#sound, this.#end)
    if (count === 0) {
      this.#conceal(buffer.packetTicks / this.#ticksPerSample)
      return buffer.advance(buffer.packetTicks)
    }
    this.#quiet = payloadBytes <= silentBytes
    this.#madeUp = 0
    this.#end += count
    buffer.advance(count * this.#ticksPerSample)
  }

  #replace(): void {
    const buffer = this.#buffer
    const { ticks } = buffer
    const samples = Math.round(ticks / this.#ticksPerSample)
    const recovered = buffer.following() ? this.#recover(samples) : 0
    if (recovered === 0) this.#conceal(samples)
    buffer.advance(ticks)
  }

  #recover(samples: number): number {
    const { bytes, payloadStart, payloadBytes } = this.#buffer
    const to = this.#end
    const count = this.#decoder.recover(bytes, payloadStart, payloadBytes, this.#sound, to, samples)
    this.#end += count
    this.#recovered += count
    return count
  }

  /** Noise while the sender is silent, else what conceals best. @param missed Something may have been said. */
  #makeUp(samples: number, missed: boolean): void {
    if (!this.#quiet || !this.#noise) return this.#conceal(samples, missed)
    this.#noise.make(this.#sound, this.#end, samples)
    this.#end += samples
  }

  #conceal(samples: number, missed = true): void {
    this.#decoder.conceal(this.#sound, this.#end, samples)
    this.#end += samples
    this.#madeUp += samples
    if (missed && !this.#quiet && !this.#isSilent()) this.#concealed += samples
  }
}
