/** Two baresips call each other through the server: both hear each other, and the recording holds both. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readWav } from '../../src/codec/wav.ts'
import { correlate } from '../../src/demo/compare.ts'
import { TestAuthority } from '../../src/net/test-support.ts'
import { Baresip } from '../support/baresip.ts'
import { callerAndCallee } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess, type TestExtension } from '../support/server-process.ts'
import { speechWav } from '../support/speech-wav.ts'
import { until } from '../support/until.ts'

const [alice, bob] = callerAndCallee()
const talkMs = 6_000
const minCorrelation = 0.97

let server: ServerProcess
let folder: string
/** What each says, long enough for any call here. */
const said: Record<string, Int16Array> = {}
const pem = (name: string) => join(folder, `${name}.pem`)
const wavOf = (number: string) => join(folder, `${number}.wav`)

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-baresip-'))
  said[alice.number] = await speechWav(wavOf(alice.number), 'caller')
  said[bob.number] = await speechWav(wavOf(bob.number), 'callee')
  const authority = new TestAuthority()
  const { cert, key } = authority.issue('127.0.0.1')
  for (const [name, text] of Object.entries({ ca: authority.cert, cert, key })) writeFileSync(pem(name), text)
  const tls = { ENABLE_TLS: 'true', TLS_PORT: '0', TLS_CERT_PATH: pem('cert'), TLS_KEY_PATH: pem('key') }
  server = await startServerProcess({ extensions: [alice, bob], env: tls })
})
after(async () => {
  await server.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** `heard` is `spoken` from its beginning on, at least `minSeconds` of it. */
function assertSame(what: string, spoken: Int16Array, heard: Int16Array, minSeconds: number): void {
  const seconds = heard.length / 8_000
  assert.ok(seconds >= minSeconds, `${what}: ${seconds} s`)
  const { score } = correlate(spoken.subarray(0, heard.length), heard)
  assert.ok(score >= minCorrelation, `${what}: correlation ${score.toFixed(4)}`)
}

for (const transport of ['udp', 'tcp', 'tls'] as const)
  for (const codec of ['PCMU', 'PCMA'] as const)
    test(`two baresips talk over ${transport} with ${codec} and are recorded`, needs('baresip'), async (t) => {
      const start = async (extension: TestExtension, autoAnswer: boolean) => {
        const phone = await Baresip.start({
          folder: join(folder, `${transport}-${codec}-${extension.number}`),
          user: extension.number,
          password: extension.password,
          server: transport === 'tls' ? (server.sipTls ?? assert.fail('no TLS')) : server.sip,
          transport,
          ...(transport === 'tls' && { caFile: pem('ca') }),
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
      await Promise.all([atAlice.stop(), atBob.stop()])

      const call = await until('the call to be stored', 15_000, async () => {
        const [newest] = (await server.api.calls({ limit: 1 })).items
        return newest?.recordings[0]?.state === 'stored' && newest
      })
      assert.equal(call.endReason, 'hangup')
      assert.deepEqual(
        call.legs.map((leg) => [leg.transport.toLowerCase(), leg.codec]),
        [
          [transport, codec],
          [transport, codec],
        ],
      )
      const combined = call.recordings[0]?.files.find(({ kind }) => kind === 'combined')
      const recording = await readWav(join(server.recordingDir, combined?.name ?? ''))
      const minSeconds = talkMs / 1_000 - 0.5
      const aliceSaid = said[alice.number] as Int16Array
      const bobSaid = said[bob.number] as Int16Array
      assert.equal(recording.channels, 2)
      assertSame('the recording of the caller', aliceSaid, recording.channel(0), minSeconds)
      assertSame('the recording of the callee', bobSaid, recording.channel(1), minSeconds)
      assert.ok(Math.abs(recording.samples / 8_000 - talkMs / 1_000) < 1.5, `${recording.samples} samples`)
      assertSame('what the callee heard', aliceSaid, (await readWav(atBob.heardWav())).pcm, minSeconds)
      assertSame('what the caller heard', bobSaid, (await readWav(atAlice.heardWav())).pcm, minSeconds)
    })
