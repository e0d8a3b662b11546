import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readWav } from '../codec/wav.ts'
import { loadSettings } from '../core/settings/load.ts'
import { languages } from '../prompts/catalogue.ts'
import { spelled } from '../prompts/languages/spelled.ts'
import { UsageError } from './expected.ts'
import { promptsFor, runPrompts } from './prompts.ts'

const german = languages['de']?.grammar ?? spelled

test('a word of the command line is a number, a time, a date, a kind with its value, or a prompt', () => {
  assert.deepEqual(promptsFor(german, '21'), ['number-21'])
  assert.deepEqual(promptsFor(german, '14:05'), ['number-14', 'oclock', 'number-5'])
  assert.deepEqual(promptsFor(german, '2026-11-20').slice(0, 3), ['weekday-5', 'the', 'ordinal-20'])
  assert.deepEqual(promptsFor(german, 'digits:007'), ['number-0', 'number-0', 'number-7'])
  assert.deepEqual(promptsFor(german, 'duration:60'), ['number-1-feminine', 'minute'])
  assert.deepEqual(promptsFor(german, 'goodbye'), ['goodbye'])
  assert.throws(() => promptsFor(german, '25:00'), UsageError)
})

test('`prompts say` writes a WAV of what was asked for', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'prompts-'))
  t.after(() => rm(folder, { recursive: true }))
  t.mock.method(console, 'log', () => {})
  const { settings } = loadSettings({ env: { DATA_DIR: folder, PROMPTS_DIR: join(folder, 'own') } })
  const output = join(folder, 'said.wav')

  assert.equal(await runPrompts(settings, { rest: ['say', '21', 'goodbye'], language: 'en', output }), 0)

  const sound = await readWav(output)
  assert.equal(sound.sampleRateHz, 16_000)
  assert.ok(sound.samples > 16_000 && sound.samples < 48_000, `${sound.samples} samples`)
  await assert.rejects(runPrompts(settings, { rest: ['sing'], language: 'en', output }), UsageError)
  const nowhere = join(folder, 'missing', 'said.wav')
  await assert.rejects(runPrompts(settings, { rest: ['say', '21'], language: 'en', output: nowhere }), UsageError)
})
