/**
 * Samples that lie one after the other: WAV files, and raw ones whose format is told.
 *
 *   open.ts ─▶ here ── read(from, count) ─▶ bytes ─▶ mono, 16-bit
 */
import { decodeWavSamples, readWavHeader, type WavEncoding, wavSampleBytes } from '../../../codec/wav.ts'
import { type ByteSource, type Recorded, SoundError } from './recorded.ts'

/** What lies in the bytes. */
export interface PcmLayout {
  readonly encoding: WavEncoding
  readonly sampleRateHz: number
  readonly channels: number
  /** Of the first sample. */
  readonly dataOffset: number
  /** Of each channel. */
  readonly samples: number
}

/** Other people's chunks before the samples must fit. */
const headBytes = 65_536
/** What a telephone, a studio and everything between may have. */
const lowestRateHz = 4000
const highestRateHz = 192_000
const mostChannels = 8

/** A WAV file of 8, 16 or 24 bits or G.711. @throws {SoundError} `media.sound-broken` when it is none. */
export async function openWav(bytes: ByteSource): Promise<Recorded> {
  const header = readWavHeader(await bytes.read(0, headBytes), bytes.size)
  if (!header) throw new SoundError('media.sound-broken')
  return openPcm(bytes, header)
}

/** @throws {SoundError} `media.sound-broken` for a layout that nobody has. */
export function openPcm(bytes: ByteSource, layout: PcmLayout): Recorded {
  const { encoding, sampleRateHz, channels, dataOffset, samples } = layout
  if (!(sampleRateHz >= lowestRateHz && sampleRateHz <= highestRateHz && channels >= 1 && channels <= mostChannels))
    throw new SoundError('media.sound-broken')
  const together = wavSampleBytes[encoding] * channels
  return {
    sampleRateHz,
    samples,
    async read(from, count) {
      const wanted = Math.max(0, Math.min(count, samples - from))
      return toMono(encoding, channels, await bytes.read(dataOffset + from * together, wanted * together))
    },
    close: () => bytes.close(),
  }
}

/** A raw file from its first byte to its last. */
export const rawLayout = (size: number, format: Omit<PcmLayout, 'dataOffset' | 'samples'>): PcmLayout => ({
  ...format,
  dataOffset: 0,
  samples: Math.floor(size / (wavSampleBytes[format.encoding] * format.channels)),
})

/** The mean of all channels: nothing that was in one of them gets lost, nothing clips. */
function toMono(encoding: WavEncoding, channels: number, bytes: Uint8Array): Int16Array {
  const all = decodeWavSamples(encoding, bytes)
  if (channels === 1) return all
  const mono = new Int16Array(Math.floor(all.length / channels))
  for (let i = 0; i < mono.length; i++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += all[i * channels + channel] ?? 0
    mono[i] = Math.round(sum / channels)
  }
  return mono
}
