/**
 * Two baresips with a codec each: the same on both sides is relayed, different ones are converted. Both hear each other,
 * and the recording holds both, at the rates of their codecs.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readWav, type WavSound } from '../../src/codec/wav.ts'
import { correlate } from '../../src/demo/compare.ts'
import type { BaresipCodec } from '../support/baresip.ts'
import { PhoneRoom, talk } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'
import { assertHeard, at8k } from '../support/speech-wav.ts'

let room: PhoneRoom
before(async () => {
  room = await PhoneRoom.open({ env: { CODECS: 'opus,G722,PCMA,PCMU,L16,others' } })
})
after(() => room.close())

const talkMs = 4_000
/** Of a whole call, at one lag. What baresip makes of its 8 kHz for L16 at 16 kHz is like it by 0.85 to 0.95. */
const minCorrelation = 0.8
/**
 * A piece at a time: on a busy machine a jitter buffer grows and shrinks, ours where sound is converted, and baresip's.
 * Opus keeps what is heard, not the shape of the wave.
 */
const pieces = { minSeconds: 2, minScore: 0.7 }

const rates: Readonly<Record<Exclude<BaresipCodec, 'GSM'>, number>> = {
  PCMU: 8_000,
  PCMA: 8_000,
  G722: 16_000,
  opus: 48_000,
  L16: 16_000,
}

function assertSame(what: string, said: Int16Array, wav: WavSound, channel = 0): void {
  const heard = at8k(wav, channel)
  assert.ok(heard.length >= (talkMs - 1_000) * 8, `${what}: ${heard.length / 8_000} s`)
  const { score } = correlate(said.subarray(0, heard.length), heard)
  assert.ok(score >= minCorrelation, `${what}: correlation ${score.toFixed(4)}`)
}

const pairs: readonly (readonly [keyof typeof rates, keyof typeof rates])[] = [
  ['G722', 'G722'],
  ['opus', 'opus'],
  ['L16', 'L16'],
  ['PCMU', 'G722'],
  ['G722', 'PCMA'],
  ['opus', 'PCMU'],
  ['PCMA', 'opus'],
  ['G722', 'opus'],
  ['opus', 'L16'],
]

for (const [caller, callee] of pairs)
  test(`${caller} calls ${callee}: both hear each other and are recorded`, needs('baresip'), async (t) => {
    const bob = await room.baresip(t, '102', { codec: callee, autoAnswer: true })
    const alice = await room.baresip(t, '101', { codec: caller })
    alice.dial('102')
    await alice.saw('CALL_ESTABLISHED')
    await talk(talkMs)
    alice.hangUp()
    await bob.saw('CALL_CLOSED')
    await Promise.all([alice.stop(), bob.stop()])

    const call = await room.ended()
    assert.deepEqual(
      call.legs.map(({ codec }) => codec),
      [caller, callee],
    )
    const files = await room.recorded(call)
    assert.deepEqual(
      files.map(({ kind, sampleRateHz }) => [kind, sampleRateHz]),
      [
        ['combined', Math.max(rates[caller], rates[callee])],
        ['leg', rates[caller]],
        ['leg', rates[callee]],
      ],
    )
    const recording = await readWav(join(room.server.recordingDir, files[0]?.name ?? ''))
    const said = [room.said('101'), room.said('102')] as const
    assertSame('the recording of the caller', said[0], recording, 0)
    assertSame('the recording of the callee', said[1], recording, 1)

    await assertHeard('the callee', said[0], bob.heardWav(), pieces)
    await assertHeard('the caller', said[1], alice.heardWav(), pieces)
  })

for (const codec of ['opus', 'PCMA'] as const)
  test(
    `linphonec, which knows many codecs, speaks ${codec} with a baresip that knows no other`,
    needs('linphonec', 'baresip'),
    async (t) => {
      const bob = await room.baresip(t, '102', { codec, autoAnswer: true })
      const alice = await room.linphone(t, '101')
      alice.dial('102')
      await alice.saw('CallStreamsRunning')
      await talk(talkMs)
      alice.command('terminate')
      await bob.saw('CALL_CLOSED')
      await Promise.all([alice.stop(), bob.stop()])

      assert.deepEqual(
        (await room.ended()).legs.map((leg) => leg.codec),
        [codec, codec],
      )
      await assertHeard('baresip', room.said('101'), bob.heardWav(), pieces)
      await assertHeard('linphonec', room.said('102'), alice.heardWav(), pieces)
    },
  )

test(
  'GSM, which is not decoded, passes between two that speak it, and is kept as packets',
  needs('baresip'),
  async (t) => {
    const bob = await room.baresip(t, '102', { codec: 'GSM', autoAnswer: true })
    const alice = await room.baresip(t, '101', { codec: 'GSM' })
    alice.dial('102')
    await alice.saw('CALL_ESTABLISHED')
    await talk(talkMs)
    alice.hangUp()
    await bob.saw('CALL_CLOSED')
    await Promise.all([alice.stop(), bob.stop()])

    const call = await room.ended()
    assert.deepEqual(
      call.legs.map((leg) => leg.codec),
      ['GSM', 'GSM'],
    )
    await assertHeard('the callee', room.said('101'), bob.heardWav(), pieces)
    await assertHeard('the caller', room.said('102'), alice.heardWav(), pieces)
    const files = await room.recorded(call)
    assert.deepEqual(
      files.map(({ kind }) => kind),
      ['raw', 'raw'],
    )
    // 33 bytes each 20 ms, with 12 of RTP and 8 of rtpdump.
    for (const { bytes } of files) assert.ok(bytes > ((talkMs - 1_000) / 20) * 53, `${bytes} bytes`)
  },
)

test('who speaks GSM alone and who does not are told 488', needs('baresip'), async (t) => {
  await room.baresip(t, '102', { codec: 'PCMU', autoAnswer: true })
  const alice = await room.baresip(t, '101', { codec: 'GSM' })
  alice.dial('102')
  await alice.saw('CALL_CLOSED')
  assert.equal((await room.ended()).endReason, 'no-common-codec')
})
