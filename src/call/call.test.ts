/** Who gets a call, and how it ends. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { goodQuality } from '../media/test-support.ts'
import { SipDialog } from '../sip/dialog/dialog.ts'
import { settle, turn } from '../sip/dialog/test-support.ts'
import { CallWorld, callerIp, description, deviceIps, sdp, to102 } from './test-support.ts'

let world: CallWorld

beforeEach(async () => {
  world = await CallWorld.open()
})

test('the first device that answers gets the call, the other is cancelled, and a BYE ends both legs', async () => {
  const first = world.answers(0)
  const second = world.rings(1)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  assert.deepEqual(invite.ringing, [180])
  assert.ok(first.dialog)
  assert.equal(second.invite?.cancelled.aborted, true)
  assert.equal(world.live.list()[0]?.snapshot().legs.length, 2)
  void outcome.dialog.bye()
  await turn(world.clock, 1_000)
  assert.equal(first.dialog.state, 'terminated')
  assert.equal(world.endedAs(), 'hangup')
  assert.deepEqual(world.recorded, ['talk: caller, callee', 'stopped'])
  await world.nothingIsLeft()
})

test('an ended call does not wait in memory for its recording to be finished', async () => {
  world.stored = new Promise(() => {})
  world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  void outcome.dialog.bye()
  await turn(world.clock, 2_000)
  assert.ok(world.facts.some(({ name }) => name === 'call.traced'))
  await world.nothingIsLeft()
})

test('each leg is a dialog of its own: other Call-ID, other tags, our own Contact', async () => {
  const first = world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const request = first.invite?.request
  assert.notEqual(request?.headers.get('Call-ID'), invite.sipCallId)
  assert.match(request?.headers.get('From') ?? '', /^"Alice" <sip:101@192\.0\.2\.1>;tag=/)
  assert.match(request?.headers.get('Contact') ?? '', /192\.0\.2\.1:5060/)
  assert.ok(!Buffer.from(request?.body ?? '').includes(callerIp))
})

test('how well a leg is heard is told with words and advice, and shown while the call lives', async () => {
  world.answers(0)
  world.call()
  await turn(world.clock, 1_000)
  world.media.ports[0]?.emit('quality', { ...goodQuality, verdicts: [{ code: 'wrong-codec', about: '18' }] })
  const [caller, callee] = world.live.list()[0]?.snapshot().legs ?? []
  const [fact] = world.told('leg.quality')
  assert.ok(fact?.name === 'leg.quality' && fact.legId === caller?.id)
  assert.deepEqual(
    fact.quality.verdicts.map(({ text }) => text),
    ['Packets of payload type 18 were refused: nobody agreed to it'],
  )
  assert.deepEqual(caller.quality, fact.quality)
  assert.equal(callee?.quality, undefined)
})

test('the callee hangs up: the caller gets a BYE', async () => {
  const first = world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  void first.dialog?.bye()
  await turn(world.clock, 1_000)
  assert.equal(outcome.dialog.state, 'terminated')
  await world.nothingIsLeft()
})

for (const [statuses, reason, status] of [
  [[486, 486], 'busy', 486],
  [[480, 486], 'busy', 486],
  [[404, 480], 'not-found', 404],
  [[488, 480], 'no-common-codec', 488],
  [[503, 480], 'unreachable', 480],
  [[500, 500], 'failed', 500],
] as const) {
  test(`devices that answer ${statuses.join(' and ')} leave the caller with ${status}`, async () => {
    statuses.forEach((answer, index) => world.refuses(index, answer))
    const invite = world.call()
    await turn(world.clock, 1_000)
    const outcome = await invite.outcome
    assert.equal(outcome.response.status, status)
    assert.equal(world.endedAs(), reason)
    await world.nothingIsLeft()
  })
}

test('a person who declines stops the other devices too (RFC 3261 §21.6)', async () => {
  world.refuses(0, 603)
  const second = world.rings(1)
  const invite = world.call()
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 603)
  assert.equal(second.invite?.cancelled.aborted, true)
  await world.nothingIsLeft()
})

test('nobody answers: after the ring time the devices are cancelled and the caller gets 480', async () => {
  const first = world.rings(0)
  world.rings(1)
  const invite = world.call()
  await turn(world.clock, 29_000, 100)
  assert.equal(world.told('call.ended').length, 0)
  await turn(world.clock, 2_000, 100)
  assert.equal((await invite.outcome).response.status, 480)
  assert.equal(first.invite?.cancelled.aborted, true)
  assert.equal(world.endedAs(), 'no-answer')
  await world.nothingIsLeft()
})

test('a phone that never says a word is given up after the ring time', async () => {
  world.dialOptions = { destinations: [{ target: { uri: 'sip:102@192.0.2.99:5060' }, party: to102 }], ringMs: 10_000 }
  const invite = world.call()
  await turn(world.clock, 11_000, 100)
  assert.equal((await invite.outcome).response.status, 480)
  assert.equal(world.endedAs(), 'no-answer')
  await world.nothingIsLeft()
})

test('the caller gives up while it rings: the devices are cancelled', async () => {
  const first = world.rings(0)
  world.rings(1)
  const invite = world.call()
  await turn(world.clock, 1_000)
  invite.cancel()
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 487)
  assert.equal(first.invite?.cancelled.aborted, true)
  assert.equal(world.endedAs(), 'cancelled')
  await world.nothingIsLeft()
})

test('each hop takes one from Max-Forwards, and with none left the call is answered 483 (RFC 3261 §8.1.1.6)', async () => {
  const first = world.answers(0)
  world.call({ headers: { 'Max-Forwards': '8' } })
  await turn(world.clock, 1_000)
  assert.equal(first.invite?.request.headers.get('Max-Forwards'), '7')
  const back = world.call({ headers: { 'Max-Forwards': '0' } })
  await turn(world.clock, 1_000)
  assert.equal((await back.outcome).response.status, 483)
})

test('a caller without a user part is shown as anonymous, not by its address', async () => {
  world.callerParty = { uri: 'sip:[2001:db8::1]:5062', name: 'Zoë "Z" \\' }
  const first = world.answers(0)
  world.call()
  await turn(world.clock, 1_000)
  const from = first.invite?.request.headers.get('From') ?? ''
  assert.match(from, /^"Zoë \\"Z\\" \\\\" <sip:anonymous@192\.0\.2\.1>;tag=/)
})

test('a clean stop refuses a ringing call with 503 and ends an answered one with BYE', async () => {
  world.rings(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  void world.live.endAll('shutdown')
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 503)
  assert.equal(world.endedAs(), 'shutdown')
  await world.nothingIsLeft()
})

test('a caller that hangs up before its ports are open leaves nothing', async () => {
  const invite = world.call()
  await settle()
  world.clock.advance(2)
  invite.cancel()
  await turn(world.clock, 2_000)
  assert.equal((await invite.outcome).answered, false)
  await world.nothingIsLeft()
})

test('a phone whose answer came in a reliable 183 may answer without a description (RFC 3262 §5)', async () => {
  const first = world.device(0, (invite, seen) => {
    invite.ring(183, description(sdp(deviceIps[0] ?? '')))
    world.clock.after(100, () => (seen.dialog = invite.answer({})))
  })
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  assert.ok(first.dialog)
  void outcome.dialog.bye()
  await turn(world.clock, 1_000)
  await world.nothingIsLeft()
})

test('a caller that requires reliable ringing gets it, and the call stands (RFC 3262)', async () => {
  world.answers(0)
  const invite = world.call({ headers: { Require: '100rel' } })
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  assert.deepEqual(invite.ringing, [180])
  void outcome.dialog.bye()
  await turn(world.clock, 1_000)
  await world.nothingIsLeft()
})

test('a phone that vanished is found out by its session timer, and the other leg hears BYE (RFC 4028)', async () => {
  const first = world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered && first.dialog instanceof SipDialog)
  outcome.dialog.on('request', (incoming) => incoming.respond(200))
  first.dialog.drop()
  await turn(world.clock, 1_000_000, 500)
  assert.equal(world.endedAs(), 'media-timeout')
  assert.equal(outcome.dialog.state, 'terminated')
  await world.nothingIsLeft()
})
