/**
 * JsSIP and SIP.js in Chromium are phones: they call and are called over DTLS-SRTP and ICE, through our WebSocket. What each
 * heard is compared with what the other said, and the recording is in the clear.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readWav } from '../../src/codec/wav.ts'
import { freePort } from '../support/free-port.ts'
import { alike, PhoneRoom, talk } from '../support/phone-room.ts'
import { writePlainWav } from '../support/plain-wav.ts'
import { needs, startProgram } from '../support/program.ts'
import { assertHeard, speechWav } from '../support/speech-wav.ts'
import { until } from '../support/until.ts'
import { type Library, type WebPhone, WebPhones } from '../support/web-phone.ts'

const domain = '127.0.0.1'
const at = (number: string) => `sip:${number}@${domain}`

let folder: string
let room: PhoneRoom
let phones: WebPhones
let url: string
/** What browsers say. */
let said: Int16Array

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-browser-'))
  const port = await freePort()
  url = `ws://${domain}:${port}`
  room = await PhoneRoom.open({ env: { WS_PORTS: String(port) } })
  const microphone = join(folder, 'microphone.wav')
  said = await speechWav(microphone, 'caller', 8)
  phones = await WebPhones.open([], microphone)
})
after(async () => {
  await phones?.close()
  await room?.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = (number: string, library: Library = 'jssip'): Promise<WebPhone> =>
  phones.start(library, { url, user: number, password: `password-of-${number}`, domain })

async function assertBrowserHeard(phone: WebPhone, spoken: Int16Array, minSeconds = 1.5): Promise<void> {
  const path = join(folder, 'heard.wav')
  writePlainWav(path, await phone.heard())
  await assertHeard('the browser', spoken, path, { ...alike, minSeconds })
}

async function assertSecured(phone: WebPhone): Promise<void> {
  const { state, dtls, cipher, received = 0, lost } = await phone.facts()
  assert.deepEqual([state, dtls, cipher, lost], ['connected', 'connected', 'SRTP_AES128_CM_HMAC_SHA1_80', 0])
  assert.ok(received > 100, `${received} packets`)
}

async function assertRecorded(byChannel: readonly Int16Array[]): Promise<void> {
  await room.ended()
  const call = await until('the call to be stored', 15_000, async () => {
    const [newest] = (await room.server.api.calls({ limit: 1 })).items
    return newest?.recordings[0]?.state === 'stored' && newest
  })
  const combined = call.recordings[0]?.files.find(({ kind }) => kind === 'combined')
  const recording = await readWav(join(room.server.recordingDir, combined?.name ?? ''))
  for (const [channel, spoken] of byChannel.entries()) {
    const path = join(folder, `channel-${channel}.wav`)
    writePlainWav(path, recording.channel(channel))
    await assertHeard(`channel ${channel} of the recording`, spoken, path, alike)
  }
}

for (const library of ['jssip', 'sipjs'] as const) {
  test(`${library} calls baresip`, needs('chromium', 'baresip'), async (t) => {
    const alice = await start('101', library)
    const bob = await room.baresip(t, '102', { autoAnswer: true })
    assert.equal(await alice.call(at('102')), 200)
    await talk(4_000)
    await assertSecured(alice)
    await alice.ask('hangUp')
    await bob.saw('CALL_CLOSED')
    await bob.stop()
    await assertHeard('baresip', said, bob.heardWav(), alike)
    await assertBrowserHeard(alice, room.said('102'))
    await assertRecorded([said, room.said('102')])
    await alice.stop()
  })

  test(`baresip calls ${library}`, needs('chromium', 'baresip'), async (t) => {
    const bob = await start('102', library)
    await bob.answers()
    const alice = await room.baresip(t, '101')
    alice.dial('102')
    await alice.saw('CALL_ESTABLISHED')
    await bob.answered()
    await talk(4_000)
    await assertSecured(bob)
    alice.hangUp()
    await alice.saw('CALL_CLOSED')
    await alice.stop()
    await assertHeard('baresip', said, alice.heardWav(), alike)
    await assertBrowserHeard(bob, room.said('101'))
    await bob.stop()
  })
}

test(
  'a browser and baresip speak Opus with each other, and nothing is converted',
  needs('chromium', 'baresip'),
  async (t) => {
    const alice = await start('101')
    const bob = await room.baresip(t, '102', { codec: 'opus', autoAnswer: true })
    assert.equal(await alice.call(at('102')), 200)
    await talk(4_000)
    await assertSecured(alice)
    assert.equal((await alice.facts()).codec, 'audio/opus')
    await alice.ask('hangUp')
    await bob.saw('CALL_CLOSED')
    await bob.stop()
    assert.deepEqual(
      (await room.ended()).legs.map(({ codec }) => codec),
      ['opus', 'opus'],
    )
    await assertHeard('baresip', said, bob.heardWav(), alike)
    await assertBrowserHeard(alice, room.said('102'))
    await alice.stop()
  },
)

test('a browser calls a browser', needs('chromium'), async () => {
  const alice = await start('101')
  const bob = await start('102')
  await bob.answers()
  assert.equal(await alice.call(at('102')), 200)
  await talk(4_000)
  await assertSecured(alice)
  await assertSecured(bob)
  await alice.ask('hangUp')
  await assertBrowserHeard(alice, said)
  await assertBrowserHeard(bob, said)
  await Promise.all([alice.stop(), bob.stop()])
})

test(
  'a browser holds, resumes, and looks for another way, in one encrypted call',
  needs('chromium', 'baresip'),
  async (t) => {
    const alice = await start('101')
    const bob = await room.baresip(t, '102', { autoAnswer: true })
    assert.equal(await alice.call(at('102')), 200)
    await talk()
    await alice.ask('hold')
    await talk(1_000)
    await alice.ask('resume')
    await talk()
    await alice.ask('restartIce')
    await talk(4_000)
    await assertSecured(alice)
    await alice.ask('hangUp')
    await bob.saw('CALL_CLOSED')
    await bob.stop()
    await assertHeard('baresip', said, bob.heardWav(), { ...alike, minSeconds: 5 })
    await assertBrowserHeard(alice, room.said('102'), 5)
    await alice.stop()
  },
)

test('the phone of examples/browser-phone calls baresip', needs('chromium', 'baresip'), async (t) => {
  const file = join(import.meta.dirname, '..', '..', 'examples', 'browser-phone', 'serve.ts')
  const example = startProgram(process.execPath, [file, '0'], { timeoutMs: 60_000 })
  t.after(() => example.stop())
  const opened = await until('the example to be served', 20_000, () => /http:\S+/.exec(example.output())?.[0])
  const bob = await room.baresip(t, '102', { autoAnswer: true })
  const page = await phones.page(opened)
  const shows = (text: string) =>
    until(text, 15_000, async () => (await page.locator('output').textContent())?.includes(text))
  await page.fill('[name=url]', url)
  await page.fill('[name=user]', '101')
  await page.fill('[name=password]', 'password-of-101')
  await page.click('text=Register')
  await shows('registered')
  await page.fill('[name=number]', '102')
  await page.click('text=Call')
  await shows('talking with 102')
  await talk()
  await page.click('text=Hang up')
  await shows('over')
  await bob.saw('CALL_CLOSED')
  await bob.stop()
  await assertHeard('baresip', said, bob.heardWav(), { ...alike, minSeconds: 1 })
  await page.close()
})

test(
  'a browser that is sent to another call by linphonec checks and shakes hands with its new port',
  needs('chromium', 'linphonec', 'baresip'),
  async (t) => {
    const alice = await start('101')
    const bob = await room.linphone(t, '102', { autoAnswer: true })
    const carol = await room.baresip(t, '103', { autoAnswer: true })
    assert.equal(await alice.call(at('102')), 200)
    await bob.saw('CallStreamsRunning')
    bob.command('pause')
    await bob.saw('CallPaused')
    bob.dial('103')
    await bob.saw('CallStreamsRunning', 2)
    bob.command('transfer 1 --to-call 2')
    await bob.saw('CallReleased', 2)
    await talk(4_000)
    await assertSecured(alice)
    await alice.ask('hangUp')
    await carol.saw('CALL_CLOSED')
    await carol.stop()
    await assertHeard('carol', said, carol.heardWav(), alike)
    await assertBrowserHeard(alice, room.said('103'))
    await alice.stop()
  },
)

test(
  'two browsers and baresip ring for one extension, and a browser answers',
  needs('chromium', 'baresip'),
  async (t) => {
    const first = await start('102')
    const second = await start('102')
    await second.answers()
    const desk = await room.baresip(t, '102')
    const alice = await room.baresip(t, '101')
    alice.dial('102')
    await alice.saw('CALL_ESTABLISHED')
    await desk.saw('CALL_CLOSED')
    await talk(3_000)
    await assertSecured(second)
    alice.hangUp()
    await alice.saw('CALL_CLOSED')
    await alice.stop()
    await assertHeard('alice', said, alice.heardWav(), alike)
    await assertBrowserHeard(second, room.said('101'))
    await Promise.all([first.stop(), second.stop()])
  },
)

test(
  'a browser that would rather be seen too is heard, by whom it calls and by who comes by a transfer',
  needs('chromium', 'baresip'),
  async (t) => {
    const alice = await start('101')
    const bob = await room.baresip(t, '102', { autoAnswer: true })
    const carol = await room.baresip(t, '103', { autoAnswer: true, codec: 'opus' })
    assert.equal(await alice.ask('call', at('102'), true), 200)
    await talk()
    bob.transfer('103')
    await carol.saw('CALL_ESTABLISHED')
    await bob.saw('CALL_CLOSED')
    await talk(4_000)
    await assertSecured(alice)
    await alice.ask('hangUp')
    await carol.saw('CALL_CLOSED')
    await carol.stop()
    await assertHeard('carol', said, carol.heardWav(), alike)
    await assertBrowserHeard(alice, room.said('103'))
    await alice.stop()
  },
)
