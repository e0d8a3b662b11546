/**
 * Records what one port receives, each packet where its RTP timestamp puts it.
 *
 *   port  ── speech ─▶  here  ── timeline.ts: where ─┬─▶  leg-file.ts     G.711, L16: sample for sample
 *                                                   ├─▶  in-order.ts ─▶  leg-file.ts   G.722, Opus: decoded in order
 *                                                   └─▶  raw-file.ts     what is not decoded: as it came
 *
 * What was received is what is stored; what was lost, never sent, or came in a pause is silence of the right length. The WAV has the
 * sample rate of the first codec heard, and two channels when that is Opus in stereo; sound of another rate that comes
 * later is resampled. What is not decoded lies beside it as `.rtpdump`. A file is made at its first packet.
 */
import type { Codec } from '../../../codec/codec.ts'
import { codecFor } from '../../../codec/codecs.ts'
import { decodeG711Into, type G711Law } from '../../../codec/g711.ts'
import { decodeL16Into } from '../../../codec/l16.ts'
import { opus } from '../../../codec/opus.ts'
import { isStereo } from '../../../codec/opus-packet.ts'
import type { Seal } from '../../../sealing/container/sealer.ts'
import type { RecordedFile } from '../../types.ts'
import type { BlockPool } from './block-pool.ts'
import { InOrder } from './in-order.ts'
import { LegFile, type Piece } from './leg-file.ts'
import { RawFile } from './raw-file.ts'
import { copyOf, type SpeechPacket, withoutSound } from './speech-packet.ts'
import { Timeline } from './timeline.ts'

export interface RecorderOptions {
  /** Of the WAV; what is not decoded goes to the same name with `.rtpdump`. */
  readonly path: string
  /** Left out: the files are plain. Else their names have `.sealed` behind them. */
  readonly seal?: Seal | undefined
  readonly blocks: BlockPool
  /** Wall time of a moment of the monotonic clock, ms. */
  readonly wallAt: (nowMs: number) => number
  /** Told the sound of what has to be decoded, as many samples as are said of its array, which is used again. */
  readonly heard?: (samples: Int16Array, count: number) => void
  /** Writing failed; nothing more will be written. Told once. */
  readonly failed: (text: string) => void
}

/** How old a block may grow before it is written, ms. */
const flushMs = 500

/** A first packet that was later than this was no packet held up: its sender had sent ahead. */
const mostWaitedMs = 500

/** Unless it is said: ticks come each 50 ms, and one that is later than this after the last tells that packets are read late too. */
const lateTickMs = 100
/** While no tick came for so long this thread reads without end what had waited. */
const missedTickMs = 200

/** More than the addon keeps a packet for, ms. */
const handedOverMs = 1000

/** A way of counting: packets of one clock rate. */
interface Count {
  readonly timeline: Timeline<SpeechPacket>
  /** Of the file, where position 0 of the time line lies. */
  readonly base: number
  readonly framesPerTick: number
}

/** Codes of G.711 or L16 that are decoded where they go: one for all recorders of a worker. */
class Codes implements Piece {
  frames = 0
  #packet: SpeechPacket | undefined

  of(packet: SpeechPacket): this {
    this.#packet = packet
    this.frames = packet.ticks
    return this
  }

  write(from: number, count: number, samples: Int16Array, at: number): void {
    const packet = this.#packet
    if (!packet) return
    const { encoding } = packet.format
    if (encoding === 'L16') decodeL16Into(packet.bytes, packet.from + from * 2, count * 2, samples, at)
    else decodeG711Into(encoding as G711Law, packet.bytes, packet.from + from, count, samples, at)
  }
}

const codes = new Codes()

/** As long as the packet in whose place it lies. */
class Silence implements Piece {
  frames = 0
  readonly #channels: 1 | 2

  constructor(channels: 1 | 2) {
    this.#channels = channels
  }

