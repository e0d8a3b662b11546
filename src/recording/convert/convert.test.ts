import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../core/logger.ts'
import { keepFacts, started, stored } from '../../database/test-support.ts'
import { sealedWhole } from '../../sealing/container/sealer.ts'
import { readStored } from '../../sealing/stored-file.ts'
import { opensWith, testMaster, testSeal } from '../../sealing/test-support.ts'
import { noise, type Sound, writeLeg } from '../test-support.ts'
import { type ConvertDeps, convertRecording } from './convert.ts'
import { ffmpegVersion, runFfmpeg } from './ffmpeg.ts'

const skip = (await ffmpegVersion('ffmpeg')) === undefined && 'ffmpeg is not installed'
const master = testMaster()
const never = new AbortController().signal

/** A recording `r` with one WAV `a.wav`, or `a.wav.sealed`. */
async function recorded(t: TestContext, sound: Sound, changes: Partial<ConvertDeps> = {}, sealed = false) {
  const { database, bus } = await keepFacts(t)
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-convert-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'a.wav')
  writeLeg(path, sound)
  const seal = testSeal(master)
  if (sealed) {
    writeFileSync(`${path}.sealed`, sealedWhole(seal, 'a.wav', 1, readFileSync(path)))
    rmSync(path)
  }
  const fact = stored('c', 'r')
  const { channels = 1, sampleRateHz = 8_000, samples } = sound
  const [file] = fact.files
  assert.ok(file)
  bus.publish(started('c'))
  const name = sealed ? 'a.wav.sealed' : 'a.wav'
  bus.publish({
    ...fact,
    baseName: 'a',
    files: [{ ...file, name, channels, sampleRateHz, samples: samples.length / channels }],
  })
  const openKey = opensWith(master)
  const deps: ConvertDeps = {
    folder,
    ffmpeg: 'ffmpeg',
    format: 'flac',
    bitrates: { mp3: 128, opus: 64 },
    keepWav: false,
    keys: { openKey, sealAgain: () => Promise.resolve(seal) },
    files: database.soundFiles,
    log: silentLogger,
    ...changes,
  }
  const files = async () => (await database.soundFiles.of('r')).map((row) => [row.name, row.bytes])
  const convert = (more: Partial<ConvertDeps> = {}) => convertRecording('r', { ...deps, ...more }, never)
  return { convert, files, folder, openKey, there: () => readdirSync(folder).filter((entry) => entry !== 'unfinished') }
}

/** What ffmpeg hears in a file. */
async function heard(bytes: Buffer, container: string, rateHz: number, channels: number): Promise<Int16Array> {
  const pieces: Buffer[] = []
  await runFfmpeg({
    path: 'ffmpeg',
    args: ['-f', container, '-i', 'pipe:0', '-f', 's16le', '-ar', String(rateHz), '-ac', String(channels)],
    input: Readable.from([bytes], { objectMode: false }),
    output: (piece) => void pieces.push(piece),
    signal: never,
  })
  const all = Buffer.concat(pieces)
  return new Int16Array(all.buffer.slice(all.byteOffset, all.byteOffset + all.length))
}

/** A voice is more like this than like noise: a tone that glides. */
const glide = (samples: number, rateHz: number): Int16Array =>
  Int16Array.from({ length: samples }, (_, at) => 8_000 * Math.sin((2 * Math.PI * at * (300 + at / 100)) / rateHz))

/** Best signal-to-noise ratio over the lags that a codec may add, dB. */
function bestSnr(sent: Int16Array, back: Int16Array, mostLag: number): number {
  let best = -Infinity
  for (let lag = -mostLag; lag <= mostLag; lag++) {
    let signal = 0
    let fault = 0
    for (let at = 4_000; at < 12_000; at++) {
      const wanted = sent[at] ?? 0
      signal += wanted ** 2
      fault += (wanted - (back[at + lag] ?? 0)) ** 2
    }
    best = Math.max(best, 10 * Math.log10(signal / fault))
  }
  return best
}

