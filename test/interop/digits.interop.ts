/** Two baresips whose codecs have different clocks press digits: what one sends as telephone-events the other hears. */
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
