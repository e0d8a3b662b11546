/** The outline of FLAC, MP3 and Opus: the browser decodes the file, which needs memory, so a very long one gets a line. */
import type { RecordingFile } from '../../../src/api/schemas/recordings.ts'
import { type Peaks, peaksOf } from './peaks.ts'

export type SoundFile = Pick<RecordingFile, 'name' | 'channels' | 'sampleRateHz' | 'samples'>

/** Of all channels, as floats: about 100 minutes of two at 8 kHz. */
const mostDecodedBytes = 384 * 1024 * 1024

export const isWav = ({ name }: SoundFile): boolean => /\.wav(\.sealed)?$/.test(name)

export const isTooLong = ({ channels, samples }: SoundFile): boolean => channels * samples * 4 > mostDecodedBytes

/** A line where this browser cannot: what it can play it may not decode in one piece. */
export async function peaksOfFile(file: SoundFile, bytes: ArrayBuffer): Promise<Peaks> {
  const { channels, sampleRateHz, samples } = file
  const format = { channels, sampleRateHz, samples }
  try {
    const context = new OfflineAudioContext(channels, 1, sampleRateHz)
    const decoded = await context.decodeAudioData(bytes)
    const count = Math.min(channels, decoded.numberOfChannels)
    return peaksOf(
      format,
      Array.from({ length: count }, (_, channel) => decoded.getChannelData(channel)),
    )
  } catch {
    return peaksOf(format)
  }
}
