import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { levelDbov } from '../codec/level.ts'
import { languages } from './catalogue.ts'
import { espeak } from './synthesizer.ts'

const skip = spawnSync('espeak-ng', ['--version']).error ? 'espeak-ng is not installed' : false

test('espeak-ng speaks each of our languages, louder than nothing and longer for longer texts', { skip }, async () => {
  for (const [language, { texts }] of Object.entries(languages)) {
    const short = await espeak(language, texts['yes'] ?? '')
    const long = await espeak(language, texts['voicemail-greeting'] ?? '')
    assert.ok(short && long, language)
    assert.ok(Math.abs(levelDbov(long) + 21) < 3, `${language}: ${levelDbov(long)} dBov`)
    assert.ok(
      long.length > 5 * short.length && long.length > 2 * 16_000,
      `${language}: ${short.length}, ${long.length}`,
    )
  }
})

test('a language that espeak-ng does not know is not spoken', { skip }, async () => {
  assert.equal(await espeak('qq', 'hello'), undefined)
})

test('a text that looks like an option is read, not obeyed', { skip }, async () => {
  assert.ok((await espeak('en', '--version')) !== undefined)
})