for (const sealed of [false, true])
  test(`a ${sealed ? 'sealed' : 'plain'} WAV becomes FLAC sample for sample, and only then goes`, {
    skip,
  }, async (t) => {
    const sound = { samples: noise(1, 40_000), startedAtMs: Date.UTC(2026, 10, 20), channels: 2 }
    const { convert, files, folder, openKey, there } = await recorded(t, sound, {}, sealed)
    await convert()
    const name = sealed ? 'a.flac.sealed' : 'a.flac'
    assert.deepEqual(there(), [name])
    const onDisk = readFileSync(join(folder, name))
    assert.deepEqual(await files(), [[name, onDisk.length]])
    assert.equal(onDisk.includes('fLaC'), !sealed)
    const flac = await readStored(join(folder, name), { openKey })
    assert.deepEqual(await heard(flac, 'flac', 8_000, 2), sound.samples)
    // RFC 9639 §8.2: 20 bits of the rate, 3 channels less one, 5 depth less one, 36 samples, 128 MD5.
    const info = BigInt(`0x${flac.toString('hex', 18, 26)}`)
    assert.deepEqual([info >> 44n, ((info >> 41n) & 7n) + 1n, info & 0xfffffffffn], [8_000n, 2n, 20_000n])
    assert.notEqual(flac.toString('hex', 26, 42), '0'.repeat(32))
    assert.deepEqual(readdirSync(join(folder, 'unfinished')), [])
    await convert()
    assert.deepEqual(there(), [name])
  })

for (const [format, leastDb] of [
  ['mp3', 20],
  ['opus', 8],
] as const)
  test(`a WAV becomes ${format}, with the sound it had`, { skip }, async (t) => {
    const samples = glide(16_000, 8_000)
    const { convert, folder, there } = await recorded(t, { samples, startedAtMs: 1_000 }, { format })
    await convert()
    assert.deepEqual(there(), [`a.${format}`])
    const bytes = readFileSync(join(folder, `a.${format}`))
    const back = await heard(bytes, format === 'opus' ? 'ogg' : 'mp3', 8_000, 1)
    const snr = bestSnr(samples, back, 1_600)
    assert.ok(snr > leastDb, `${snr} dB`)
  })

test('the WAV stays beside the new file when it is to be kept', { skip }, async (t) => {
  const { convert, there } = await recorded(t, { samples: noise(2, 800), startedAtMs: 0 }, { keepWav: true })
  await convert()
  assert.deepEqual(there(), ['a.flac', 'a.wav'])
})

test('what a format cannot hold stays WAV', { skip }, async (t) => {
  const sound = { samples: noise(3, 900), startedAtMs: 0, channels: 3 }
  const { convert, there } = await recorded(t, sound, { format: 'mp3' })
  await convert()
  assert.deepEqual(there(), ['a.wav'])
})

/** A program in the place of ffmpeg. */
function program(t: TestContext, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-program-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'ffmpeg')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

for (const [what, script, told] of [
  [
    'changes the sound',
    'case "$*" in *s16le*-i*) cat >/dev/null; printf fLaC; head -c 60 /dev/zero;; *) cat;; esac',
    /not the same sound/,
  ],
  ['makes no FLAC', 'exec cat', /no FLAC/],
  ['fails', 'echo "Unknown encoder" >&2; exit 1', /ffmpeg failed: Unknown encoder/],
  ['dies', 'kill -9 $$', /ffmpeg failed/],
] as const)
  test(`an ffmpeg that ${what} costs no sound`, async (t) => {
    const ffmpeg = program(t, script)
    const { convert, files, folder, there } = await recorded(
      t,
      { samples: noise(4, 90_000), startedAtMs: 0 },
      { ffmpeg },
    )
    await assert.rejects(convert(), told)
    assert.deepEqual(there(), ['a.wav'])
    assert.deepEqual(
      (await files()).map(([name]) => name),
      ['a.wav'],
    )
    assert.ok(!existsSync(join(folder, 'unfinished')) || readdirSync(join(folder, 'unfinished')).length === 0)
  })

test('an ffmpeg that hangs ends with its job', async (t) => {
  const abort = new AbortController()
  const running = runFfmpeg({
    path: program(t, 'exec sleep 60'),
    args: [],
    input: Readable.from([Buffer.alloc(10)]),
    output: () => {},
    signal: abort.signal,
  })
  setTimeout(() => abort.abort(new Error('stop')), 50)
  await assert.rejects(running)
})

test('a WAV stays when what was made of it is gone, as after a power cut', { skip }, async (t) => {
  const { convert, folder, there } = await recorded(t, { samples: noise(1, 800), startedAtMs: 1 }, { keepWav: true })
  await convert()
  rmSync(join(folder, 'a.flac'))
  await assert.rejects(convert({ keepWav: false }), { code: 'ENOENT' })
  assert.deepEqual(there(), ['a.wav'])
})
