import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callRecordingName, maxNameLength, safeName } from './names.ts'

test('an ordinary Call-ID is its own file name', () => {
  assert.equal(safeName('c2-d253c800@192.0.2.9'), 'c2-d253c800@192.0.2.9')
})

test('nothing in a name can leave the folder, hide the file or stop the shell', () => {
  for (const hostile of [
    '../../etc/passwd',
    '.hidden',
    '..',
    '.',
    'a/b\\c',
    'a b;rm -rf *',
    'ü\n\0',
    '',
    'NUL',
    'con.wav',
  ])
    assert.match(safeName(hostile), /^(?!\.)(?!(nul|con)(\.|$))[A-Za-z0-9_.@%-]+(?<!\.)$/i, hostile)
})

test('different Call-IDs have different names, long ones too', () => {
  const ids = ['a/b', 'a%2Fb', 'a_b', 'A b', `${'x'.repeat(500)}1`, `${'x'.repeat(500)}2`]
  const names = ids.map((id) => safeName(id))
  assert.equal(new Set(names).size, ids.length)
  for (const name of names) assert.ok(name.length <= maxNameLength)
})

test('a PBX call is named by time, numbers and the beginning of its id', () => {
  const name = callRecordingName({
    callId: 'Xk3v9QbAzzzzzzzzzzzzzz',
    startedAtMs: Date.UTC(2026, 10, 20, 7, 34, 37),
    from: { uri: 'sip:alice@example.com', extension: '101' },
    to: { uri: 'sip:+12025550123@gw.example.com;user=phone' },
  })
  assert.equal(name, '2026-11-20_073437_101_+12025550123_Xk3v9QbA')
})
