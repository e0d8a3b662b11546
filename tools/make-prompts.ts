/**
 * `npm run prompts`: speak the English prompts anew and keep them in src/prompts/sounds/en, as G.722.
 *
 * Needs `flite` (Debian package of that name), whose voice is understood on telephones better than that of espeak-ng.
 * Run it when a text has changed; what no text names any more is removed.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findCodec } from '../src/codec/codecs.ts'
import { readWav } from '../src/codec/wav.ts'
import { languages } from '../src/prompts/catalogue.ts'
import { preparePrompt } from '../src/prompts/sound.ts'

const folder = join(import.meta.dirname, '../src/prompts/sounds/en')
const texts = languages['en']?.texts ?? {}

const temporary = mkdtempSync(join(tmpdir(), 'prompts-'))
try {
  for (const [name, text] of Object.entries(texts)) {
    const path = join(temporary, 'prompt.wav')
    execFileSync('flite', ['-voice', 'rms', '-t', text.replaceAll('PIN', 'pin'), '-o', path])
    writeFileSync(join(folder, `${name}.g722`), encoded(preparePrompt(await readWav(path))))
  }
} finally {
  rmSync(temporary, { recursive: true })
}
for (const file of readdirSync(folder)) {
  if (file.endsWith('.g722') && !(file.slice(0, -5) in texts)) rmSync(join(folder, file))
}
const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
console.log(`${Object.keys(texts).length} prompts, ${Math.round(bytes / 1024)} KB`)

function encoded(samples: Int16Array): Uint8Array {
  const even = samples.subarray(0, samples.length - (samples.length % 2))
  const payload = new Uint8Array(even.length / 2)
  findCodec('G722', 8000)?.createEncoder().encode(even, 0, even.length, payload, 0)
  return payload
}
