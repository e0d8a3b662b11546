/** A baresip transfers its call to a third phone (RFC 3515): the two others talk, and one recording holds all of it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PhoneRoom, talk } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'
import { assertHeard } from '../support/speech-wav.ts'
import { until } from '../support/until.ts'

const talkMs = 4_000

let room: PhoneRoom
before(async () => {
  room = await PhoneRoom.open()
})
after(() => room.close())

test('a blind transfer by baresip joins the caller and the third phone', needs('baresip'), async (t) => {
  const alice = await room.baresip(t, '101')
  const bob = await room.baresip(t, '102', { autoAnswer: true })
  const carol = await room.baresip(t, '103', { autoAnswer: true })

  alice.dial('102')
  await bob.saw('CALL_ESTABLISHED')
  await talk(talkMs)
  bob.transfer('103')
  await carol.saw('CALL_ESTABLISHED')
  await bob.saw('CALL_CLOSED')
  await talk(talkMs)
  alice.hangUp()
  await carol.saw('CALL_CLOSED')
  await Promise.all([alice.stop(), bob.stop(), carol.stop()])

  await assertHeard('carol', room.said('101'), carol.heardWav(), { minSeconds: 2 })
  const call = await until('the call to be stored', 20_000, async () => {
    const { items } = await room.server.api.calls({ search: '103' })
    return items.find(({ endedAtMs, recordings }) => endedAtMs && recordings.some(({ state }) => state === 'stored'))
  })
  const combined = call.recordings[0]?.files.find(({ kind }) => kind === 'combined')
  assert.equal(combined?.channels, 3)
})