  write(_from: number, count: number, samples: Int16Array, at: number): void {
    samples.fill(0, at, at + count * this.#channels)
  }
}
const isPlain = ({ encoding }: Codec): boolean => encoding === 'PCMU' || encoding === 'PCMA' || encoding === 'L16'

export class Recorder {
  readonly #options: RecorderOptions
  #failed = false
  #file: LegFile | undefined
  #raw: RawFile | undefined
  #flushAtMs: number
  /** By clock rate. */
  readonly #counts = new Map<number, Count>()
  #last: Count | undefined
  /** The codec that remembers, of late. */
  #inOrder: InOrder | undefined
  #nowMs: number
  #tickedAtMs: number
  #paused = false
  #pausedAtMs = Number.POSITIVE_INFINITY
  #resumedAtMs = Number.NEGATIVE_INFINITY
  #silence: Silence | undefined

  /** @param nowMs Recorders that start at different times write at different times. */
  constructor(options: RecorderOptions, nowMs: number) {
    this.#options = options
    this.#nowMs = nowMs
    this.#tickedAtMs = nowMs
    this.#flushAtMs = nowMs + flushMs
  }

  /**
   * What comes from `nowMs` on is silence, or sound again. By when it came: the addon may have kept it until now. Without
   * a time what came before, and is recorded only now, is too.
   */
  pause(on: boolean, nowMs = Number.NEGATIVE_INFINITY): void {
    if (on === this.#paused) return
    this.#paused = on
    if (on) {
      // So soon after another pause a packet of that one may still be kept by the addon: it stays one pause.
      if (!(nowMs - this.#resumedAtMs <= handedOverMs)) this.#pausedAtMs = nowMs
      this.#forgetDecoder()
    } else this.#resumedAtMs = nowMs
  }

  #isInPause(atMs: number): boolean {
    return atMs >= this.#pausedAtMs && (this.#paused || atMs < this.#resumedAtMs)
  }

  /** What was recorded until now is not of this call: silence in its place. */
  forget(): void {
    this.#forgetDecoder()
    this.#file?.clear()
    this.#raw?.clear()
  }

  packet(packet: SpeechPacket, nowMs: number): void {
    this.#nowMs = nowMs
    const silent = this.#isInPause(nowMs)
    if (!packet.format.codec) return silent ? undefined : this.#store(packet, nowMs)
    if (packet.ticks === 0) return
    const file = (this.#file ??= this.#createFile(packet, packet.format.codec, nowMs))
    const count = this.#counts.get(packet.format.clockRateHz) ?? this.#count(packet.format.clockRateHz, file, nowMs)
    if (count !== this.#last) this.#last?.timeline.finish()
    this.#last = count
    if (nowMs - this.#tickedAtMs > missedTickMs) count.timeline.readLate(nowMs)
    count.timeline.packet(silent ? withoutSound(packet) : packet, nowMs)
  }

  /**
   * Time went by: write what is half a second old.
   * @param knownMs Until when packets are known: others, which came later, may not have been read.
   * @param readsLate This thread was busy: packets came before they were read.
   */
  tick(nowMs: number, knownMs = nowMs, readsLate = nowMs - this.#tickedAtMs > lateTickMs): void {
    if (readsLate) this.#last?.timeline.readLate(nowMs)
    this.#tickedAtMs = nowMs
    this.#nowMs = Math.max(this.#nowMs, knownMs)
    this.#last?.timeline.settle(knownMs)
    this.#inOrder?.tick(knownMs)
    if (nowMs < this.#flushAtMs) return
    this.#flushAtMs += flushMs * Math.ceil((nowMs - this.#flushAtMs + 1) / flushMs)
    this.#file?.flush()
    this.#raw?.flush()
  }

  /** Write the rest and close. Resolves with undefined when there is no WAV. */
  async close(): Promise<RecordedFile | undefined> {
    for (const { timeline } of this.#counts.values()) timeline.finish()
    this.#inOrder?.close()
    const { waitedMs, drift } = this.#clock()
    const [file] = await Promise.all([this.#file?.close(waitedMs), this.#raw?.close()])
    return file && { ...file, ...(drift !== undefined && { driftPpm: drift * 1e6 }) }
  }

  /** How late the first packet was, and how far the sender's clock is off, by the clock rate it came in last. */
  #clock(): { readonly waitedMs: number; readonly drift: number | undefined } {
    const [first] = this.#counts
    const waitedMs = first ? (first[1].timeline.clock.waited * 1000) / first[0] : 0
    return {
      waitedMs: waitedMs <= mostWaitedMs ? waitedMs : 0,
      drift: this.#last?.timeline.clock.drift,
    }
  }

  readonly #fail = (text: string): void => {
    if (!this.#failed) this.#options.failed(text)
    this.#failed = true
  }

  #store(packet: SpeechPacket, nowMs: number): void {
    const { path, seal, blocks, wallAt } = this.#options
    const wallMs = wallAt(nowMs)
    this.#raw ??= new RawFile({ path: rawPath(path), seal, startedAtMs: wallMs, failed: this.#fail }, blocks)
    this.#raw.packet(packet, wallMs)
  }

  #createFile(packet: SpeechPacket, codec: Codec, nowMs: number): LegFile {
    const { path, seal, blocks, wallAt } = this.#options
    const stereo = codec.encoding === 'opus' && (packet.format.stereo === true || isStereo(packet.bytes, packet.from))
    const { sampleRateHz } = codec
    const startedAtMs = wallAt(nowMs)
    return new LegFile({ path, seal, sampleRateHz, channels: stereo ? 2 : 1, blocks, startedAtMs, failed: this.#fail })
  }

  /** The first of this clock rate: it begins where the one before would have gone on. */
  #count(clockRateHz: number, file: LegFile, nowMs: number): Count {
    const framesPerTick = file.sampleRateHz / clockRateHz
    const before = this.#last
    before?.timeline.settle(nowMs)
    const base = before ? before.base + Math.round(before.timeline.joinsAt(nowMs) * before.framesPerTick) : 0
    const place = (packet: SpeechPacket, position: number): void =>
      this.#place(packet, base + Math.round(position * framesPerTick))
    const count = { timeline: new Timeline(clockRateHz, place, copyOf), base, framesPerTick }
    this.#counts.set(clockRateHz, count)
    return count
  }

  #place(packet: SpeechPacket, position: number): void {
    const { codec } = packet.format
    const file = this.#file
    if (!codec || !file) return
    if (packet.silent) return this.#placeSilence(packet, position, file)
    const asItIs = isPlain(codec) && codec.sampleRateHz === file.sampleRateHz && file.channels === 1
    if (asItIs) return file.put(codes.of(packet), position)
    this.#decoderFor(codec, file).packet(packet, position, this.#nowMs)
  }

  #placeSilence({ ticks, format }: SpeechPacket, position: number, file: LegFile): void {
    this.#forgetDecoder()
    const silence = (this.#silence ??= new Silence(file.channels))
    silence.frames = Math.round((ticks * file.sampleRateHz) / format.clockRateHz)
    file.put(silence, position)
  }

  /** What it holds is written; a new one cannot make the end of a pause out of the copy in the packet after it. */
  #forgetDecoder(): void {
    this.#inOrder?.close()
    this.#inOrder = undefined
  }

  #decoderFor(codec: Codec, file: LegFile): InOrder {
    const wanted = codec.encoding === 'opus' && file.channels === 2 ? stereoOpus : codecFor(codec, file.sampleRateHz)
    if (this.#inOrder?.codec === wanted) return this.#inOrder
    this.#inOrder?.close()
    this.#inOrder = new InOrder(wanted, file, this.#options.heard)
    return this.#inOrder
  }
}

/** A file of two channels began with it, at its highest rate. */
const stereoOpus = opus(48_000, 2)

/** Where what is not decoded goes. */
const rawPath = (path: string): string => path.replace(/(?:\.wav)?$/, '.rtpdump')
