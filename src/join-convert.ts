/** Joins conversion: the settings, ffmpeg, the recordings' files and keys. */
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Database } from './database/open.ts'
import type { AfterStep } from './recording/after.ts'
import { convertRecording } from './recording/convert/convert.ts'
import { ffmpegVersion } from './recording/convert/ffmpeg.ts'
import { keepCodes } from './recording/convert/native.ts'
import type { RecordingKeys } from './recording/sealing.ts'

/** Within ten minutes; the sound stays WAV after them. */
const attempts = 8
/** An hour of a call takes some seconds; a day of it on a slow machine does not take so long. */
const limitMs = 2 * 3_600_000

export async function joinConvert({
  settings: { recording },
  log,
  database,
  recordingDir: folder,
  keys,
}: {
  readonly settings: Settings
  readonly log: Logger
  readonly database: Database
  readonly recordingDir: string
  readonly keys: RecordingKeys
}): Promise<AfterStep> {
  const { format, mp3Bitrate, opusBitrate, keepWav, ffmpeg, conversions, nativeG711 } = recording
  const has = format === 'wav' || (await ffmpegVersion(ffmpeg)) !== undefined
  if (!has) log.warn('Recordings stay WAV: ffmpeg cannot be run', { format, setting: 'RECORDING_FFMPEG' })
  return {
    kind: 'recording.convert',
    parts: has && (format !== 'wav' || nativeG711) ? [''] : [],
    atATime: conversions,
    limitMs,
    run: async ({ recordingId, attempt }, { signal }) => {
      const files = database.soundFiles
      const bitrates = { mp3: mp3Bitrate, opus: opusBitrate }
      try {
        if (format === 'wav') await keepCodes(recordingId, { folder, keys, files }, signal)
        else
          await convertRecording(recordingId, { folder, ffmpeg, format, bitrates, keepWav, keys, files, log }, signal)
      } catch (error) {
        if (attempt < attempts || signal.aborted) throw error
        // Proof and copies must not wait for ever.
        log.error('A recording could not be converted and stays WAV', { recordingId, error: String(error) })
      }
    },
  }
}
