/**
 * The English prompts that come with us, so that a fresh machine speaks: G.722, 16 kHz, one file a prompt, in sounds/en.
 *
 * Made by `npm run prompts`; sounds/README.md names the voice and its licence.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { G722Decoder } from '../codec/g722.ts'

const folder = join(import.meta.dirname, 'sounds')

/** The sound of a shipped prompt at 16 kHz; undefined when it is none. */
export async function shippedPrompt(language: string, name: string): Promise<Int16Array | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(join(folder, language, `${name}.g722`))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const samples = new Int16Array(bytes.length * 2)
  new G722Decoder().decode(bytes, 0, bytes.length, samples, 0)
  return samples
}
