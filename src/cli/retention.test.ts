import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSettings } from '../core/settings/load.ts'
import type { CommandContext } from './commands.ts'
import { runHold, runRetention } from './retention.ts'

const context = (words: string, given: CommandContext['given']) => ({ rest: words.split(' '), given })

test('what is missing or wrong in a hold or a rule is said by the name of its option', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-retention-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { settings } = loadSettings({ env: {}, overrides: { 'data.dir': join(folder, 'data') } })
  await assert.rejects(runHold(settings, context('add', { person: '101' })), {
    message: '--why is missing: why it is kept',
  })
  await assert.rejects(
    runHold(settings, context('add', { why: 'case 7' })),
    /give one of --recording, --call and --person/,
  )
  await assert.rejects(runRetention(settings, context('add keep', { days: 'x' })), {
    message: '--days: a whole number',
  })
})
