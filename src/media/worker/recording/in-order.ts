/**
 * Packets of a codec that remembers (G.722, Opus), decoded one after the other for a recording.
 *
 *   recorder  ── packet, place ─▶  a few, until the missing one comes  ─▶  decoder  ─▶  resampler  ─▶  leg file
 *
 * Nobody waits for what is recorded, so a packet that others overtook has time to come. What never comes is silence of
 * its length in the file; of Opus the copy that the next packet may carry is put there. A codec whose sound is of
 * another rate than the file's, after a change of codec in mid-call, is resampled.
 */
import type { Codec, Decoder } from '../../../codec/codec.ts'
import { Resampler } from '../../../codec/resample.ts'
import { sequenceDistance, uint16 } from '../../../rtp/sequence.ts'
import type { LegFile, Piece } from './leg-file.ts'
import { copyOf, type SpeechPacket } from './speech-packet.ts'

/** How long packets are held for one that is missing, ms. */
const holdMs = 200
/** Most packets held. */
const mostHeld = 20
/** Sequence numbers further apart belong to a sender that began anew. */
const mostApart = 1000
/**
 * Packets missing at once of which the last is made out of its copy. More are most likely telephone-events, which take
 * numbers too, and before which the copy does not belong.
 */
const mostRecovered = 3
/** RFC 6716 §3.2: the longest packet of any codec here. */
const longestPacketMs = 120

interface Held {
  readonly packet: SpeechPacket
  readonly position: number
  readonly atMs: number
}

/** Sound as it lies in an array; one channel is written to both of a stereo file. */
class Sound implements Piece {
  frames = 0
  readonly samples: Int16Array
  readonly #channels: 1 | 2
  readonly #fileChannels: 1 | 2

  constructor(samples: Int16Array, channels: 1 | 2, fileChannels: 1 | 2) {
    this.samples = samples
    this.#channels = channels
    this.#fileChannels = fileChannels
  }

  write(from: number, count: number, samples: Int16Array, at: number): void {
    if (this.#channels === this.#fileChannels) {
      const first = from * this.#channels
      for (let i = 0; i < count * this.#channels; i++) samples[at + i] = this.samples[first + i] ?? 0
      return
    }
    for (let i = 0; i < count; i++) {
      const sample = this.samples[from + i] ?? 0
      samples[at + 2 * i] = sample
      samples[at + 2 * i + 1] = sample
    }
  }
}

export class InOrder {
  readonly codec: Codec
  readonly #file: LegFile
  readonly #decoder: Decoder
  /** As decoded. */
  readonly #decoded: Sound
  /** Frames of the file for each frame of the codec. */
  readonly #ratio: number
  /** At the rate of the file, and where the next of it goes; undefined when the codec has that rate. */
  readonly #resampled: Sound | undefined
  #resampler: Resampler | undefined
  #resampledAt = 0
  readonly #heard: ((samples: Int16Array, count: number) => void) | undefined
  readonly #held: Held[] = []
  #ssrc: number | undefined
  /** The sequence number that comes next. */
  #next = 0
  /** Just after the last frame decoded, at the rate of the file. */
  #end = 0

