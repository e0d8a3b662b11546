/**
 * A baresip behind a line that loses and delays what it says calls one that takes another codec: what the callee hears, what
 * the server counts, and the score it tells.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { meanOpinionScore, ratingFactor, ratingOf, widebandRating, widebandScore } from '../../src/codec/e-model.ts'
import { BadNetwork } from '../support/bad-network.ts'
import { PhoneRoom, talk } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'
import { assertHeard } from '../support/speech-wav.ts'

let room: PhoneRoom
before(async () => {
  room = await PhoneRoom.open()
})
after(() => room.close())

const talkMs = 12_000

/** How many seconds of what is heard must be like what was said, a quarter at a time, and how much so. */
const lines = [
  { codec: 'PCMU', loss: 0.01, jitterMs: 30, minSeconds: 8, minScore: 0.85 },
  { codec: 'PCMU', loss: 0.05, jitterMs: 30, minSeconds: 6, minScore: 0.85 },
  { codec: 'PCMU', loss: 0.2, jitterMs: 30, minSeconds: 6, minScore: 0.7 },
  { codec: 'opus', loss: 0.05, jitterMs: 30, minSeconds: 6, minScore: 0.8 },
] as const

for (const { codec, loss, jitterMs, minSeconds, minScore } of lines)
  test(`${codec} over a line with ${100 * loss} % loss and ${jitterMs} ms of jitter`, needs('baresip'), async (t) => {
    const network = await BadNetwork.open(room.server.sip, { loss, jitterMs })
    t.after(() => network.close())
    const bob = await room.baresip(t, '102', { codec: 'G722', autoAnswer: true })
    const alice = await room.baresip(t, '101', { codec, server: network.sip })
    alice.dial('102')
    await alice.saw('CALL_ESTABLISHED')
    await talk(talkMs)
    alice.hangUp()
    await bob.saw('CALL_CLOSED')
    await Promise.all([alice.stop(), bob.stop()])

    await assertHeard('what the callee heard', room.said('101'), bob.heardWav(), { minSeconds, minScore })
    const call = await room.ended()
    const media = call.legs[0]?.media
    assert.ok(media?.quality, 'no quality was kept')
    const { lossShare, discardShare, delayMs, mos } = media.quality
    const { sent, dropped } = network
    // What was lost before the first packet or behind the last nobody knows
    assert.ok(Math.abs(media.packetsLost - dropped) <= 3, `${media.packetsLost} lost, ${dropped} of ${sent} dropped`)
    assert.ok(Math.abs(lossShare - dropped / sent) < 0.01, `${lossShare}`)
    const deviation = Math.sqrt(sent * loss * (1 - loss))
    assert.ok(Math.abs(dropped - sent * loss) <= 5 * deviation, `${dropped} of ${sent}`)
    const { scale, impairment } = ratingOf(codec, 8000) ?? assert.fail(codec)
    const inputs = { delayMs, lossShare: dropped / sent + discardShare, impairment }
    const predicted =
      scale === 'narrowband' ? meanOpinionScore(ratingFactor(inputs)) : widebandScore(widebandRating(inputs))
    assert.ok(mos !== undefined && Math.abs(mos - predicted) < 0.3, `${mos} told, ${predicted} predicted`)
    assert.ok(discardShare < 0.1, `${discardShare} late`)
  })
