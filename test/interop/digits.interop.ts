/**
 * Digits of phones of other makes: two baresips whose codecs have different clocks, and a linphonec that sends them by
 * SIP INFO, alone or besides.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PhoneRoom, talk } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'

let room: PhoneRoom
before(async () => {
  room = await PhoneRoom.open()
})
after(() => room.close())

test(
  'a digit crosses from a call in opus to one in G.711 and back, though both are converted',
  needs('baresip'),
  async (t) => {
    const bob = await room.baresip(t, '102', { codec: 'PCMU', autoAnswer: true })
    const alice = await room.baresip(t, '101', { codec: 'opus' })
    alice.dial('102')
    await alice.saw('CALL_ESTABLISHED')
    await talk(500)
    alice.command('sndcode', '7')
    await bob.printed(/received event: '7'/)
    await bob.saw('CALL_DTMF_END')
    await talk(500)
    bob.command('sndcode', '#')
    await alice.printed(/received event: '#'/)
    await alice.saw('CALL_DTMF_END')
    await talk(500)
    alice.hangUp()
    await bob.saw('CALL_CLOSED')
    await Promise.all([alice.stop(), bob.stop()])
    await room.ended()
  },
)

for (const [digits, how] of [
  ['info', 'by INFO alone'],
  ['both', 'by INFO and as telephone-events'],
] as const)
  test(`baresip hears a digit once that linphonec sends ${how}`, needs('linphonec', 'baresip'), async (t) => {
    const bob = await room.baresip(t, '102', { autoAnswer: true })
    const alice = await room.linphone(t, '101', { digits })
    alice.dial('102')
    await alice.saw('CallStreamsRunning')
    await talk(500)
    alice.command('5')
    await talk(1_500)
    alice.command('terminate')
    await bob.saw('CALL_CLOSED')
    await Promise.all([alice.stop(), bob.stop()])
    const heard = [...bob.output().matchAll(/received event: '(.)' \(end=1\)/g)].map(([, digit]) => digit)
    const sent = (await room.messages(await room.ended())).filter(({ text }) => text.startsWith('INFO '))
    assert.deepEqual(heard, ['5'], bob.output())
    assert.deepEqual(
      sent.map(({ direction }) => direction),
      ['in'],
    )
  })
