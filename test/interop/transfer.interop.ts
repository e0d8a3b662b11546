/** A baresip transfers its call to a third phone (RFC 3515): the two others talk, and one recording holds all of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readWav } from '../../src/codec/wav.ts'
import { correlate } from '../../src/demo/compare.ts'
import { loadSpeech, type SpeechName } from '../../src/demo/speech.ts'
import { Baresip } from '../support/baresip.ts'
import { extensionsFrom101 } from '../support/phones.ts'
import { writePlainWav } from '../support/plain-wav.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const extensions = extensionsFrom101(3)
const voices: readonly SpeechName[] = ['caller', 'callee', 'customer']
const talkMs = 4_000

let server: ServerProcess
let folder: string
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-transfer-'))
  server = await startServerProcess({ extensions })
})
after(async () => {
  await server.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function startPhone(index: number, autoAnswer: boolean): Promise<{ phone: Baresip; said: Int16Array }> {
  const extension = extensions[index]
  assert.ok(extension)
  const speech = await loadSpeech(voices[index] ?? 'caller')
  const said = new Int16Array(30 * 8_000)
  for (let at = 0; at < said.length; at += speech.length) said.set(speech.subarray(0, said.length - at), at)
  const sourceWav = join(folder, `${extension.number}.wav`)
  writePlainWav(sourceWav, said)
  const phone = await Baresip.start({
    folder: join(folder, extension.number),
    user: extension.number,
    password: extension.password,
    server: server.sip,
    transport: 'udp',
    codec: 'PCMU',
    sourceWav,
    autoAnswer,
  })
  return { phone, said }
}

test('a blind transfer by baresip joins the caller and the third phone', needs('baresip'), async (t) => {
  const alice = await startPhone(0, false)
  const bob = await startPhone(1, true)
  const carol = await startPhone(2, true)
  const phones = [alice, bob, carol]
  t.after(() => Promise.all(phones.map(({ phone }) => phone.stop())))

  alice.phone.dial('102')
  await bob.phone.saw('CALL_ESTABLISHED')
  await new Promise((resolve) => setTimeout(resolve, talkMs))
  bob.phone.transfer('103')
  await carol.phone.saw('CALL_ESTABLISHED')
  await bob.phone.saw('CALL_CLOSED')
  await new Promise((resolve) => setTimeout(resolve, talkMs))
  alice.phone.hangUp()
  await carol.phone.saw('CALL_CLOSED')
  await Promise.all(phones.map(({ phone }) => phone.stop()))

  const heard = await readWav(carol.phone.heardWav())
  assert.ok(heard.pcm.length > 2 * 8_000, `carol heard ${heard.pcm.length / 8_000} s`)
  // Where in Alice's speech Carol came in is not known: the best place is looked for.
  const { score } = correlate(alice.said, heard.pcm)
  assert.ok(score >= 0.97, `what carol heard of alice: correlation ${score}`)
  const call = await until('the call to be stored', 20_000, async () => {
    const { items } = await server.api.calls({ search: '103' })
    return items.find(({ endedAtMs, recordings }) => endedAtMs && recordings.some(({ state }) => state === 'stored'))
  })
  const combined = call.recordings[0]?.files.find(({ kind }) => kind === 'combined')
  assert.equal(combined?.channels, 3)
})
