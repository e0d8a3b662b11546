/** The speech the demo and the tests play: see speech/README.md for who speaks. */
import { join } from 'node:path'
import { readWav } from '../codec/wav.ts'

export type SpeechName = 'caller' | 'callee' | 'customer' | 'agent'

/** @returns 8 kHz samples. */
export async function loadSpeech(name: SpeechName): Promise<Int16Array> {
  const { pcm } = await readWav(join(import.meta.dirname, 'speech', `${name}.wav`))
  return pcm
}
