/**
 * Calls of real phones recorded elsewhere: two baresips through one server, another Patchbay process as the recording
 * server, and sipp as one that insists on RFC 7866.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { readWav } from '../../src/codec/wav.ts'
import { correlate } from '../../src/demo/compare.ts'
import { Baresip, type BaresipCodec } from '../support/baresip.ts'
import { callerAndCallee } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess, type TestExtension } from '../support/server-process.ts'
import { startSipp } from '../support/sipp.ts'
import { strictRecorderScenario } from '../support/sipp-recorder.ts'
import { at8k, speechWav } from '../support/speech-wav.ts'
import { until } from '../support/until.ts'

const [alice, bob] = callerAndCallee(false)
const talkMs = 6_000
/** Opus keeps what is heard, not the shape of the wave. */
const minCorrelation = 0.8

let folder: string
let recorder: ServerProcess
const said: Record<string, Int16Array> = {}
const wavOf = (number: string) => join(folder, `${number}.wav`)

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-src-'))
  said[alice.number] = await speechWav(wavOf(alice.number), 'caller')
  said[bob.number] = await speechWav(wavOf(bob.number), 'callee')
  recorder = await startServerProcess()
})
after(async () => {
  await recorder.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** The two talk for a while through a server that sends its calls to this recording server. */
async function talk(t: TestContext, uri: string, codec: BaresipCodec): Promise<ServerProcess> {
  const server = await startServerProcess({
    extensions: [alice, bob],
    recordingServers: [{ name: 'main', uri, qualify: 0 }],
    env: { RECORD_TO: 'main' },
  })
  t.after(() => server.remove())
  const start = async (extension: TestExtension, autoAnswer: boolean) => {
    const phone = await Baresip.start({
      folder: join(folder, `${codec}-${extension.number}-${server.pid}`),
      user: extension.number,
      password: extension.password,
      server: server.sip,
      transport: 'udp',
      codec,
      sourceWav: wavOf(extension.number),
      autoAnswer,
    })
    t.after(() => phone.stop())
    return phone
  }
  const atBob = await start(bob, true)
  const atAlice = await start(alice, false)
  atAlice.dial(bob.number)
  await atAlice.saw('CALL_ESTABLISHED')
  await new Promise((resolve) => setTimeout(resolve, talkMs))
  atAlice.hangUp()
  await atBob.saw('CALL_CLOSED')
  return server
}

for (const codec of ['PCMA', 'opus'] as const)
  test(`a call with ${codec} is recorded by another server, each phone on its channel`, needs('baresip'), async (t) => {
    const known = new Set((await recorder.api.recordings()).items.map(({ id }) => id))
    await talk(t, `sip:recorder@127.0.0.1:${recorder.sip.port};transport=tcp`, codec)
    const recording = await until('the recording to be stored', 20_000, async () =>
      (await recorder.api.recordings()).items.find(({ id, state }) => !known.has(id) && state === 'stored'),
    )
    assert.deepEqual(
      recording.participants.map(({ uri, channel }) => [/sip:(\d+)/.exec(uri ?? '')?.[1], channel]),
      [
        [alice.number, 0],
        [bob.number, 1],
      ],
    )
    const combined = recording.files.find(({ kind }) => kind === 'combined')
    assert.ok(combined)
    const wav = await readWav(join(recorder.recordingDir, combined.name))
    for (const [channel, { number }] of [alice, bob].entries()) {
      const heard = at8k(wav, channel)
      assert.ok(heard.length >= (talkMs - 1_000) * 8, `${heard.length / 8_000} s`)
      // Its beginning is missing: what was said while the server was asked.
      const { score } = correlate((said[number] as Int16Array).subarray(0, heard.length + 8_000), heard)
      assert.ok(score >= minCorrelation, `${number}: correlation ${score.toFixed(4)}`)
    }
  })

test(
  'a strict recording server that takes one stream alone finds nothing wrong',
  needs('baresip', 'sipp'),
  async (t) => {
    const sipp = await startSipp({ scenario: strictRecorderScenario, transport: 'tcp', calls: 1, timeoutMs: 60_000 })
    t.after(() => sipp.program.stop('SIGTERM'))
    await talk(t, `sip:recorder@127.0.0.1:${sipp.port};transport=tcp`, 'PCMU')
    const result = await sipp.result
    assert.equal(result.errors, '')
    assert.deepEqual([result.successful, result.failed], [1, 0])
  },
)
