import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { levelDbov } from '../codec/level.ts'
import { findSine, sine } from '../codec/test-support.ts'
import { readWav, wavHeader } from '../codec/wav.ts'
import { languages } from './catalogue.ts'
import type { PromptError } from './failures.ts'
import { PromptLibrary } from './library.ts'
import { shippedPrompt } from './shipped.ts'
import { preparePrompt } from './sound.ts'
import type { Synthesize } from './synthesizer.ts'

async function folders(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'prompts-'))
  t.after(() => rm(root, { recursive: true }))
  return { folder: join(root, 'own'), cacheFolder: join(root, 'made') }
}

const wav = (samples: Int16Array, sampleRateHz: number): Buffer =>
  Buffer.concat([
    wavHeader({ sampleRateHz, channels: 1, dataBytes: samples.byteLength, startedAtMs: 0 }),
    new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
  ])

const nobody: Synthesize = () => Promise.resolve(undefined)

test('every English prompt is shipped, and sounds', async () => {
  for (const name of Object.keys(languages['en']?.texts ?? {})) {
    const sound = await shippedPrompt('en', name)
    assert.ok(sound && sound.length > 16_000 / 20, `${name} is shipped`)
    assert.ok(levelDbov(sound) > -35, `${name}: ${levelDbov(sound)} dBov`)
  }
})

test('a fresh machine speaks English, and says what it needs for German', async (t) => {
  const library = new PromptLibrary({ ...(await folders(t)), synthesize: nobody })
  const sound = await readWav(await library.find('en-GB', 'goodbye'))
  assert.equal(sound.sampleRateHz, 16_000)
  await assert.rejects(library.find('de', 'goodbye'), (error: PromptError) => error.code === 'prompts.no-voice')
  await assert.rejects(library.find('en', 'no-such'), (error: PromptError) => error.code === 'prompts.no-prompt')
  await assert.rejects(library.find('en', '../secret'), (error: PromptError) => error.code === 'prompts.no-prompt')
  await assert.rejects(library.find('xx', 'goodbye'), (error: PromptError) => error.code === 'prompts.no-language')
  await assert.rejects(library.find('../en', 'goodbye'), (error: PromptError) => error.code === 'prompts.no-language')
})

test('a prompt is made once, for all who ask at a time and later', async (t) => {
  const { folder, cacheFolder } = await folders(t)
  const said: string[] = []
  const synthesize: Synthesize = (language, text) => {
    said.push(`${language}: ${text}`)
    return Promise.resolve(sine(440, 8000, 16_000, 0.5))
  }
  const library = new PromptLibrary({ folder, cacheFolder, synthesize })

  const paths = await Promise.all([library.find('de', 'number-21'), library.find('de-AT', 'number-21')])
  await new PromptLibrary({ folder, cacheFolder, synthesize }).find('de', 'number-21')

  assert.deepEqual(said, ['de: einundzwanzig'])
  assert.deepEqual(await library.sounds('de', ['number-21', 'number-21']), [{ file: paths[0] }, { file: paths[0] }])
  assert.equal(paths[0], paths[1])
  assert.equal((await readdir(join(cacheFolder, 'de'))).length, 1)
})

test('own recordings come first, the nearer language before the wider, and a new language is a folder', async (t) => {
  const { folder, cacheFolder } = await folders(t)
  for (const [language, frequencyHz] of [
    ['de', 500],
    ['de-AT', 700],
    ['nl', 900],
  ] as const) {
    await mkdir(join(folder, language), { recursive: true })
    await writeFile(join(folder, language, 'number-2.wav'), wav(sine(frequencyHz, 9000, 8000, 0.5), 8000))
  }
  const library = new PromptLibrary({ folder, cacheFolder, synthesize: nobody })

  assert.deepEqual(await library.languages(), ['de', 'de-AT', 'en', 'es', 'fr', 'nl'])
  for (const [language, frequencyHz] of [
    ['de', 500],
    ['de-AT', 700],
    ['de-CH', 500],
    ['nl', 900],
  ] as const) {
    const { grammar } = await library.language(language)
    const sound = await library.sound(language, grammar.number(2, 'plain'))
    assert.ok(findSine(sound.subarray(1000, 7000), frequencyHz, 16_000).snrDb > 20, `${language} at ${frequencyHz} Hz`)
  }
  // Dutch has no grammar here: its numbers are spelled
  assert.deepEqual((await library.language('nl')).grammar.number(22, 'plain'), ['number-2', 'number-2'])
})

test('a folder may bring its own grammar', async (t) => {
  const { folder, cacheFolder } = await folders(t)
  await mkdir(join(folder, 'sv'), { recursive: true })
  await writeFile(join(folder, 'sv', 'grammar.js'), "export default { number: () => ['many'] }\n")
  const { grammar } = await new PromptLibrary({ folder, cacheFolder }).language('sv')
  assert.deepEqual(grammar.number(7, 'plain'), ['many'])
})

test('silence around a prompt is cut off, and its level becomes that of all others', () => {
  const around = new Int16Array(8000 * 3)
  around.set(sine(440, 1000, 8000, 1), 8000)
  const channel = (): Int16Array => around
  const sound = preparePrompt({
    encoding: 'pcm16',
    channels: 1,
    sampleRateHz: 8000,
    dataOffset: 0,
    dataBytes: around.byteLength,
    samples: around.length,
    pcm: around,
    channel,
  })
  assert.ok(sound.length > 16_000 && sound.length < 16_000 * 1.1, `${sound.length} samples`)
  assert.ok(Math.abs(levelDbov(sound.subarray(2000, 14_000)) + 20) < 0.5)
})
