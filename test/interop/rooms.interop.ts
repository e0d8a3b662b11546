/** Baresips of three codecs in a conference, in the echo test and on hold: what each of them hears. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { findSine, sine } from '../../src/codec/test-support.ts'
import { readWav } from '../../src/codec/wav.ts'
import { correlate } from '../../src/demo/compare.ts'
import { makeMelody } from '../../src/media/worker/sounds/melody.ts'
import { Baresip, type BaresipCodec } from '../support/baresip.ts'
import { extensionsFrom101 } from '../support/phones.ts'
import { writePlainWav } from '../support/plain-wav.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { at8k } from '../support/speech-wav.ts'

const extensions = extensionsFrom101(3, false)
/** What each says all the time. */
const tonesHz = [500, 900, 1300]
const talkMs = 5_000

let server: ServerProcess
let folder: string

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-rooms-'))
  for (const [i, frequencyHz] of tonesHz.entries())
    writePlainWav(join(folder, `${i}.wav`), sine(frequencyHz, 4000, 8000, 30))
  server = await startServerProcess({ extensions, env: { CODECS: 'opus,G722,PCMA,PCMU' } })
})
after(async () => {
  await server.remove()
  rmSync(folder, { recursive: true, force: true })
})

let started = 0

async function phone(t: TestContext, index: number, codec: BaresipCodec, autoAnswer = false): Promise<Baresip> {
  const extension = extensions[index]
  assert.ok(extension)
  const baresip = await Baresip.start({
    folder: join(folder, `phone${started++}`), // it cuts longer paths
    user: extension.number,
    password: extension.password,
    server: server.sip,
    transport: 'udp',
    codec,
    sourceWav: join(folder, `${index}.wav`),
    autoAnswer,
  })
  t.after(() => baresip.stop())
  return baresip
}

const talk = (ms = talkMs): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Of a second of what was heard, around the middle or as late as `part` says, the peak of each tone. */
async function tonesIn(heard: Baresip, part = 0.5): Promise<number[]> {
  const samples = at8k(await readWav(heard.heardWav()))
  const at = Math.round(samples.length * part)
  const second = samples.subarray(at - 4000, at + 4000)
  return tonesHz.map((frequencyHz) => Math.round(findSine(second, frequencyHz, 8000).peak))
}

test('three baresips of three codecs meet in a room: each hears the other two', needs('baresip'), async (t) => {
  const codecs = ['PCMU', 'G722', 'opus'] as const
  const phones = await Promise.all(codecs.map((codec, i) => phone(t, i, codec)))
  for (const each of phones) {
    each.dial('*61')
    await each.saw('CALL_ESTABLISHED')
  }
  await talk()
  await Promise.all(phones.map((each) => each.stop()))
  for (const [i, each] of phones.entries()) {
    const peaks = await tonesIn(each)
    for (const [k, peak] of peaks.entries()) {
      if (k === i) assert.ok(peak < 400, `${codecs[i]} hears itself: ${peaks.join()}`)
      else assert.ok(peak > 2500 && peak < 6000, `${codecs[i]} does not hear ${codecs[k]}: ${peaks.join()}`)
    }
  }
})

test('baresip hears itself in the echo test', needs('baresip'), async (t) => {
  const alice = await phone(t, 1, 'G722')
  alice.dial('*43')
  await alice.saw('CALL_ESTABLISHED')
  await talk(10_000) // the greeting takes six seconds
  await alice.stop()
  assert.ok(((await tonesIn(alice, 0.85))[1] ?? 0) > 3000)
})

test('a baresip that another one holds hears music, and then the other again', needs('baresip'), async (t) => {
  const [alice, bob] = [await phone(t, 0, 'PCMU'), await phone(t, 1, 'PCMU', true)]
  alice.dial('102')
  await alice.saw('CALL_ESTABLISHED')
  await talk(1_500)
  alice.command('hold')
  await talk(3_000)
  alice.command('resume')
  await talk(2_000)
  await Promise.all([alice.stop(), bob.stop()])
  const heard = at8k(await readWav(bob.heardWav()))
  const music = await makeMelody(8000).read(0, 16_000)
  assert.ok(correlate(music, heard).score > 0.7, `music: ${correlate(music, heard).score}`)
  for (const second of [heard.subarray(2000, 8000), heard.subarray(-10_000, -4000)])
    assert.ok(findSine(second, 500, 8000).peak > 3000)
})
