/** linphonec, an independent phone (belle-sip), and baresip call each other: hold, digits, transfer, what each heard. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { alike, PhoneRoom, talk } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'
import { assertHeard } from '../support/speech-wav.ts'

let room: PhoneRoom
before(async () => {
  room = await PhoneRoom.open()
})
after(() => room.close())

for (const transport of ['udp', 'tcp', 'tls'] as const) {
  test(`linphonec calls baresip over ${transport}`, needs('linphonec', 'baresip'), async (t) => {
    const bob = await room.baresip(t, '102', { transport, autoAnswer: true })
    const alice = await room.linphone(t, '101', { transport })
    alice.dial('102')
    await alice.saw('CallStreamsRunning')
    await talk()
    alice.command('5')
    await bob.printed(/received event: '5'/)
    bob.command('sndcode', '7')
    await alice.printed(/Receiving tone 7/)
    alice.command('terminate')
    await bob.saw('CALL_CLOSED')
    await Promise.all([alice.stop(), bob.stop()])
    await room.ended()
    await assertHeard('baresip', room.said('101'), bob.heardWav(), alike)
    await assertHeard('linphonec', room.said('102'), alice.heardWav(), alike)
  })

  test(`baresip calls linphonec over ${transport}`, needs('linphonec', 'baresip'), async (t) => {
    const bob = await room.linphone(t, '102', { transport })
    const alice = await room.baresip(t, '101', { transport })
    alice.dial('102')
    await bob.saw('CallIncomingReceived')
    await alice.saw('CALL_RINGING')
    bob.command('answer')
    await alice.saw('CALL_ESTABLISHED')
    await talk()
    alice.hangUp()
    await bob.saw('CallReleased')
    await Promise.all([alice.stop(), bob.stop()])
    await room.ended()
    await assertHeard('linphonec', room.said('101'), bob.heardWav(), alike)
    await assertHeard('baresip', room.said('102'), alice.heardWav(), alike)
  })
}

test('linphonec holds a call and takes it back, and so does baresip', needs('linphonec', 'baresip'), async (t) => {
  const bob = await room.baresip(t, '102', { autoAnswer: true })
  const alice = await room.linphone(t, '101')
  alice.dial('102')
  await alice.saw('CallStreamsRunning')
  alice.command('pause')
  await alice.saw('CallPaused')
  alice.command('resume')
  await alice.saw('CallStreamsRunning', 2)
  await talk()
  bob.command('hold')
  await talk(500)
  bob.command('resume')
  await talk()
  alice.command('terminate')
  await bob.saw('CALL_CLOSED')
  const call = await room.ended()

  const messages = await room.messages(call)
  const heldBy = ({ sipCallId }: { sipCallId: string }) =>
    messages.flatMap((message) =>
      message.sipCallId === sipCallId && message.text.includes('a=sendonly') ? [message.direction] : [],
    )
  const answered = messages.filter(({ direction, text }) => direction === 'out' && text.includes('a=recvonly'))
  assert.deepEqual(call.legs.map(heldBy), [['in'], ['in']])
  assert.equal(answered.length, 2)
  await Promise.all([alice.stop(), bob.stop()])
  // baresip 1.0 writes nothing more into its file after a hold of its own.
  await assertHeard('baresip', room.said('101'), bob.heardWav(), alike)
  await assertHeard('linphonec', room.said('102'), alice.heardWav(), { ...alike, minSeconds: 3 })
})

test('a call to linphonec that is declined: 603', needs('linphonec', 'baresip'), async (t) => {
  const bob = await room.linphone(t, '102')
  const alice = await room.baresip(t, '101')
  alice.dial('102')
  await bob.saw('CallIncomingReceived')
  bob.command('terminate')
  await alice.saw('CALL_CLOSED')
  assert.equal((await room.ended()).endReason, 'declined')
})

test('linphonec transfers blindly: the caller and the third phone talk', needs('linphonec', 'baresip'), async (t) => {
  const alice = await room.baresip(t, '101')
  const bob = await room.linphone(t, '102', { autoAnswer: true })
  const carol = await room.baresip(t, '103', { autoAnswer: true })
  alice.dial('102')
  await bob.saw('CallStreamsRunning')
  bob.transfer('103')
  await carol.saw('CALL_ESTABLISHED')
  await bob.saw('CallReleased')
  await talk()
  alice.hangUp()
  await carol.saw('CALL_CLOSED')
  await Promise.all([alice.stop(), carol.stop()])
  await room.ended()
  await assertHeard('carol', room.said('101'), carol.heardWav())
})

test('linphonec transfers to whom it has spoken with', needs('linphonec', 'baresip'), async (t) => {
  const alice = await room.baresip(t, '101')
  const bob = await room.linphone(t, '102', { autoAnswer: true })
  const carol = await room.baresip(t, '103', { autoAnswer: true })
  alice.dial('102')
  await bob.saw('CallStreamsRunning')
  bob.command('pause')
  await bob.saw('CallPaused')
  bob.dial('103')
  await bob.saw('CallStreamsRunning', 2)
  bob.command('transfer 1 --to-call 2')
  await bob.saw('CallReleased', 2)
  await talk()
  alice.hangUp()
  await carol.saw('CALL_CLOSED')
  await Promise.all([alice.stop(), carol.stop()])
  await room.ended()
  await assertHeard('alice', room.said('103'), alice.heardWav())
})
