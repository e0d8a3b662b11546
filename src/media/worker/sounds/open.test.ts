import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeG711 } from '../../../codec/g711.ts'
import { differing, findSine, noise, readBytes, sine, snrDb, speech16k } from '../../../codec/test-support.ts'
import { openSound } from './open.ts'
import { bytesOf, inMemory, readAll, saw, wav } from './test-support.ts'

const sound = saw(12_000)

test('WAV files of 8, 16 and 24 bits and of G.711 are read sample for sample', async () => {
  const as8 = Uint8Array.from(sound, (sample) => (sample >> 8) + 128)
  const as24 = Uint8Array.from({ length: sound.length * 3 }, (_, i) => {
    const value = (sound[Math.floor(i / 3)] ?? 0) * 256 + (i % 2) // rounds back
    return (value >> (8 * (i % 3))) & 0xff
  })
  const ulaw = encodeG711('PCMU', sound)
  const files = [
    [wav(as8, 8000, { bits: 8 }), sound.map((sample) => (sample >> 8) << 8)],
    [wav(bytesOf(sound), 8000), sound],
    [wav(as24, 8000, { bits: 24 }), sound],
    [wav(ulaw, 8000, { tag: 7, bits: 8 }), undefined],
  ] as const
  for (const [bytes, expected] of files) {
    const read = await readAll(await openSound({ bytes }, 8000))
    if (expected) assert.equal(differing(read, expected), 0)
    else assert.equal(differing(encodeG711('PCMU', read), ulaw), 0)
  }
})

test('of several channels the mean is heard', async () => {
  const left = saw(8000)
  const right = left.map((sample) => -sample + 100)
  const stereo = Int16Array.from({ length: 16_000 }, (_, i) => (i % 2 === 0 ? left : right)[i >> 1] ?? 0)
  const read = await readAll(await openSound({ bytes: wav(bytesOf(stereo), 8000, { channels: 2 }) }, 8000))
  assert.deepEqual(new Set(read), new Set([50]))
  assert.equal(read.length, 8000)
})

test('raw samples are read as they are told to be, from anywhere', async () => {
  const recorded = await openSound(inMemory(sound), 8000)
  assert.deepEqual(await recorded.read(5000, 3), sound.slice(5000, 5003))
  assert.deepEqual(await recorded.read(11_999, 10), sound.slice(11_999))
  const alaw = { bytes: encodeG711('PCMA', sound), raw: { encoding: 'PCMA', sampleRateHz: 8000 } } as const
  assert.ok(snrDb(sound, await readAll(await openSound(alaw, 8000))) > 35)
})

for (const [fromHz, toHz] of [
  [8000, 16_000],
  [48_000, 8000],
  [44_100, 16_000],
  [11_025, 8000],
] as const) {
  test(`${fromHz} Hz are heard at ${toHz} Hz: in time, in tune, and the same in pieces as at once`, async () => {
    const tone = sine(440, 10_000, fromHz, 3)
    const recorded = await openSound(inMemory(tone, fromHz), toHz)
    assert.equal(recorded.samples, 3 * toHz)
    const whole = await recorded.read(0, recorded.samples)
    const expected = sine(440, 10_000, toHz, 3)
    const inner = (samples: Int16Array): Int16Array => samples.subarray(toHz / 10, 2.9 * toHz)
    assert.ok(snrDb(inner(expected), inner(whole)) > 60, `${snrDb(inner(expected), inner(whole))} dB`)
    const pieces = await Promise.all([0, 1, 2].map((second) => recorded.read(second * toHz, toHz)))
    assert.equal(differing(Int16Array.from(pieces.flatMap((piece) => Array.from(piece))), whole), 0)
  })
}

test('an Ogg Opus file decodes to the samples that ffmpeg makes of it', async () => {
  const heard = await readAll(await openSound({ bytes: readBytes('speech.opus') }, 48_000))
  const digest = createHash('sha256').update(bytesOf(heard)).digest('hex')
  assert.equal(digest, 'b519d10e4fc3f7041b4a3be6fa95d8082aaebb720ab8d086b33f717deb09d461')
})

test('at any other rate it is as long, and in time with its source', async () => {
  for (const rate of [8000, 16_000, 44_100]) {
    const heard = await readAll(await openSound({ bytes: readBytes('speech.opus') }, rate))
    const source = await readAll(await openSound(inMemory(speech16k, 16_000), rate))
    assert.equal(heard.length, source.length)
    const step = Math.round(rate / 4000)
    const shifted = [-2, -1, 0, 1, 2].map((steps) =>
      steps < 0 ? snrDb(source, heard.subarray(-steps * step)) : snrDb(source.subarray(steps * step), heard),
    )
    assert.equal(shifted.indexOf(Math.max(...shifted)), 2, `${rate}: ${shifted.join()}`)
  }
})

test('a file is opened by its path', async () => {
  const file = join(import.meta.dirname, '../../../../test/data/codecs/speech.opus')
  const heard = await readAll(await openSound({ file }, 16_000))
  assert.equal(differing(heard, await readAll(await openSound({ bytes: readFileSync(file) }, 16_000))), 0)
})

test('tones by name, by description, and silence', async () => {
  const busy = await readAll(await openSound({ tone: 'busy', country: 'de', durationMs: 960 }, 8000))
  assert.equal(busy.length, 7680)
  assert.ok(findSine(busy.subarray(80, 3760), 425, 8000).snrDb > 40)
  assert.ok(busy.subarray(3840).every((sample) => sample === 0))
  const tone = { parts: [{ frequencyHz: 1000, levelDbm0: -10 }] }
  const endless = await openSound({ tone }, 8000)
  assert.equal(endless.samples, Number.POSITIVE_INFINITY)
  const first = await endless.read(0, 16_000)
  assert.equal(differing(await endless.read(8000, 8000), first.subarray(8000)), 0, 'read again from the middle')
  const short = await readAll(await openSound({ tone, durationMs: 100 }, 8000))
  assert.ok(Math.abs(short.at(-1) ?? 0) < 400, 'its end is soft')
  assert.equal(differing(await readAll(await openSound({ silenceMs: 30 }, 16_000)), new Int16Array(480)), 0)
})

const opened = (bytes: Uint8Array) => openSound({ bytes }, 8000)

test('what is missing and what cannot be read are told apart', async () => {
  await assert.rejects(openSound({ file: '/nowhere/at-all.wav' }, 8000), { code: 'media.sound-missing' })
  await assert.rejects(opened(new Uint8Array(0)), { code: 'media.sound-broken' })
  await assert.rejects(opened(bytesOf(noise(5000, 3000))), { code: 'media.sound-broken' })
  await assert.rejects(opened(Buffer.from('ID3 an MP3 file')), { code: 'media.sound-broken' })
  await assert.rejects(opened(wav(bytesOf(sound), 0)), { code: 'media.sound-broken' })
  await assert.rejects(opened(wav(bytesOf(sound), 3_000_000)), { code: 'media.sound-broken' })
  const raw = { encoding: 's16le', sampleRateHz: 8000, channels: 99 } as const
  await assert.rejects(openSound({ bytes: bytesOf(sound), raw }, 8000), { code: 'media.sound-broken' })
})
