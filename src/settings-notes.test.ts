import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fields, Logger } from './core/logger.ts'
import { loadSettings } from './core/settings/load.ts'
import { noteSettings } from './settings-notes.ts'

function notes(env: Record<string, string>, there: readonly string[] = []): [string, string, unknown][] {
  const lines: [string, string, unknown][] = []
  const write =
    (level: string) =>
    (sentence: string, fields: Fields = {}) =>
      void lines.push([level, sentence, fields['settings'] ?? fields['path']])
  const log: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  noteSettings(loadSettings({ env }), log, (path) => there.includes(path))
  return lines
}

test('what has no effect is one line, what does not protect another, however many variables there are', () => {
  const lines = notes({ AGC_MAX_GAIN: '24', AGC_HOLD_TIME: '50', LI_ENABLED: 'true', PII_DETECTION_ENABLED: 'true' })
  assert.deepEqual(
    lines.map(([level, , settings]) => [level, settings]),
    [
      ['warn', { PII_DETECTION_ENABLED: 'personal data in speech is not found or masked yet' }],
      [
        'warn',
        {
          'AGC_HOLD_TIME AGC_MAX_GAIN': 'a recording is what came, sample for sample',
          LI_ENABLED: 'there is no lawful interception',
        },
      ],
    ],
  )
})

test('nothing is said where there is nothing to say', () => {
  assert.deepEqual(notes({ RTP_TIMEOUT: '45s' }), [])
})

test('a file that loreste/siprec would have found by itself is not passed over in silence', () => {
  const [line] = notes({}, ['/etc/siprec/config.yaml'])
  assert.deepEqual([line?.[0], line?.[2]], ['warn', '/etc/siprec/config.yaml'])
})
