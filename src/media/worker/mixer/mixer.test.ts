import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amplitudeOf, hush, largestStep, listen, steadyTone } from '../graph/test-support.ts'
import { frameSamples, type SoundSource } from '../sound.ts'
import { Limiter } from './limiter.ts'
import { LoudestStage } from './loudest.ts'
import { Mixer, type MixerRateHz } from './mixer.ts'

/** Multiples of 50 Hz below the Nyquist frequency of 8 kHz, none the harmonic of few others. */
const frequencies = Array.from({ length: 20 }, (_, i) => 350 + 150 * i)

/** A source that says what it is told, silence by default. */
function puppet(sampleRateHz: number): SoundSource & { frame: Int16Array | undefined } {
  return {
    sampleRateHz,
    frame: undefined,
    read() {
      return this.frame
    },
  }
}

for (const sampleRateHz of [8000, 16_000, 48_000] as const satisfies MixerRateHz[]) {
  test(`twenty parties at ${sampleRateHz} Hz: each hears the nineteen others at their level, and not itself`, () => {
    const mixer = new Mixer({ sampleRateHz })
    const members = frequencies.map((frequency) => mixer.join(steadyTone(sampleRateHz, frequency, 1000)))
    for (const member of members) member.read(0) // all fade in
    const frames = members.map((member) => Int16Array.from(member.read(1) ?? []))
    for (const [i, frame] of frames.entries()) {
      for (const [k, frequency] of frequencies.entries()) {
        const amplitude = amplitudeOf(frame, sampleRateHz, frequency)
        if (k === i) assert.ok(amplitude < 2, `${i} hears itself: ${amplitude}`)
        else assert.ok(Math.abs(amplitude - 1000) < 2, `${i} hears ${k} at ${amplitude}`)
      }
    }
  })
}

test('after ten minutes every frame is the same as at the beginning: nothing drifts', () => {
  const mixer = new Mixer({ sampleRateHz: 8000 })
  const members = frequencies.map((frequency) => mixer.join(steadyTone(8000, frequency, 1000)))
  for (const member of members) member.read(0)
  const first = members.map((member) => Int16Array.from(member.read(1) ?? []))
  for (let tick = 2; tick < 30_000; tick++) for (const member of members) member.read(tick)
  assert.deepEqual(
    members.map((member) => Int16Array.from(member.read(30_000) ?? [])),
    first,
  )
})

test('twenty who shout are turned down together: nothing is clipped, all keep their share, the gain stands still', () => {
  const mixer = new Mixer({ sampleRateHz: 16_000 })
  const members = frequencies.map((frequency) => mixer.join(steadyTone(16_000, frequency, 6000)))
  const [member] = members
  assert.ok(member)
  listen(member, 50)
  const heard = listen(member, 50, 50)
  assert.ok(heard.every((sample) => Math.abs(sample) < 32_700))
  const [second = 0] = frequencies.slice(1)
  const level = amplitudeOf(heard, 16_000, second)
  for (const frequency of frequencies.slice(1)) {
    const share = amplitudeOf(heard, 16_000, frequency)
    assert.ok(Math.abs(share / level - 1) < 0.02, `${frequency} Hz has ${share}, another ${level}`)
  }
  // What is between the tones is what limiting added
  for (let frequency = 400; frequency < 3200; frequency += 150)
    assert.ok(amplitudeOf(heard, 16_000, frequency) < level / 100, `distortion at ${frequency} Hz`)
})

test('what is too loud from the first sample of a frame on is bent, and never turns round', () => {
  const limiter = new Limiter()
  const output = new Int16Array(160)
  limiter.process(new Int32Array(160).fill(300_000), 160, output)
  assert.ok(
    output.every((sample) => sample > 28_000),
    `${Math.min(...output)}`,
  )
  limiter.process(new Int32Array(160).fill(-600_000), 160, output)
  assert.ok(
    output.every((sample) => sample < -28_000),
    `${Math.max(...output)}`,
  )
})

test('a shout lets the mix go down at once and come back within a second and a half', () => {
  const mixer = new Mixer({ sampleRateHz: 16_000 })
  const loud = puppet(16_000)
  mixer.join(steadyTone(16_000, 500, 8000))
  mixer.join(loud)
  const ear = mixer.join(undefined)
  listen(ear, 5)
  loud.frame = steadyTone(16_000, 1250, 32_000).read(0)
  const during = listen(ear, 25, 5)
  assert.ok(during.every((sample) => Math.abs(sample) <= 32_767))
  assert.ok(amplitudeOf(during.subarray(-3200), 16_000, 500) < 7000)
  loud.frame = undefined
  listen(ear, 70, 30)
  assert.ok(Math.abs(amplitudeOf(listen(ear, 1, 100), 16_000, 500) - 8000) < 10)
})

test('two voices pass unchanged, sample for sample, as long as their sum fits', () => {
  const mixer = new Mixer({ sampleRateHz: 8000 })
  const [a, b] = [steadyTone(8000, 450, 9000), steadyTone(8000, 1100, 9000)]
  const [first, second] = [mixer.join(a), mixer.join(b)]
  listen(first, 1)
  assert.deepEqual(first.read(1), b.read(1))
  assert.deepEqual(second.read(1), a.read(1))
  const sum = a.read(1)?.map((sample, i) => sample + (b.read(1)?.[i] ?? 0))
  assert.deepEqual(mixer.read(1), sum)
})

