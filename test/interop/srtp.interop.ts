/**
 * Two baresips call each other, encrypted by SRTP with keys in SDP or by DTLS, on both sides or on one: both hear each
 * other, and the recording is in the clear.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readWav } from '../../src/codec/wav.ts'
import { correlate } from '../../src/demo/compare.ts'
import { Baresip, type BaresipOptions } from '../support/baresip.ts'
import { callerAndCallee } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { startServerProcess, type TestExtension } from '../support/server-process.ts'
import { speechWav } from '../support/speech-wav.ts'
import { until } from '../support/until.ts'

type Encryption = BaresipOptions['encryption'] | 'none'

const [alice, bob] = callerAndCallee()
const talkMs = 5_000
const minCorrelation = 0.97

let folder: string
const said: Record<string, Int16Array> = {}
const wavOf = (number: string) => join(folder, `${number}.wav`)

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-srtp-'))
  said[alice.number] = await speechWav(wavOf(alice.number), 'caller')
  said[bob.number] = await speechWav(wavOf(bob.number), 'callee')
})
after(() => rmSync(folder, { recursive: true, force: true }))

function assertSame(what: string, spoken: Int16Array, heard: Int16Array): void {
  const seconds = heard.length / 8_000
  assert.ok(seconds >= talkMs / 1_000 - 0.5, `${what}: ${seconds} s`)
  const { score } = correlate(spoken.subarray(0, heard.length), heard)
  assert.ok(score >= minCorrelation, `${what}: correlation ${score.toFixed(4)}`)
}

/** The server's RTP_SRTP, what the caller does and what the callee does; whether the caller's audio is encrypted, and the callee's. */
const cases: readonly (readonly [string, Encryption, Encryption, boolean, boolean])[] = [
  ['accepted', 'srtp-mand', 'none', true, false],
  ['optional', 'none', 'srtp', false, true],
  ['optional', 'srtp', 'srtp', true, true],
  ['mandatory', 'srtp-mand', 'srtp-mand', true, true],
  ['accepted', 'dtls_srtp', 'none', true, false],
  ['dtls', 'dtls_srtp', 'dtls_srtp', true, true],
  ['dtls', 'srtp-mand', 'dtls_srtp', true, true],
]

for (const [mode, caller, callee, callerSecure, calleeSecure] of cases)
  test(
    `RTP_SRTP=${mode}: a caller with ${caller} and a callee with ${callee} hear each other`,
    needs('baresip'),
    async (t) => {
      const server = await startServerProcess({ extensions: [alice, bob], env: { RTP_SRTP: mode } })
      t.after(() => server.remove())
      const start = async (extension: TestExtension, encryption: Encryption, autoAnswer: boolean) => {
        const phone = await Baresip.start({
          folder: join(folder, `${mode}-${caller}-${callee}-${extension.number}`),
          user: extension.number,
          password: extension.password,
          server: server.sip,
          transport: 'tcp',
          codec: 'PCMU',
          ...(encryption !== 'none' && encryption && { encryption }),
          rtcpMux: encryption === 'dtls_srtp',
          sourceWav: wavOf(extension.number),
          autoAnswer,
        })
        t.after(() => phone.stop())
        return phone
      }
      const atBob = await start(bob, callee, true)
      const atAlice = await start(alice, caller, false)
      atAlice.dial(bob.number)
      await atAlice.saw('CALL_ESTABLISHED')
      await new Promise((resolve) => setTimeout(resolve, talkMs))
      atAlice.hangUp()
      await atBob.saw('CALL_CLOSED')
      await Promise.all([atAlice.stop(), atBob.stop()])
      const secured = /AES_CM_128_HMAC_SHA1|AEAD_AES|AES_(?:256_)?CM/
      assert.equal(secured.test(atAlice.output()), callerSecure, atAlice.output())
      assert.equal(secured.test(atBob.output()), calleeSecure, atBob.output())

      const call = await until('the call to be stored', 15_000, async () => {
        const [newest] = (await server.api.calls({ limit: 1 })).items
        return newest?.recordings[0]?.state === 'stored' && newest
      })
      const combined = call.recordings[0]?.files.find(({ kind }) => kind === 'combined')
      const recording = await readWav(join(server.recordingDir, combined?.name ?? ''))
      const aliceSaid = said[alice.number] as Int16Array
      const bobSaid = said[bob.number] as Int16Array
      assertSame('the recording of the caller', aliceSaid, recording.channel(0))
      assertSame('the recording of the callee', bobSaid, recording.channel(1))
      assertSame('what the callee heard', aliceSaid, (await readWav(atBob.heardWav())).pcm)
      assertSame('what the caller heard', bobSaid, (await readWav(atAlice.heardWav())).pcm)
      const items = await until('the messages of the call to be stored', 15_000, async () => {
        const page = await server.api.messages(call.id)
        return page.items.length > 0 && page.items
      })
      assert.doesNotMatch(JSON.stringify(items), /inline:/, 'no key is shown')
    },
  )
