/** The music on hold that the settings name, tried before the first call needs it. */
import { resolve } from 'node:path'
import type { Music } from './media/graph/types.ts'
import { openSound } from './media/worker/sounds/open.ts'
import { StartError } from './start-error.ts'

/**
 * @param named MUSIC_ON_HOLD.
 * @returns None for silence.
 * @throws {StartError} when the file is not there, or is nothing that is played.
 */
export async function findHoldMusic(named: string): Promise<readonly Music[]> {
  if (named === 'none') return []
  if (named === 'music') return [{ builtIn: 'music' }]
  const file = resolve(named)
  try {
    const sound = await openSound({ file }, 16_000)
    await sound.close()
  } catch (cause) {
    throw new StartError(`MUSIC_ON_HOLD: ${file} is no WAV or Ogg Opus file that can be read`, { cause })
  }
  return [{ file }]
}