test('who joins, leaves, is muted or made deaf comes and goes without a click', () => {
  const mixer = new Mixer({ sampleRateHz: 16_000 })
  const tone = steadyTone(16_000, 400, 10_000)
  const calm = largestStep(listen(tone, 10))
  const ear = mixer.join(hush(16_000))
  listen(ear, 3)
  const member = mixer.join(tone)
  const came = listen(ear, 3, 3)
  member.change({ muted: true })
  const muted = listen(ear, 3, 6)
  member.change({ muted: false, gainDb: -6 })
  const quieter = listen(ear, 3, 9)
  ear.change({ deaf: true })
  const deaf = listen(ear, 3, 12)
  ear.change({ deaf: false })
  const hears = listen(ear, 3, 15)
  member.leave()
  const left = listen(ear, 3, 18)
  const all = Int16Array.from([came, muted, quieter, deaf, hears, left].flatMap((samples) => Array.from(samples)))
  assert.ok(largestStep(all) < 1.2 * calm, `a step of ${largestStep(all)}, the tone has ${calm}`)
  const loudness = [came, muted, quieter, deaf, hears, left].map((samples) =>
    Math.round(amplitudeOf(samples.subarray(-320), 16_000, 400) / 100),
  )
  assert.deepEqual(loudness, [100, 0, 50, 0, 50, 0])
  assert.equal(mixer.size, 1)
})

test('a voice that breaks off within a word is let down, not cut', () => {
  const mixer = new Mixer({ sampleRateHz: 8000 })
  const voice = puppet(8000)
  voice.frame = new Int16Array(160).fill(12_000)
  const ear = mixer.join(undefined)
  mixer.join(voice)
  listen(ear, 3)
  voice.frame = undefined
  const heard = listen(ear, 1, 3)
  assert.ok(Math.abs((heard[0] ?? 0) - 12_000) <= 300)
  assert.ok(largestStep(heard) <= 301)
  assert.equal(heard.at(-1), 0)
  assert.equal(ear.read(4), undefined)
})

test('whoever is silent hears the very same frame as everybody else who is', () => {
  const mixer = new Mixer({ sampleRateHz: 8000 })
  mixer.join(steadyTone(8000, 450, 9000))
  const listeners = Array.from({ length: 3 }, () => mixer.join(undefined))
  const frames = new Set(listeners.map((listener) => listener.read(0)))
  assert.equal(frames.size, 1)
})

test('only the three loudest are heard, and a place changes hands only for a clearly louder voice', () => {
  const mixer = new Mixer({ sampleRateHz: 8000, stage: new LoudestStage(3) })
  const amplitudes = [8000, 7000, 6000, 5000, 4000]
  const voices = amplitudes.map(() => puppet(8000))
  const say = (index: number, amplitude: number): void => {
    const voice = voices[index]
    if (voice) voice.frame = steadyTone(8000, frequencies[index] ?? 0, amplitude).read(0)
  }
  for (const [index, amplitude] of amplitudes.entries()) say(index, amplitude)
  for (const voice of voices) mixer.join(voice)
  const ear = mixer.join(undefined)
  const heard = (firstTick: number): boolean[] => {
    listen(ear, 60, firstTick)
    const frame = listen(ear, 1, firstTick + 60)
    return voices.map((_, index) => amplitudeOf(frame, 8000, frequencies[index] ?? 0) > 1000)
  }
  assert.deepEqual(heard(0), [true, true, true, false, false])
  say(3, 7500) // louder than the third by 2 dB
  assert.deepEqual(heard(100), [true, true, true, false, false])
  say(3, 12_000)
  assert.deepEqual(heard(200), [true, true, false, true, false])
})

test('begin and end of talking are told once each, and a click is no talk', () => {
  const mixer = new Mixer({ sampleRateHz: 8000 })
  const voice = puppet(8000)
  const told: [number, boolean][] = []
  let now = 0
  mixer.join(voice, { talks: (talking) => told.push([now, talking]) })
  const speak = (ticks: number, amplitude: number): void => {
    voice.frame = steadyTone(8000, 450, amplitude).read(0)
    for (const end = now + ticks; now < end; now++) mixer.read(now)
  }
  speak(50, 3)
  speak(100, 5000)
  speak(10, 3)
  speak(50, 5000)
  speak(100, 3)
  assert.deepEqual(told, [
    [54, true],
    [243, false],
  ])
})

test('two mixes that are members of each other hear each other, a tick later, and go on', () => {
  const [a, b] = [new Mixer({ sampleRateHz: 8000 }), new Mixer({ sampleRateHz: 8000 })]
  const inA = a.join(steadyTone(8000, 450, 3000))
  const inB = b.join(steadyTone(8000, 1100, 3000))
  // Each room is a member of the other; it hears all but what came from there
  const link: { a?: SoundSource; b?: SoundSource } = {}
  link.a = a.join({ sampleRateHz: 8000, read: (tick) => link.b?.read(tick) })
  link.b = b.join({ sampleRateHz: 8000, read: (tick) => link.a?.read(tick) })
  for (let tick = 0; tick < 10; tick++) {
    inA.read(tick)
    inB.read(tick)
  }
  const [heardInA, heardInB] = [listen(inA, 1, 10), listen(inB, 1, 10)]
  assert.ok(Math.abs(amplitudeOf(heardInA, 8000, 1100) - 3000) < 5)
  assert.ok(amplitudeOf(heardInA, 8000, 450) < 5)
  assert.ok(Math.abs(amplitudeOf(heardInB, 8000, 450) - 3000) < 5)
})

test('a voice of another rate is refused', () => {
  const mixer = new Mixer({ sampleRateHz: 8000 })
  assert.throws(() => mixer.join(hush(16_000)), RangeError)
  assert.equal(frameSamples(8000), 160)
})
