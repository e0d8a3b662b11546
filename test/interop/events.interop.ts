/** Presence and text messages with phones of other makes: baresip and linphonec. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PhoneRoom } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'

let room: PhoneRoom
before(async () => {
  room = await PhoneRoom.open()
})
after(() => room.close())

for (const transport of ['udp', 'tls'] as const)
  test(`baresip sees over ${transport} that another one comes, talks and goes`, needs('baresip'), async (t) => {
    const bob = await room.baresip(t, '102', { transport, contacts: ['101'] })
    await bob.sees('Offline')
    const carol = await room.baresip(t, '103', { autoAnswer: true })
    const alice = await room.baresip(t, '101', { transport, contacts: ['102'] })
    await bob.sees('Online')
    await alice.sees('Online')
    alice.dial('103')
    await carol.saw('CALL_ESTABLISHED')
    await bob.sees('Busy')
    alice.hangUp()
    await bob.sees('Online')
    await alice.stop()
    await bob.sees('Offline')
    assert.doesNotMatch(bob.output() + alice.output(), /publisher got error|subscriber closed/)
  })

test('baresip and linphonec write to each other', needs('baresip', 'linphonec'), async (t) => {
  const alice = await room.linphone(t, '101')
  const bob = await room.baresip(t, '102', { contacts: ['101'] })
  alice.command(`chat sip:102@${room.server.sip.ip} Soup or salad?`)
  await bob.printed(/MESSAGE sip:102[^]*Soup or salad\?/)
  bob.command('message', 'Soup please')
  await alice.printed(/Soup please/)
})
