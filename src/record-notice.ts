/** What RECORDING_NOTICE says, tried before the first call needs it. */
import { resolve } from 'node:path'
import type { NoticeSound } from './call/record-notice.ts'
import { openSound } from './media/worker/sounds/open.ts'
import { StartError } from './start-error.ts'

/** 47 CFR §64.501: 1400 Hz within 1.5 %, 200 ms within 20 %, every 15 s within 20 %. The level is ours: well heard beside speech. */
const beep: NoticeSound = {
  sounds: [{ tone: { parts: [{ frequencyHz: 1400, levelDbm0: -20 }] }, durationMs: 200 }],
  everyMs: 15_000,
}

/**
 * @param named RECORDING_NOTICE.
 * @returns Undefined for none.
 * @throws {StartError} when the file is not there, or is nothing that is played.
 */
export async function findRecordNotice(named: string): Promise<NoticeSound | undefined> {
  if (named === 'none' || named === '') return undefined
  if (named === 'tone') return beep
  const file = resolve(named)
  try {
    const sound = await openSound({ file }, 16_000)
    await sound.close()
  } catch (cause) {
    throw new StartError(`RECORDING_NOTICE: ${file} is no WAV or Ogg Opus file that can be read`, { cause })
  }
  return { sounds: [{ file }] }
}
