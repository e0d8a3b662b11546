/** Kamailio, an independent proxy: in front of the server as the phones' outbound proxy, and behind it as its carrier. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { openCarrierRoom } from '../support/carrier-room.ts'
import { edgeProxy, type Kamailio, startKamailio } from '../support/kamailio.ts'
import { alike, type PhoneRoom, talk } from '../support/phone-room.ts'
import { extensionsFrom101, sippCaller } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { runSipp } from '../support/sipp.ts'
import { refusedCallerScenario } from '../support/sipp-scenarios.ts'
import { assertHeard } from '../support/speech-wav.ts'

const phones = needs('kamailio', 'baresip', 'linphonec')

let room: PhoneRoom
let carried: Kamailio
let close: () => Promise<void>
before(async () => {
  ;({ room, carried, close } = await openCarrierRoom({ sources: ['127.0.0.2'], inbound: { '2000': '101' } }))
})
after(() => close())

for (const [outside, inside] of [
  ['udp', 'udp'],
  ['tcp', 'udp'],
  ['udp', 'tcp'],
] as const)
  test(`phones by ${outside} at Kamailio, which speaks ${inside} to the server`, phones, async (t) => {
    const proxy = await startKamailio('127.0.0.3', edgeProxy(room.server.sip, inside))
    t.after(() => proxy.stop())
    const at = { transport: outside, server: proxy.address }
    const alice = await room.linphone(t, '101', at)
    const bob = await room.baresip(t, '102', at)

    alice.dial('102')
    await bob.saw('CALL_INCOMING')
    await alice.saw('CallOutgoingRinging')
    bob.command('accept')
    await alice.saw('CallStreamsRunning')
    await talk()
    alice.command('pause')
    await alice.saw('CallPaused')
    alice.command('resume')
    await alice.saw('CallStreamsRunning', 2)
    bob.hangUp()
    await alice.saw('CallReleased')
    const answered = await room.ended()

    bob.dial('101')
    await alice.saw('CallIncomingReceived')
    await bob.saw('CALL_RINGING')
    bob.hangUp()
    await alice.saw('CallReleased', 2)
    const cancelled = await room.ended()
    await Promise.all([alice.stop(), bob.stop()])

    const messages = await room.messages(answered)
    const toBob = messages.find(({ direction, summary }) => direction === 'out' && summary.startsWith('INVITE'))
    assert.match(toBob?.text ?? '', /^Route: <sip:[^>]*127\.0\.0\.3/im, 'by the Path of its registration')
    assert.deepEqual([answered.endReason, cancelled.endReason], ['hangup', 'cancelled'])
    assert.deepEqual(
      answered.legs.map(({ transport }) => transport.toLowerCase()),
      [inside, inside],
    )
    await assertHeard('baresip', room.said('101'), bob.heardWav(), alike)
    await assertHeard('linphonec', room.said('102'), alice.heardWav(), alike)
  })

/** A phone that is Kamailio's own, in the world outside. */
const outsider = (t: TestContext, wish: { autoAnswer?: boolean } = {}) =>
  room.baresip(t, '102', { server: carried.address, user: '7001', password: 'pw-7001', ...wish })

test('a call out through Kamailio as trunk, which asks for digest', phones, async (t) => {
  const dave = await outsider(t, { autoAnswer: true })
  const alice = await room.linphone(t, '101')
  alice.dial('7001')
  await alice.saw('CallStreamsRunning')
  await talk()
  dave.hangUp()
  await alice.saw('CallReleased')
  await Promise.all([alice.stop(), dave.stop()])

  assert.equal((await room.ended()).endReason, 'hangup')
  await assertHeard('the outsider', room.said('101'), dave.heardWav(), alike)
  await assertHeard('linphonec', room.said('102'), alice.heardWav(), alike)
})

test('a call in from Kamailio as trunk', phones, async (t) => {
  const alice = await room.linphone(t, '101', { autoAnswer: true })
  const dave = await outsider(t)
  dave.dial('2000')
  await alice.saw('CallStreamsRunning')
  await talk()
  dave.hangUp()
  await alice.saw('CallReleased')
  await Promise.all([alice.stop(), dave.stop()])

  assert.equal((await room.ended()).endReason, 'hangup')
  await assertHeard('the outsider', room.said('101'), dave.heardWav(), alike)
})

test('a caller who gives up while a phone behind the trunk rings: CANCEL goes all the way', phones, async (t) => {
  const dave = await outsider(t)
  const alice = await room.linphone(t, '101')
  alice.dial('7001')
  await dave.saw('CALL_INCOMING')
  await alice.saw('CallOutgoingRinging')
  alice.command('terminate')
  await dave.saw('CALL_CLOSED')

  assert.equal((await room.ended()).endReason, 'cancelled')
})

for (const [dialled, status, endReason] of [
  ['9302', 480, 'unreachable'],
  ['9404', 404, 'not-found'],
  ['9486', 486, 'busy'],
  ['9503', 480, 'unreachable'],
  ['9603', 603, 'declined'],
] as const)
  test(`the trunk answers ${dialled.slice(1)}: the caller hears ${status}`, needs('kamailio', 'sipp'), async () => {
    const [caller] = extensionsFrom101(1)
    assert.ok(caller)
    const { ip, port } = room.server.sip
    const result = await runSipp({
      scenario: refusedCallerScenario(status),
      target: `${ip}:${port}`,
      calls: 1,
      args: sippCaller(caller, dialled),
      timeoutMs: 30_000,
    })
    assert.equal(result.errors, '')
    assert.equal(result.successful, 1)
    assert.equal((await room.ended()).endReason, endReason)
  })