  /**
   * @param codec Mono, unless the file is stereo at its rate.
   * @param heard Told each sound as it was decoded; it is used again afterwards.
   */
  constructor(codec: Codec, file: LegFile, heard?: (samples: Int16Array, count: number) => void) {
    this.#heard = heard
    const most = (codec.sampleRateHz * longestPacketMs) / 1000
    this.codec = codec
    this.#file = file
    this.#decoder = codec.createDecoder()
    this.#decoded = new Sound(new Int16Array(most * codec.channels), codec.channels, file.channels)
    this.#ratio = file.sampleRateHz / codec.sampleRateHz
    if (this.#ratio !== 1)
      this.#resampled = new Sound(new Int16Array(Math.ceil(most * this.#ratio) + 2), 1, file.channels)
  }

  /** @param position Where its sound belongs in the file. */
  packet(packet: SpeechPacket, position: number, nowMs: number): void {
    const ahead = sequenceDistance(this.#next, packet.sequence)
    if (packet.ssrc !== this.#ssrc || Math.abs(ahead) > mostApart) {
      this.finish()
      this.#ssrc = packet.ssrc
      this.#decode(packet, position)
    } else if (ahead === 0) {
      this.#decode(packet, position)
      this.#release()
    } else if (ahead > 0) {
      this.#hold({ packet: copyOf(packet), position, atMs: nowMs })
      this.tick(nowMs)
    }
    // What comes after its place was given up stays silence: a decoder cannot go back.
  }

  /** Time went by: give up waiting for what is missing. */
  tick(nowMs: number): void {
    for (let first = this.#held[0]; first; first = this.#held[0]) {
      const oldest = this.#held.reduce((least, { atMs }) => Math.min(least, atMs), first.atMs)
      if (nowMs - oldest < holdMs && this.#held.length <= mostHeld) return
      this.#passGap()
    }
  }

  /** Decode all that is held. */
  finish(): void {
    while (this.#held.length > 0) this.#passGap()
    this.#endSound()
  }

  close(): void {
    this.finish()
    this.#decoder.close()
  }

  /** In the order of their numbers; a packet that is there already is not held twice. */
  #hold(held: Held): void {
    const ahead = ({ packet }: Held): number => sequenceDistance(this.#next, packet.sequence)
    const place = this.#held.findIndex((each) => ahead(each) >= ahead(held))
    const same = this.#held[place]
    if (same?.packet.sequence === held.packet.sequence) return
    this.#held.splice(place < 0 ? this.#held.length : place, 0, held)
  }

  /** Decode what follows without a gap. */
  #release(): void {
    for (let first = this.#held[0]; first?.packet.sequence === this.#next; first = this.#held[0]) {
      this.#held.shift()
      this.#decode(first.packet, first.position)
    }
  }

  /** What is missing will not come. */
  #passGap(): void {
    const first = this.#held.shift()
    if (!first) return
    const missing = sequenceDistance(this.#next, first.packet.sequence)
    if (missing > 0 && missing <= mostRecovered) this.#recover(first)
    this.#decode(first.packet, first.position)
    this.#release()
  }

  /** The packet before this one, out of the copy that this one may carry. */
  #recover({ packet, position }: Held): void {
    const { bytes, from, to, ticks } = packet
    const frames = (ticks * this.codec.sampleRateHz) / this.codec.clockRateHz
    const count = frames * this.codec.channels
    const { samples } = this.#decoded
    const made = this.#decoder.recover(bytes, from, to - from, samples, 0, Math.min(count, samples.length))
    if (made > 0) this.#place(made, position - Math.round(frames * this.#ratio))
  }

  #decode(packet: SpeechPacket, position: number): void {
    this.#next = uint16(packet.sequence + 1)
    const { bytes, from, to } = packet
    const made = this.#decoder.decode(bytes, from, to - from, this.#decoded.samples, 0)
    if (made === 0) return
    this.#heard?.(this.#decoded.samples, made)
    this.#place(made, position)
  }

  /** @param samples Of all channels, in `#decoded`. */
  #place(samples: number, position: number): void {
    const frames = samples / this.codec.channels
    this.#decoded.frames = frames
    if (!this.#resampled) return this.#file.put(this.#decoded, position)
    if (position !== this.#end) this.#endSound()
    this.#resampler ??= this.#beginSound(position)
    this.#resample(this.#resampled, this.#decoded.samples, frames)
    this.#end = position + Math.round(frames * this.#ratio)
  }

  #beginSound(position: number): Resampler {
    const { sampleRateHz } = this.codec
    const resampler = new Resampler(sampleRateHz, this.#file.sampleRateHz, (sampleRateHz * longestPacketMs) / 1000)
    this.#resampledAt = position - Math.round(resampler.delaySamples * this.#ratio)
    return resampler
  }

  /** What is left in the resampler; after a gap it begins anew. */
  #endSound(): void {
    const resampler = this.#resampler
    if (!resampler || !this.#resampled) return
    const silence = new Int16Array(Math.ceil(resampler.delaySamples))
    this.#resample(this.#resampled, silence, silence.length)
    this.#resampler = undefined
  }

  #resample(to: Sound, samples: Int16Array, count: number): void {
    to.frames = this.#resampler?.process(samples, 0, count, to.samples, 0) ?? 0
    this.#file.put(to, this.#resampledAt)
    this.#resampledAt += to.frames
  }
}
