/** A whole call of a number that the server answers itself: what it says is the prompt. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Resampler } from '../src/codec/resample.ts'
import { correlate } from '../src/demo/compare.ts'
import { PromptLibrary } from '../src/prompts/library.ts'
import { promptRateHz } from '../src/prompts/sound.ts'
import { startTestServer } from './support/in-process.ts'
import { until } from './support/until.ts'

const phoneRateHz = 8_000

/** A prompt as a telephone of 8 kHz hears it. */
async function promptAtPhone(folder: string, name: string): Promise<Int16Array> {
  const library = new PromptLibrary({ folder: join(folder, 'own'), cacheFolder: join(folder, 'prompts') })
  const sound = await library.sound('en', [name])
  const narrow = new Int16Array(sound.length)
  const count = new Resampler(promptRateHz, phoneRateHz, sound.length).process(sound, 0, sound.length, narrow, 0)
  return narrow.subarray(0, count)
}

test('who calls the echo test hears what it is', async (t) => {
  const server = await startTestServer()
  t.after(() => server.close())
  const said = await promptAtPhone(server.folder, 'echo-test')
  const phone = await server.phone('101', { speech: new Int16Array(said.length + 2 * phoneRateHz) })

  const outcome = await phone.call('*43').outcome
  assert.ok(outcome.answered)
  const needed = said.length + phoneRateHz
  await until('the prompt to have been spoken', 30_000, () => outcome.call.heard().length > needed)
  const heard = outcome.call.heard()
  await outcome.call.hangUp()

  const { score, overlapSamples } = correlate(said, heard)
  assert.ok(score > 0.97, `likeness ${score.toFixed(3)}`)
  assert.equal(overlapSamples, said.length)
})
