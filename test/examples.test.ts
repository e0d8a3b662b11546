/** Every example is run against a server, as its README says, and does what it says. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeApiKey, withDatabase } from '../src/administration.ts'
import { decodeG711, encodeG711 } from '../src/codec/g711.ts'
import { readWav } from '../src/codec/wav.ts'
import { findRun } from '../src/demo/compare.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { startTestServer, type TestServer } from './support/in-process.ts'
import { writePlainWav } from './support/plain-wav.ts'
import { until } from './support/until.ts'

const examples = join(import.meta.dirname, '..', 'examples')
const outcomes = new Map<string, ChildProcess>()
let server: TestServer
let wav: string
let speech: Int16Array

before(async () => {
  server = await startTestServer({ 'rtp.portMin': 12_000, 'rtp.portMax': 12_199 })
  speech = (await loadSpeech('caller')).subarray(8_000, 16_000)
  wav = join(server.folder, 'speech.wav')
  writePlainWav(wav, speech)
})

after(async () => {
  for (const child of outcomes.values()) child.kill()
  await server.close()
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

const address = (): string => `${server.sip.ip}:${server.sip.port}`

test('announce: the extension hears the file, sample for sample', async () => {
  const phone = await server.phone('102')
  const password = await server.passwordOf('101')
  const answered = phone.nextCall()
  const example = run('announce/announce.ts', [address(), '101', '102', wav], { EXTENSION_PASSWORD: password })
  const call = await answered
  await call.ended
  assert.equal(await example.status, 0, example.lines.join('\n'))
  assert.deepEqual(example.lines, ['102 heard the announcement'])
  assert.notEqual(findRun(asHeard(speech), call.heard()), undefined, 'the speech was not heard whole')
})

test('record-a-conversation and live-events: two files become a recording, and its facts are printed', async () => {
  const { key } = await withDatabase(server.settings, (database) => makeApiKey(database, 'example', 'viewer'))
  const events = run('live-events/live-events.ts', [server.api.url], { PATCHBAY_API_KEY: key })
  await events.printed
  const recorder = run('record-a-conversation/record.ts', [address(), wav, wav])
  assert.equal(await recorder.status, 0, recorder.lines.join('\n'))
  const name = /recorded as (.+\.wav)/.exec(recorder.lines.join('\n'))?.[1]
  assert.ok(name)
  await until('the recording to be stored', 5_000, () => events.lines.some((line) => line.includes('recording.stored')))
  await until('it to be this one', 5_000, () => existsSync(join(server.recordingDir, name)))
  const recorded = await readWav(join(server.recordingDir, name))
  assert.equal(recorded.channels, 2)
  for (const channel of [0, 1]) assert.notEqual(findRun(asHeard(speech), recorded.channel(channel)), undefined)
  outcomes.get('live-events/live-events.ts')?.kill()
})

test('media-graph: a phone hears sounds and an agent, which is interrupted', async () => {
  const example = run('media-graph/media-graph.ts', [wav])
  assert.equal(await example.status, 0, example.lines.join('\n'))
  assert.deepEqual(example.lines, [
    'played 2.00 s: ended',
    'the agent was interrupted: something was left unsaid',
    'the phone heard it, and so did we',
  ])
})

test('browser-phone: the page and its phone are served (what it does in a browser: browser-calls.interop.ts)', async () => {
  const example = run('browser-phone/serve.ts', ['0'])
  await example.printed
  const url = /http:\/\/\S+/.exec(example.lines.join('\n'))?.[0] ?? ''
  const [page, script] = await Promise.all(
    ['', '/phone.js'].map(async (path) => {
      const response = await fetch(url + path)
      return response.text()
    }),
  )
  assert.match(page ?? '', /<script type="module" src="\/phone.js">/)
  assert.match(script ?? '', /registrationFailed/)
  outcomes.get('browser-phone/serve.ts')?.kill()
})

test('every example has a README and was run here', () => {
  for (const name of readdirSync(examples)) {
    const files = readdirSync(join(examples, name))
    assert.ok(files.includes('README.md'), name)
    // Those in other languages need more than Node: test/interop runs them.
    if (!files.some((file) => file.endsWith('.ts'))) continue
    assert.ok(
      [...outcomes.keys()].some((file) => file.startsWith(`${name}/`)),
      `${name} was not run`,
    )
  }
})
