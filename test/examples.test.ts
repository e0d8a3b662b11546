/** Every example is run against a server, as its README says, and does what it says. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { addExtension, makeApiKey, withDatabase } from '../src/administration.ts'
import { decodeG711, encodeG711 } from '../src/codec/g711.ts'
import { readWav, wavHeader } from '../src/codec/wav.ts'
import { systemClock } from '../src/core/clock.ts'
import { type LoadedSettings, loadSettings } from '../src/core/settings/load.ts'
import { findRun } from '../src/demo/compare.ts'
import { SimulatedPhone } from '../src/demo/phone.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { type RunningServer, startServer } from '../src/main.ts'

const examples = join(import.meta.dirname, '..', 'examples')
const outcomes = new Map<string, ChildProcess>()
let folder: string
let loaded: LoadedSettings
let server: RunningServer
let sip: { ip: string; port: number }
let passwords: { readonly caller: string; readonly callee: string }
let apiKey: string
let wav: string
let speech: Int16Array

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchbay-examples-'))
  loaded = loadSettings({
    env: {},
    overrides: {
      'sip.host': '127.0.0.1',
      'sip.ports': [0],
      'http.port': 0,
      'rtp.portMin': 12_000,
      'rtp.portMax': 12_199,
      'rtp.workers': 1,
      'recording.dir': join(folder, 'recordings'),
      'data.dir': join(folder, 'data'),
      'log.level': 'silent',
    },
  })
  await mkdir(join(folder, 'recordings'))
  const { realm } = loaded.settings.sip
  await withDatabase(loaded.settings, async (database) => {
    passwords = {
      caller: await addExtension(database.directory, realm, { number: '101' }),
      callee: await addExtension(database.directory, realm, { number: '102' }),
    }
    apiKey = await makeApiKey(database, 'example', 'viewer')
  })
  server = await startServer({ loaded })
  const listener = server.sip.find(({ transport }) => transport === 'udp')
  assert.ok(listener)
  sip = { ip: listener.ip, port: listener.port }
  speech = (await loadSpeech('caller')).subarray(8_000, 16_000)
  wav = join(folder, 'speech.wav')
  const header = wavHeader({ sampleRateHz: 8_000, channels: 1, startedAtMs: 0, dataBytes: speech.byteLength })
  await writeFile(wav, Buffer.concat([header, Buffer.from(speech.buffer, speech.byteOffset, speech.byteLength)]))
})

after(async () => {
  for (const child of outcomes.values()) child.kill()
  await server.stop()
  await rm(folder, { recursive: true })
})

/** Run an example; `lines` grows as it prints. */
function run(file: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(examples, file), ...args], {
    env: { ...process.env, ...env },
    timeout: 30_000,
  })
  outcomes.set(file, child)
  const lines: string[] = []
  const printed = Promise.withResolvers<void>()
  const take = (data: Buffer): void => {
    lines.push(...data.toString().trimEnd().split('\n'))
    printed.resolve()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const status = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { lines, printed: printed.promise, status }
}

/** G.711 rounds each sample. */
const asHeard = (samples: Int16Array): Int16Array => decodeG711('PCMU', encodeG711('PCMU', samples))

const address = (): string => `${sip.ip}:${sip.port}`

test('announce: the extension hears the file, sample for sample', async () => {
  const phone = await SimulatedPhone.create({
    clock: systemClock,
    server: sip,
    extension: '102',
    password: passwords.callee,
    speech: new Int16Array(160),
  })
  try {
    await phone.register()
    const answered = phone.nextCall()
    const example = run('announce/announce.ts', [address(), '101', '102', wav], {
      EXTENSION_PASSWORD: passwords.caller,
    })
    const call = await answered
    await call.ended
    assert.equal(await example.status, 0, example.lines.join('\n'))
    assert.deepEqual(example.lines, ['102 heard the announcement'])
    assert.notEqual(findRun(asHeard(speech), call.heard()), undefined, 'the speech was not heard whole')
  } finally {
    await phone.close()
  }
})

test('record-a-conversation and live-events: two files become a recording, and its facts are printed', async () => {
  const events = run('live-events/live-events.ts', [server.url], { PATCHBAY_API_KEY: apiKey })
  await events.printed
  const recorder = run('record-a-conversation/record.ts', [address(), wav, wav])
  assert.equal(await recorder.status, 0, recorder.lines.join('\n'))
  const name = /recorded as (.+\.wav)/.exec(recorder.lines.join('\n'))?.[1]
  assert.ok(name)
  const stored = () => events.lines.some((line) => line.includes('recording.stored'))
  for (let waited = 0; waited < 5_000 && !stored(); waited += 20)
    await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(stored(), events.lines.join('\n'))
  const recorded = await readWav(join(folder, 'recordings', name))
  assert.equal(recorded.channels, 2)
  for (const channel of [0, 1]) assert.notEqual(findRun(asHeard(speech), recorded.channel(channel)), undefined)
  outcomes.get('live-events/live-events.ts')?.kill()
})

test('every example has a README and was run here', () => {
  for (const name of readdirSync(examples)) {
    assert.ok(readdirSync(join(examples, name)).includes('README.md'), name)
    assert.ok(
      [...outcomes.keys()].some((file) => file.startsWith(`${name}/`)),
      `${name} was not run`,
    )
  }
})
