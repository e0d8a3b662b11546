import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sine } from '../codec/test-support.ts'
import { loadRnnoise } from './rnnoise.ts'
import { createVoiceChain } from './voice-chain.ts'

const all = { echo: true, denoise: true, gainDbov: -20 }

test('a chain prints its stages in their order, and adds up their delays', { skip: !loadRnnoise() }, () => {
  const chain = createVoiceChain(16_000, all, () => undefined)
  assert.equal(String(chain), 'echo(128ms) > denoise > agc(-20dBov)')
  assert.equal(chain?.delayMs, 20 + 11.875 + 2.5)
  chain?.close()
})

test('nothing is made where nothing is asked for, or at a rate that is no voice rate', () => {
  assert.equal(createVoiceChain(8000, { echo: false, denoise: false }), undefined)
  assert.equal(createVoiceChain(8000, { echo: true, denoise: false }), undefined)
  assert.equal(createVoiceChain(44_100, all), undefined)
})

test('a chain leaves the frame it is given as it was, and makes its own of silence', () => {
  const chain = createVoiceChain(8000, { echo: false, denoise: false, gainDbov: -20 })
  const frame = sine(440, 8000, 8000, 0.02)
  const copy = frame.slice()
  assert.notEqual(chain?.process(frame), frame)
  assert.deepEqual(frame, copy)
  chain?.process(undefined)
  assert.ok(chain?.process(undefined).every((sample) => sample === 0))
})
