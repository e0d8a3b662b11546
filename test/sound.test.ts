/** A whole call with sound processing: what is asked for by settings is heard, and recordings keep what came. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelDbov } from '../src/codec/level.ts'
import { findRun } from '../src/demo/compare.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { connect, startTestServer, untilSpoken } from './support/in-process.ts'

test('a quiet caller is heard louder with SOUND_GAIN, though both phones speak the same codec', async (t) => {
  const server = await startTestServer({ 'sound.gain': true, 'sound.gainLevel': -16 })
  t.after(() => server.close())
  const quiet = (await loadSpeech('callee')).subarray(4_000, 34_000).map((sample) => sample / 8)
  const alice = await server.phone('101', { speech: quiet })
  const bob = await server.phone('102')
  const [atAlice, atBob] = await connect(alice, bob, '102')

  await untilSpoken(atAlice)
  await atAlice.hangUp()
  await atBob.ended

  const [sent, heard] = [atAlice.sent(), atBob.heard()]
  assert.equal(findRun(sent.subarray(8_000, 24_000), heard), undefined, 'it was relayed as it came')
  const louder = levelDbov(heard.subarray(-8_000)) - levelDbov(sent.subarray(22_000, 30_000))
  assert.ok(louder > 5, `${louder.toFixed(1)} dB louder`)
})
