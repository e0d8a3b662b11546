import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DtmfDetector } from './dtmf-detector.ts'
import { decodeG711, encodeG711 } from './g711.ts'
import { noise, resampled, speech16k } from './test-support.ts'
import { tonePeak } from './tone.ts'
import { highGroupHz, lowGroupHz } from './tones.ts'

const digits = '123A456B789C*0#D'

interface Press {
  readonly digit: string
  readonly toneMs?: number
  readonly pauseMs?: number
  /** Tones off their pitch by this share. */
  readonly detune?: number
  /** The high one, where it differs. */
  readonly highDetune?: number
  readonly lowDbm0?: number
  readonly highDbm0?: number
}

/** The presses one after the other, through G.711, beginning `offset` samples into a window. */
function pressed(presses: readonly Press[], offset = 0): Int16Array {
  const sound: number[] = Array.from({ length: 200 + offset }, () => 0)
  for (const {
    digit,
    toneMs = 50,
    pauseMs = 50,
    detune = 0,
    highDetune = detune,
    lowDbm0 = -9,
    highDbm0 = -7,
  } of presses) {
    const at = digits.indexOf(digit)
    const low = (2 * Math.PI * (lowGroupHz[at >> 2] ?? 0) * (1 + detune)) / 8000
    const high = (2 * Math.PI * (highGroupHz[at & 3] ?? 0) * (1 + highDetune)) / 8000
    for (let i = 0; i < toneMs * 8; i++)
      sound.push(tonePeak(lowDbm0) * Math.sin(low * i) + tonePeak(highDbm0) * Math.sin(high * i))
    for (let i = 0; i < pauseMs * 8; i++) sound.push(0)
  }
  return decodeG711('PCMU', encodeG711('PCMU', Int16Array.from(sound)))
}

function heard(sound: Int16Array): string {
  let found = ''
  const detector = new DtmfDetector((digit) => {
    found += digit
  })
  for (let at = 0; at < sound.length; at += 160) detector.listen(sound, at, Math.min(160, sound.length - at))
  return found
}

const all = digits.split('')
/** Each digit with these properties, at every third place in a window. */
function everyHeard(press: Omit<Press, 'digit'>): string[] {
  const found = new Set<string>()
  const presses = all.map((digit) => ({ ...press, digit }))
  for (let offset = 0; offset < 51; offset += 3) found.add(heard(pressed(presses, offset)))
  return [...found]
}

test('digits of 40 ms with pauses of 40 ms are all heard, wherever they begin (Q.24 table A-1)', () => {
  assert.deepEqual(everyHeard({ toneMs: 40, pauseMs: 40 }), [digits])
})

test('the same digit twice is two digits, one that breaks off for 10 ms is one', () => {
  assert.equal(heard(pressed(Array.from({ length: 5 }, () => ({ digit: '7', toneMs: 40, pauseMs: 40 })))), '77777')
  for (let offset = 0; offset < 51; offset += 3) {
    const broken = [
      { digit: '7', toneMs: 60, pauseMs: 10 },
      { digit: '7', toneMs: 60 },
    ]
    assert.equal(heard(pressed(broken, offset)), '7')
  }
})

test('tones of 23 ms are no digits', () => {
  assert.deepEqual(everyHeard({ toneMs: 23, pauseMs: 60 }), [''])
})

test('digits 1.5 % off their pitch are heard, 3.5 % off are not', () => {
  for (const detune of [0.015, -0.015]) assert.deepEqual(everyHeard({ detune }), [digits])
  for (const detune of [0.035, -0.035]) {
    assert.deepEqual(everyHeard({ detune, toneMs: 100 }), [''])
    assert.deepEqual(everyHeard({ detune, highDetune: 0, toneMs: 100 }), [''])
    assert.deepEqual(everyHeard({ detune: 0, highDetune: detune, toneMs: 100 }), [''])
  }
})

test('the high tone may be 4 dB louder or 8 dB quieter, and both as quiet as -25 dBm0', () => {
  assert.deepEqual(everyHeard({ lowDbm0: -12, highDbm0: -8 }), [digits])
  assert.deepEqual(everyHeard({ lowDbm0: -6, highDbm0: -14 }), [digits])
  assert.deepEqual(everyHeard({ lowDbm0: -25, highDbm0: -25, detune: 0.015 }), [digits])
  assert.deepEqual(everyHeard({ lowDbm0: -20, highDbm0: -8 }), [''])
  assert.deepEqual(everyHeard({ lowDbm0: -36, highDbm0: -36 }), [''])
})

test('digits 15 dB above noise are heard', () => {
  const presses = all.map((digit) => ({ digit, toneMs: 50, pauseMs: 50 }))
  const sound = pressed(presses)
  // Both tones together have 2 dB more than the louder: noise 15 dB below the quieter one
  const deviation = (tonePeak(-9) / Math.SQRT2) * 10 ** (-15 / 20)
  const disturbance = noise(deviation, sound.length)
  assert.equal(heard(sound.map((sample, i) => sample + (disturbance[i] ?? 0))), digits)
})

test('neither speech nor noise nor one tone alone is a digit', () => {
  assert.equal(heard(resampled(speech16k, 16_000, 8000)), '')
  assert.equal(heard(noise(4000, 80_000)), '')
  assert.equal(heard(pressed([{ digit: '1', toneMs: 1000, lowDbm0: -60 }])), '')
})
