/** Calls that more than two phones of different make have a part in: two devices of one extension, transfers, announcements. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadSpeech } from '../../src/demo/speech.ts'
import { freeSipPort } from '../support/free-port.ts'
import { alike, PhoneRoom, talk } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'
import { pcapOf, speak } from '../support/rtp-capture.ts'
import { startSipp } from '../support/sipp.ts'
import { announcingCallee } from '../support/sipp-flows.ts'
import { assertHeard } from '../support/speech-wav.ts'

const phones = needs('linphonec', 'baresip')
const carrierIp = '127.0.0.5'

let room: PhoneRoom
let carrierPort: number
before(async () => {
  carrierPort = await freeSipPort(carrierIp)
  room = await PhoneRoom.open({
    trunks: [
      { name: 'carrier', host: carrierIp, port: carrierPort, sources: [carrierIp], outbound: [{ prefix: '7' }] },
    ],
  })
})
after(() => room.close())

test('two phones of one extension ring; one answers, the other is told that it did', phones, async (t) => {
  const alice = await room.baresip(t, '101')
  const desk = await room.baresip(t, '102')
  const soft = await room.linphone(t, '102')
  alice.dial('102')
  await desk.saw('CALL_INCOMING')
  await soft.saw('CallIncomingReceived')
  soft.command('answer')
  await alice.saw('CALL_ESTABLISHED')
  await desk.saw('CALL_CLOSED')
  await talk()
  alice.hangUp()
  await soft.saw('CallReleased')
  await Promise.all([alice.stop(), desk.stop(), soft.stop()])

  const messages = await room.messages(await room.ended())
  const [cancel, ...more] = messages.filter(({ summary }) => summary.startsWith('CANCEL'))
  assert.equal(more.length, 0)
  assert.match(cancel?.text ?? '', /^Reason: SIP;cause=200/im)
  await assertHeard('linphonec', room.said('101'), soft.heardWav(), alike)
  await assertHeard('baresip', room.said('102'), alice.heardWav(), alike)
})

test('two phones of one extension ring, and the caller gives up: both stop', phones, async (t) => {
  const alice = await room.baresip(t, '101')
  const desk = await room.baresip(t, '102')
  const soft = await room.linphone(t, '102')
  alice.dial('102')
  await desk.saw('CALL_INCOMING')
  await soft.saw('CallIncomingReceived')
  await alice.saw('CALL_RINGING')
  alice.hangUp()
  await desk.saw('CALL_CLOSED')
  await soft.saw('CallReleased')

  assert.equal((await room.ended()).endReason, 'cancelled')
})

test(
  'linphonec transfers to a phone that still rings: it rings on and answers who was transferred',
  phones,
  async (t) => {
    const alice = await room.baresip(t, '101')
    const bob = await room.linphone(t, '102', { autoAnswer: true })
    const carol = await room.baresip(t, '103')
    alice.dial('102')
    await bob.saw('CallStreamsRunning')
    bob.command('pause')
    await bob.saw('CallPaused')
    bob.dial('103')
    await bob.saw('CallOutgoingRinging')
    bob.command('transfer 1 --to-call 2')
    await carol.saw('CALL_CLOSED')
    await carol.saw('CALL_INCOMING', 2)
    carol.command('accept')
    await carol.saw('CALL_ESTABLISHED')
    await talk()
    alice.hangUp()
    await carol.saw('CALL_CLOSED', 2)
    await Promise.all([alice.stop(), carol.stop()])

    await room.ended()
    await assertHeard('carol', room.said('101'), carol.heardWav())
  },
)

for (const reliable of [true, false])
  test(
    `linphonec hears an announcement before the answer, ${reliable ? 'with' : 'without'} PRACK behind the server`,
    process.getuid?.() === 0 ? needs('sipp', 'linphonec') : { skip: 'sipp plays captures as root only' },
    async (t) => {
      const announcement = speak(await loadSpeech('customer'))
      const alice = await room.linphone(t, '101')
      const carrier = await startSipp({
        scenario: announcingCallee(reliable, 'announcement.pcap'),
        ip: carrierIp,
        port: carrierPort,
        calls: 1,
        holdMs: 3_500,
        files: { 'announcement.pcap': pcapOf(announcement.packets) },
        timeoutMs: 60_000,
      })
      alice.dial('7001')
      await alice.saw('CallOutgoingEarlyMedia')
      await alice.saw('CallStreamsRunning')
      alice.command('terminate')
      const result = await carrier.result
      await alice.stop()

      assert.equal(result.errors, '')
      assert.equal(result.successful, 1)
      await assertHeard('linphonec', announcement.samples, alice.heardWav(), alike)
    },
  )
