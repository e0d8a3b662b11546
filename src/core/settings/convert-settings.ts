/** Settings of what finished recordings are converted to. */
import { flag, oneOf, setting, text, whole } from './fields.ts'

export const convertSettings = {
  format: setting(oneOf(['wav', 'flac', 'mp3', 'opus']).default('wav'), {
    env: 'RECORDING_FORMAT',
    description:
      'What sound files are kept as. Other than `wav`: converted by ffmpeg in the background after the call; FLAC is compared sample for sample before the WAV goes. What a format cannot hold (MP3: more than two channels) stays WAV.',
  }),
  mp3Bitrate: setting(whole(8, 320).default(128), {
    env: 'RECORDING_MP3_BITRATE',
    description: 'Of MP3, kbit/s; narrowband sound takes less of it, for the format allows 64 at most there.',
  }),
  opusBitrate: setting(whole(6, 510).default(64), {
    env: 'RECORDING_OPUS_BITRATE',
    description: 'Of Opus, kbit/s for all channels.',
  }),
  nativeG711: setting(flag().default(false), {
    env: 'RECORDING_NATIVE_G711',
    description:
      'With `wav`: keep legs that were G.711 from end to end as its codes, in WAV of 8 bits: half the bytes, the same sound. A-law with gaps in it stays as it is.',
  }),
  keepWav: setting(flag().default(false), {
    env: 'RECORDING_KEEP_WAV',
    description: 'Leave the WAV beside what it was converted to.',
  }),
  ffmpeg: setting(text().default('ffmpeg'), {
    env: 'RECORDING_FFMPEG',
    description: 'The program that converts. Without it recordings stay WAV, and the log says so at the start.',
  }),
  conversions: setting(whole(1, 32).default(1), {
    env: 'RECORDING_CONVERSIONS',
    description: 'Recordings that are converted at a time.',
  }),
}
