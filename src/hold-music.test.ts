import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { findHoldMusic } from './hold-music.ts'

const data = join(import.meta.dirname, '../test/data/codecs')

test('music on hold is none, a piece of our own, or a file that can be played', async () => {
  assert.deepEqual(await findHoldMusic('none'), [])
  assert.deepEqual(await findHoldMusic('music'), [{ builtIn: 'music' }])
  const file = join(data, 'speech.opus')
  assert.deepEqual(await findHoldMusic(file), [{ file }])
})

test('a file that is missing, or of another kind, is told when the server starts', async () => {
  for (const file of [join(data, 'nothing.wav'), join(data, 'README.md')])
    await assert.rejects(findHoldMusic(file), { name: 'StartError', message: /^MUSIC_ON_HOLD: / })
})
