/**
 * A sound as its user names it, opened.
 *
 *   Player ── Sound ─▶ store.ts ─▶ here ─▶ Recorded at the rate that is wanted
 */
import type { OpusRateHz } from '../../../codec/opus.ts'
import { progressTones } from '../../../codec/tones.ts'
import type { Sound } from '../../graph/types.ts'
import { makeSilence, makeTone } from './made.ts'
import { makeMelody } from './melody.ts'
import { openOggOpus } from './ogg-opus.ts'
import { openPcm, openWav, rawLayout } from './pcm.ts'
import { type ByteSource, fileBytes, memoryBytes, type Recorded, SoundError } from './recorded.ts'
import { resampled } from './resampled.ts'

const opusRates: readonly number[] = [8000, 12_000, 16_000, 24_000, 48_000] satisfies OpusRateHz[]

/** @throws {SoundError} */
export async function openSound(sound: Sound, sampleRateHz: number): Promise<Recorded> {
  if ('builtIn' in sound) return makeMelody(sampleRateHz)
  if ('silenceMs' in sound) return makeSilence(sampleRateHz, sound.silenceMs)
  if ('tone' in sound) {
    const tone = typeof sound.tone === 'string' ? progressTones[sound.country ?? 'us'][sound.tone] : sound.tone
    return makeTone(tone, sampleRateHz, sound.durationMs ?? Number.POSITIVE_INFINITY)
  }
  const bytes = 'file' in sound ? await fileBytes(sound.file) : memoryBytes(sound.bytes)
  try {
    return resampled(await openBytes(bytes, sound, sampleRateHz), sampleRateHz)
  } catch (cause) {
    await bytes.close()
    throw cause instanceof SoundError ? cause : new SoundError('media.sound-broken', { cause })
  }
}

/**
 * The rate that a sound has of its own; undefined for what is made at any.
 * @throws {SoundError}
 */
export async function nativeRateHz(sound: Sound): Promise<number | undefined> {
  if (!('file' in sound || 'bytes' in sound)) return undefined
  if (sound.raw) return sound.raw.sampleRateHz
  const bytes = 'file' in sound ? await fileBytes(sound.file) : memoryBytes(sound.bytes)
  try {
    return (await isOgg(bytes)) ? oggOpusRateHz : (await openWav(bytes)).sampleRateHz
  } finally {
    await bytes.close()
  }
}

const oggOpusRateHz = 48_000

async function isOgg(bytes: ByteSource): Promise<boolean> {
  return Buffer.from(await bytes.read(0, 4)).toString('latin1') === 'OggS'
}

async function openBytes(
  bytes: ByteSource,
  { raw }: Extract<Sound, { file: string } | { bytes: Uint8Array }>,
  sampleRateHz: number,
): Promise<Recorded> {
  if (raw) {
    const encoding = raw.encoding === 's16le' ? 'pcm16' : raw.encoding
    const { channels = 1 } = raw
    return openPcm(bytes, rawLayout(bytes.size, { encoding, sampleRateHz: raw.sampleRateHz, channels }))
  }
  if (!(await isOgg(bytes))) return openWav(bytes)
  return openOggOpus(bytes, (opusRates.includes(sampleRateHz) ? sampleRateHz : oggOpusRateHz) as OpusRateHz)
}
