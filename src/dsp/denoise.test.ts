import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelDbov } from '../codec/level.ts'
import { noise, resampled, snrDb, speech16k } from '../codec/test-support.ts'
import { createDenoise } from './denoise.ts'
import { loadRnnoise } from './rnnoise.ts'
import { createVoiceActivity } from './voice-activity.ts'

const skip = loadRnnoise() ? false : 'RNNoise is not installed'
const rates = [8000, 16_000, 48_000] as const

for (const rateHz of rates) {
  test(`white noise as loud as the speech goes down at ${rateHz} Hz`, { skip }, () => {
    const denoise = createDenoise(rateHz)
    assert.ok(denoise)
    const clean = resampled(speech16k, 16_000, rateHz)
    const deviation = 32_768 * 10 ** (levelDbov(clean) / 20)
    const hiss = noise(deviation, clean.length)
    const noisy = clean.map((sample, i) => sample + (hiss[i] ?? 0))
    const output = noisy.slice()
    const frame = rateHz / 50
    for (let at = 0; at + frame <= output.length; at += frame) denoise.process(output.subarray(at, at + frame))

    const delay = Math.round((denoise.delayMs * rateHz) / 1000)
    const before = snrDb(clean, noisy)
    const after = snrDb(clean.subarray(0, clean.length - delay), output.subarray(delay))
    assert.ok(after > before + 2, `${before.toFixed(1)} dB before, ${after.toFixed(1)} after`)
    // The delay is what it says: at any other the two sounds fit worse
    const earlier = snrDb(clean.subarray(0, clean.length - delay), output.subarray(delay - rateHz / 8000))
    assert.ok(after > earlier, 'earlier fits better')

    const silence = hiss.slice()
    for (let at = 0; at + frame <= silence.length; at += frame) denoise.process(silence.subarray(at, at + frame))
    const rest = silence.subarray(silence.length / 2)
    assert.ok(levelDbov(rest) < levelDbov(hiss) - 15, `${levelDbov(hiss)} to ${levelDbov(rest)} dBov`)
    denoise.close()
    denoise.close()
  })
}

test('a thousand streams are opened and closed without growing', { skip }, () => {
  for (let i = 0; i < 1000; i++) createDenoise(8000)?.close()
  const many = Array.from({ length: 200 }, () => createDenoise(48_000))
  const frame = noise(1000, 960)
  for (const each of many) each?.process(frame.slice())
  for (const each of many) each?.close()
})

for (const model of ['energy', 'rnnoise'] as const) {
  test(`${model} hears speech, and not the noise around it`, { skip }, () => {
    const activity = createVoiceActivity(16_000, model)
    assert.equal(activity.model, model)
    const hiss = noise(100, 16_000 * 2 + speech16k.length)
    const sound = hiss.slice()
    speech16k.forEach((sample, i) => {
      sound[16_000 + i] = sample + (hiss[16_000 + i] ?? 0)
    })
    const heard: boolean[] = []
    for (let at = 0; at + 320 <= sound.length; at += 320) heard.push(activity.hears(sound.subarray(at, at + 320)))

    const during = heard.slice(50, 50 + speech16k.length / 320)
    const share = during.filter(Boolean).length / during.length
    assert.ok(share > 0.7, `${share} of the speech`)
    assert.equal(heard.slice(20, 50).filter(Boolean).length, 0, 'noise before it')
    assert.equal(heard.slice(-30).filter(Boolean).length, 0, 'noise after it')
    activity.close()
  })
}
