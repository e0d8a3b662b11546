import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpusEncoder } from '../../../codec/opus.ts'
import { differing, findSine, readBytes, sine, snrDb } from '../../../codec/test-support.ts'
import { readPage } from './ogg.ts'
import { openOggOpus } from './ogg-opus.ts'
import { memoryBytes } from './recorded.ts'
import { oggPage, opusHead, opusTags, readAll } from './test-support.ts'

/** A tone in packets of 20 ms, 16 kHz. */
function packets(seconds: number): Uint8Array[] {
  const encoder = new OpusEncoder({ sampleRateHz: 16_000, channels: 1 }, { bitsPerSecond: 64_000 })
  const sound = sine(500, 8000, 16_000, seconds)
  const bytes = new Uint8Array(1500)
  const all: Uint8Array[] = []
  for (let at = 0; at < sound.length; at += 320) all.push(bytes.slice(0, encoder.encode(sound, at, 320, bytes, 0)))
  encoder.close()
  return all
}

/** A file with ten packets on each page. @param base Granule of its first sample. */
function file(
  of: readonly Uint8Array[],
  { base = 0, ...head }: { base?: number; preSkip?: number; gainDb?: number } = {},
): Uint8Array {
  const pages = [
    oggPage([opusHead(head)], { sequence: 0, granule: 0, flags: 2 }),
    oggPage([opusTags], { sequence: 1, granule: 0 }),
  ]
  for (let at = 0; at < of.length; at += 10) {
    const some = of.slice(at, at + 10)
    const last = at + 10 >= of.length
    pages.push(oggPage(some, { sequence: pages.length, granule: base + (at + some.length) * 960, flags: last ? 4 : 0 }))
  }
  return Buffer.concat(pages)
}

const open = (bytes: Uint8Array) => openOggOpus(memoryBytes(bytes), 16_000)
const tone = packets(3)

test('it is as long as the pages say, without what the encoder put before it', async () => {
  const recorded = await open(file(tone, { preSkip: 480 }))
  assert.equal(recorded.samples, 48_000 - 160)
  assert.ok(findSine((await readAll(recorded)).subarray(8000, 40_000), 500, 16_000).snrDb > 20)
})

test('read from the middle it is as if read from the beginning', async () => {
  const whole = await readAll(await open(file(tone)))
  const recorded = await open(file(tone))
  for (const from of [32_000, 16_000, 16_320, 45_000]) {
    const part = await recorded.read(from, 2000)
    const expected = whole.subarray(from, from + 2000)
    assert.ok(snrDb(expected, part) > 30, `from ${from}: ${snrDb(expected, part)} dB`)
  }
  await recorded.close()
})

test('a stream cut out of a longer one begins at its own beginning (RFC 7845 §4.3)', async () => {
  const early = await readAll(await open(file(tone)))
  const late = await readAll(await open(file(tone, { base: 9_000_000 })))
  assert.equal(differing(early, late), 0)
})

test('the gain of the file is kept (RFC 7845 §5.1)', async () => {
  const plain = await readAll(await open(file(tone)))
  const quiet = await readAll(await open(file(tone, { gainDb: -6 })))
  const [loud, soft] = [plain, quiet].map((sound) => findSine(sound.subarray(8000, 40_000), 500, 16_000).peak)
  assert.ok(Math.abs(20 * Math.log10((loud ?? 1) / (soft ?? 1)) - 6) < 0.05)
})

test('a packet may go on on the next page, and pages of other streams are left out', async () => {
  const [first = new Uint8Array(0)] = tone
  const large = Uint8Array.from({ length: 600 }, (_, i) => (i === 0 ? 0x4b : i === 1 ? 1 : i * 7)) // code 3, one frame
  const split = Buffer.concat([
    oggPage([opusHead()], { sequence: 0, granule: 0, flags: 2 }),
    oggPage([new Uint8Array(30)], { sequence: 0, granule: 0, flags: 2, serial: 8 }),
    oggPage([opusTags], { sequence: 1, granule: 0 }),
    oggPage([first, large.subarray(0, 510)], { sequence: 2, granule: 960 }, false),
    oggPage([large.subarray(510), first], { sequence: 3, granule: 2880, flags: 5 }),
  ])
  const together = file([first, large, first])
  assert.equal(differing(await readAll(await open(split)), await readAll(await open(together))), 0)
})

test('a packet that is no Opus becomes silence of its length, and the rest is heard', async () => {
  const damaged = tone.map((packet, i) => (i === 75 ? packet.slice(0, 1) : packet))
  const heard = await readAll(await open(file(damaged)))
  assert.equal(heard.length, 48_000)
  assert.ok(findSine(heard.subarray(32_000, 40_000), 500, 16_000).snrDb > 20)
})

test('junk in well-formed pages is read to its end, and never more than the pages say', async () => {
  let seed = 7
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (seed >> 8) % below
  }
  for (let round = 0; round < 100; round++) {
    const junk = Array.from({ length: 5 + random(40) }, () =>
      Uint8Array.from({ length: random(4) === 0 ? random(600) : 1 + random(80) }, () => random(256)),
    )
    const recorded = await open(file(junk, { preSkip: random(2000) }))
    const samples = await readAll(recorded)
    assert.equal(samples.length, recorded.samples)
  }
})

test('damaged, cut and foreign files are refused', async () => {
  const whole = file(tone)
  const flipped = whole.slice()
  flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 1
  for (const bytes of [flipped, whole.subarray(0, whole.length - 10), whole.subarray(0, 60), new Uint8Array(100)])
    await assert.rejects(open(bytes), { code: 'media.sound-broken' })
  const surround = opusHead({ channels: 6 })
  await assert.rejects(open(oggPage([surround], { sequence: 0, granule: 0, flags: 2 })), { code: 'media.sound-broken' })
})

test('the checksum is that of other programs', () => {
  const bytes = readBytes('speech.opus')
  let pages = 0
  for (let at = 0; at < bytes.length; pages++) {
    const page = readPage(bytes, at)
    assert.ok(page)
    at += page.bytes
  }
  assert.ok(pages > 3)
})
