import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noise, speech16k } from '../../../codec/test-support.ts'
import { loadRnnoise } from '../../../dsp/rnnoise.ts'
import { TalkDetector } from './talk.ts'

/** When somebody is told to talk, s: a second of hiss, speech over it, two seconds of hiss that becomes loud at once. */
function told(model: 'energy' | 'rnnoise'): { readonly talking: boolean; readonly atS: number }[] {
  const sound = new Int16Array(16_000 * 6)
  sound.set(noise(60, sound.length))
  speech16k.forEach((sample, i) => (sound[16_000 + i] = (sound[16_000 + i] ?? 0) + sample))
  sound.set(noise(1500, 16_000), 16_000 * 4.5)
  const changes: { talking: boolean; atS: number }[] = []
  let at = 0
  const detector = new TalkDetector(16_000, (talking) => changes.push({ talking, atS: at / 16_000 }), model)
  for (; at + 320 <= sound.length; at += 320) detector.hear(sound.subarray(at, at + 320))
  detector.end()
  return changes
}

test('by the network a noise that sets in is nobody who talks; by energy it is', { skip: !loadRnnoise() }, () => {
  const byNetwork = told('rnnoise')
  assert.deepEqual(
    byNetwork.map(({ talking }) => talking),
    [true, false],
  )
  const [begun, ended] = byNetwork
  assert.ok(begun && begun.atS > 1 && begun.atS < 1.5, `began at ${begun?.atS} s`)
  assert.ok(ended && ended.atS > 3.4 && ended.atS < 4.3, `ended at ${ended?.atS} s`)
  assert.ok(told('energy').some(({ talking, atS }) => talking && atS > 4.4))
})
