import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelDbov, peak, SpeechDetector, silenceDbov } from './level.ts'
import { noise, sine, speech16k } from './test-support.ts'

test('a full square wave is 0 dBov, a full sine -3, digital silence -127 (RFC 6464 §3)', () => {
  assert.equal(levelDbov(Int16Array.of(-32_768, -32_768)), 0)
  assert.ok(Math.abs(levelDbov(sine(1000, 32_767, 8000, 1)) + 3.01) < 0.01)
  assert.equal(levelDbov(new Int16Array(160)), silenceDbov)
  assert.equal(peak(Int16Array.of(5, -32_768, 7)), 32_768)
})

test('speech is heard in speech with noise behind it, and not in the noise alone', () => {
  const background = noise(60, 16_000 * 6)
  const detector = new SpeechDetector(16_000)
  const sound = background.map((sample, i) => sample + (speech16k[i - 48_000] ?? 0))
  let early = 0
  let spoken = 0
  let late = 0
  for (let at = 0; at < sound.length; at += 320) {
    if (!detector.hears(sound, at, 320)) continue
    if (at < 48_000) early++
    else if (at < 48_000 + speech16k.length) spoken++
    else late++
  }
  assert.equal(early, 0)
  assert.ok(spoken > 60, `${spoken} of 120 frames`)
  assert.ok(late <= 10, `${late} frames after the end`)
  assert.ok(Math.abs(detector.noiseFloorDbov - levelDbov(background)) < 2)
})
