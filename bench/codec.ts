/**
 * What sound costs: microseconds for each frame of 20 ms, by codec and by stage.
 *
 *   npm run bench -- codec --frames 5000
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { codecs } from '../src/codec/codecs.ts'
import { ComfortNoise } from '../src/codec/comfort-noise.ts'
import { Concealer } from '../src/codec/conceal.ts'
import { DtmfDetector } from '../src/codec/dtmf-detector.ts'
import { FractionalResampler } from '../src/codec/fractional-resampler.ts'
import { levelDbov, SpeechDetector } from '../src/codec/level.ts'
import { opus } from '../src/codec/opus.ts'
import { Resampler } from '../src/codec/resample.ts'
import { ToneSource } from '../src/codec/tone.ts'
import { dtmfTone } from '../src/codec/tones.ts'

const { values } = parseArgs({ options: { frames: { type: 'string', default: '5000' } } })
const frames = Number(values.frames)

/** A second of something like a voice: harmonics that swell, so that no codec has an easy time. */
function voice(sampleRateHz: number): Int16Array {
  return Int16Array.from({ length: sampleRateHz }, (_, i) => {
    const t = i / sampleRateHz
    let sum = 0
    for (let k = 1; k < 16; k++) sum += Math.sin(2 * Math.PI * 140 * k * t + k * k) / k
    return 6000 * sum * (0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * t))
  })
}

function report(name: string, frame: (index: number) => void): void {
  for (let i = 0; i < frames / 5; i++) frame(i)
  const from = process.cpuUsage()
  for (let i = 0; i < frames; i++) frame(i)
  const { user, system } = process.cpuUsage(from)
  console.log(`${name.padEnd(44)}${((user + system) / frames).toFixed(2).padStart(8)}`)
}

console.log(`${cpus()[0]?.model}, Node ${process.version}, ${frames} frames of 20 ms each\n`)
console.log('what                                         µs a frame')
/** As calls encode: speech sounds as well as it will at this rate. */
const wishes = { bitsPerSecond: 32_000 }
for (const codec of [...codecs, opus(16_000), opus(8000)]) {
  const rate = codec.sampleRateHz
  const count = rate / 50
  const sound = voice(rate)
  const payload = new Uint8Array(codec.payloadBytes(count))
  const samples = new Int16Array(count)
  const encoder = codec.createEncoder(wishes)
  const decoder = codec.createDecoder()
  report(`${codec.encoding} ${rate} encode`, (i) => {
    encoder.encode(sound, (i % 50) * count, count, payload, 0)
  })
  const bytes = encoder.encode(sound, 0, count, payload, 0)
  report(`${codec.encoding} ${rate} decode`, () => {
    decoder.decode(payload, 0, bytes, samples, 0)
  })
}
for (const [fromHz, toHz] of [
  [8000, 16_000],
  [16_000, 8000],
  [8000, 48_000],
  [48_000, 8000],
  [16_000, 48_000],
  [48_000, 16_000],
] as const) {
  const count = fromHz / 50
  const sound = voice(fromHz)
  const resampler = new Resampler(fromHz, toHz, count)
  const output = new Int16Array(resampler.outputSamples(count))
  report(`resample ${fromHz} to ${toHz}`, (i) => {
    resampler.process(sound, (i % 50) * count, count, output, 0)
  })
}

for (const rate of [8000, 16_000, 48_000]) {
  const resampler = new FractionalResampler()
  const second = voice(rate)
  const output = new Int16Array(rate / 50)
  report(`100 ppm faster at ${rate}`, () => {
    resampler.process(second, rate / 50, 1.0001, output, 0, output.length)
  })
}

const sound = voice(16_000)
const frame = new Int16Array(320)
report('level at 16000', (i) => {
  levelDbov(sound, (i % 50) * 320, 320)
})
const speech = new SpeechDetector(16_000)
report('speech detector at 16000', (i) => {
  speech.hears(sound, (i % 50) * 320, 320)
})
const narrow = voice(8000)
const digits = new DtmfDetector(() => undefined)
report('DTMF detector on a voice', (i) => {
  digits.listen(narrow, (i % 50) * 160, 160)
})
const tone = new ToneSource(dtmfTone('5') ?? { parts: [] }, 8000)
report('DTMF tone at 8000', () => {
  tone.make(frame, 0, 160)
})
const noise = new ComfortNoise(1)
noise.describe(Uint8Array.of(40, 100, 140, 120, 127, 130, 120, 127, 127, 127, 127), 0, 11)
report('comfort noise at 8000', () => {
  noise.make(frame, 0, 160)
})
for (const rate of [8000, 16_000, 48_000]) {
  const count = rate / 50
  const voiced = voice(rate)
  const lost = new Int16Array(count)
  const concealer = new Concealer(rate)
  report(`a lost frame and one that came, at ${rate}`, (i) => {
    concealer.conceal(lost, 0, count)
    concealer.received(voiced, (i % 50) * count, count)
  })
}
