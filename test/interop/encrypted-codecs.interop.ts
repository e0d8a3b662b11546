/**
 * Two baresips in G.722 and in Opus, encrypted by SRTP with keys in SDP or by DTLS, where nothing else is taken: relayed
 * in their codec, both hear each other, and the recording is in the clear.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PhoneRoom, talk } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'
import { assertHeard } from '../support/speech-wav.ts'

const talkMs = 4_000
/** As in codecs.interop.ts. */
const pieces = { minSeconds: 2, minScore: 0.7 }

for (const [mode, encryption] of [
  ['mandatory', 'srtp-mand'],
  ['dtls', 'dtls_srtp'],
] as const)
  describe(`RTP_SRTP=${mode}`, () => {
    let room: PhoneRoom
    before(async () => {
      room = await PhoneRoom.open({ env: { RTP_SRTP: mode } })
    })
    after(() => room.close())

    for (const codec of ['G722', 'opus'] as const)
      test(`${codec} crosses by ${encryption}`, needs('baresip'), async (t) => {
        const wish = { codec, encryption, rtcpMux: encryption === 'dtls_srtp', transport: 'tcp' } as const
        const bob = await room.baresip(t, '102', { ...wish, autoAnswer: true })
        const alice = await room.baresip(t, '101', wish)
        alice.dial('102')
        await alice.saw('CALL_ESTABLISHED')
        await talk(talkMs)
        alice.hangUp()
        await bob.saw('CALL_CLOSED')
        await Promise.all([alice.stop(), bob.stop()])
        for (const phone of [alice, bob]) assert.match(phone.output(), /AES_CM_128_HMAC_SHA1|AEAD_AES|AES_(?:256_)?CM/)

        const call = await room.ended()
        assert.deepEqual(
          call.legs.map((leg) => leg.codec),
          [codec, codec],
        )
        await assertHeard('the callee', room.said('101'), bob.heardWav(), pieces)
        await assertHeard('the caller', room.said('102'), alice.heardWav(), pieces)
        const legs = (await room.recorded(call)).filter(({ kind }) => kind === 'leg')
        assert.equal(legs.length, 2)
        for (const [index, { name }] of legs.entries())
          await assertHeard(name, room.said(String(101 + index)), join(room.server.recordingDir, name), pieces)
      })
  })
