import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelDbov } from '../../../codec/level.ts'
import { noise, resampled, sine, speech16k } from '../../../codec/test-support.ts'
import type { VoiceProcessing } from '../../../core/voice-processing.ts'
import { loadRnnoise } from '../../../dsp/rnnoise.ts'
import { ImprovedVoice } from './improved.ts'
import { SentSound } from './sent-sound.ts'
import { callOf, g722, type PhoneOptions, pcma, pcmu, Sound, speak } from './test-support.ts'

const nothing: VoiceProcessing = { echo: false, denoise: false }
const long = (sound: Int16Array, samples: number): Int16Array =>
  Int16Array.from({ length: samples }, (_, i) => sound[i % sound.length] ?? 0)
const speech8k = resampled(speech16k, 16_000, 8000)

/** Somebody says this in a call, with his voice made better. */
function heardOf(sound: Int16Array, wanted: VoiceProcessing, caller: PhoneOptions = { formats: [pcmu] }) {
  const { clock, frames, a, b } = callOf(caller, { formats: [pcmu] })
  a.port.process(wanted)
  speak(clock, a, sound, 160, 20)
  const heard = b.sound(pcmu)
  clock.advance(2000)
  assert.equal(frames.sinks, 0, 'nothing runs on after the last packet')
  return heard
}

test('a call of one codec is relayed while nothing is asked for, and decoded while something is', () => {
  const { clock, a, b } = callOf({ formats: [pcmu] }, { formats: [pcmu] })
  const sound = sine(500, 3000, 8000, 1)
  speak(clock, a, sound, 160, 20)
  const relayed = b.sound(pcmu)
  assert.ok(Math.abs(levelDbov(relayed) - levelDbov(sound)) < 0.1)
  const before = b.got.length

  a.port.process({ ...nothing, gainDbov: -10 })
  const quiet = long(speech8k, 8000 * 12).map((sample) => sample / 4)
  speak(clock, a, quiet, 160, 20)
  const louder = levelDbov(b.sound(pcmu, before).subarray(8000 * 6)) - levelDbov(quiet.subarray(8000 * 6))
  assert.ok(louder > 6, `${louder} dB louder`)

  a.port.process(nothing)
  const since = b.got.length
  speak(clock, a, sound, 160, 20)
  const relayedAgain = b.sound(pcmu, since)
  assert.ok(Math.abs(levelDbov(relayedAgain) - levelDbov(sound)) < 0.3, `${levelDbov(relayedAgain)} dBov`)
})

test('noise is suppressed before the other party hears it', { skip: !loadRnnoise() }, () => {
  const hiss = noise(300, 8000 * 6)
  const heard = heardOf(hiss, { ...nothing, denoise: true })
  const down = levelDbov(hiss) - levelDbov(heard.subarray(8000 * 3))
  assert.ok(down > 10, `${down} dB down`)
})

test('what a party hears and sends back does not come back to who said it', () => {
  for (const echo of [false, true]) {
    const { clock, a, b } = callOf({ formats: [pcmu] }, { formats: [pcma] })
    if (echo) b.port.process({ ...nothing, echo: true })
    const said = long(speech8k, 8000 * 16)
    // The other phone: sends back what it got 60 ms ago, at a third
    const reply = new Int16Array(160)
    speak(clock, a, said, 160, 20, () => {
      const last = b.got.slice(-4)[0]
      const got = b.got.length >= 4 && last ? b.sound(pcma, b.got.length - 4).subarray(0, 160) : new Int16Array(160)
      for (let i = 0; i < 160; i++) reply[i] = Math.round((got[i] ?? 0) / 3)
      b.say(reply, 0)
    })
    const back = a.sound(pcmu)
    // The jitter buffer settles at 6 s, and moves the echo by that
    const level = levelDbov(back.subarray(8000 * 11)) - levelDbov(said)
    if (echo) assert.ok(level < -25, `${level} dB of it came back`)
    else assert.ok(level > -15, `${level} dB of it came back`)
  }
})

test('a voice of 16 kHz is worked on at 16 kHz, and the chain says what it does', { skip: !loadRnnoise() }, () => {
  const source = new Sound(speech16k, 16_000)
  const improved = new ImprovedVoice(source, { echo: false, denoise: true, gainDbov: -20 }, undefined)
  assert.equal(improved.sampleRateHz, 16_000)
  assert.equal(String(improved), '')
  assert.equal(improved.read(1)?.length, 320)
  assert.equal(improved.read(1), improved.read(1), 'all who read in a tick get the same')
  assert.equal(String(improved), 'denoise > agc(-20dBov)')
  assert.equal(new ImprovedVoice(new Sound(speech16k, 24_000), nothing, undefined).sampleRateHz, 48_000)
  improved.close()
  improved.close()
})

test('a codec of another rate is followed in the middle of a call', () => {
  const { clock, a, b } = callOf({ formats: [pcmu, g722] }, { formats: [pcmu] })
  a.port.process({ ...nothing, gainDbov: -20 })
  speak(clock, a, long(speech8k, 16_000), 160, 20)
  a.speakIn(g722)
  speak(clock, a, long(speech16k, 64_000), 320, 20)
  const sound = b.sound(pcmu)
  assert.ok(levelDbov(sound.subarray(-8000)) > -40, 'the voice goes on')
})

test('what was sent is given once, at the rate that is asked for', () => {
  const sent = new SentSound()
  assert.equal(sent.take(8000), undefined)
  const frame = sine(400, 8000, 8000, 0.02)
  sent.put(frame)
  assert.deepEqual(sent.take(8000), frame)
  assert.equal(sent.take(8000), undefined)
  sent.put(frame)
  assert.equal(sent.take(16_000)?.length, 320)
  sent.put(undefined)
  assert.equal(sent.take(16_000), undefined)
})
