/** Calls taken by an INVITE with Replaces: while they ring, and while they stand. RFC 3891. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { turn } from '../sip/dialog/test-support.ts'
import type { Dialog, OutgoingInvite } from '../sip/stack.types.ts'
import type { Presenter } from './leg.ts'
import { CallWorld, callerIp, type Device, description, deviceIps, sdp, serverIp, to102 } from './test-support.ts'

const pickerIp = deviceIps[1] ?? ''
let world: CallWorld

/** The first device is 102; the second is somebody else. */
beforeEach(async () => {
  world = await CallWorld.open()
  world.dialOptions = { destinations: [{ target: { uri: `sip:102@${deviceIps[0]}:5060` }, party: to102 }] }
})

/** Somebody asks for the place of the dialog named. */
function take(replaces: string | readonly string[], formats = '0'): OutgoingInvite {
  const picker = world.devices[1]
  assert.ok(picker)
  return picker.invite({
    target: { uri: `sip:102@${serverIp}:5060` },
    from: `<sip:103@${pickerIp}>`,
    to: `<sip:102@${serverIp}>`,
    headers: { Replaces: replaces, Require: 'replaces' },
    ...description(sdp(pickerIp, formats)),
  })
}

const named = ({ id }: Dialog, more = ''): string =>
  `${id.callId};to-tag=${id.remoteTag};from-tag=${id.localTag}${more}`

async function statusOf(invite: OutgoingInvite): Promise<number> {
  await turn(world.clock, 500)
  return (await invite.outcome).response.status
}

async function ringing(): Promise<{ device: Device; call: OutgoingInvite; early: Dialog }> {
  const device = world.rings(0)
  const call = world.call()
  await turn(world.clock, 500)
  assert.ok(device.invite)
  return { device, call, early: device.invite.dialog }
}

async function talking(): Promise<{ device: Device; here: Dialog; there: Dialog }> {
  const device = world.answers(0)
  const call = world.call()
  await turn(world.clock, 1_000)
  const outcome = await call.outcome
  assert.ok(outcome.answered && device.dialog)
  return { device, here: outcome.dialog, there: device.dialog }
}

test('a call that rings is picked up: the caller hears who picked it up, and the phone that rang stops', async () => {
  const { device, call, early } = await ringing()
  const picked = take(named(early, ';early-only'))
  await turn(world.clock, 500)
  const [outcome, caller] = await Promise.all([picked.outcome, call.outcome])
  assert.ok(outcome.answered && caller.answered)
  assert.ok(device.invite?.cancelled.aborted)
  assert.equal(world.media.ports[1]?.descriptions.at(-1)?.remote?.ip, pickerIp)
  assert.equal(world.media.ports[0]?.descriptions.at(-1)?.remote?.ip, callerIp)
  assert.equal(world.told('call.answered').length, 1)
  void caller.dialog.bye()
  await turn(world.clock, 500)
  assert.equal(outcome.dialog.state, 'terminated')
  await world.nothingIsLeft()
})

test('who watches a call picks it up by its own id, as its lamp tells it (RFC 4235)', async () => {
  const { call } = await ringing()
  const picked = take(`${world.calls[0]?.id};to-tag=102;from-tag=caller`)
  await turn(world.clock, 500)
  assert.ok((await picked.outcome).answered)
  const caller = await call.outcome
  assert.ok(caller.answered)
  void caller.dialog.bye()
  await world.nothingIsLeft()
})

test('a leg of a call that stands is replaced: its phone gets BYE, the other side stays', async () => {
  const { device, here, there } = await talking()
  const taken = take(named(there))
  await turn(world.clock, 500)
  const outcome = await taken.outcome
  assert.ok(outcome.answered)
  assert.equal(device.dialog?.state, 'terminated')
  assert.equal(here.state, 'confirmed')
  const [fact] = world.told('call.transferred')
  assert.equal(fact?.name === 'call.transferred' && fact.kind, 'replaced')
  assert.equal(world.live.list()[0]?.snapshot().legs.at(-1)?.party.extension, '103')
  void outcome.dialog.bye()
  await turn(world.clock, 500)
  assert.equal(here.state, 'terminated')
  await world.nothingIsLeft()
})

const present: Presenter = ({ extension, private: hidden }, host) => ({
  'P-Asserted-Identity': hidden ? 'somebody' : `<sip:${extension}@${host}>`,
})

test('who takes a place and who stays are told whom they speak with', async () => {
  world.taker = { ...world.taker, present }
  world.dialOptions = { ...world.dialOptions, present }
  world.callerParty = { ...world.callerParty, private: true }
  const { here, there } = await talking()
  const updates: (string | undefined)[] = []
  here.on('request', (incoming) => {
    updates.push(incoming.request.headers.get('P-Asserted-Identity'))
    incoming.respond(200)
  })
  const outcome = take(named(there)).outcome
  await turn(world.clock, 500)
  const { response } = await outcome
  assert.equal(response.headers.get('P-Asserted-Identity'), 'somebody')
  assert.deepEqual(updates, [`<sip:103@${serverIp}>`])
  void here.bye()
  await world.nothingIsLeft()
})

test('a call that is picked up shows the caller who has it, and the one who has it the caller', async () => {
  world.taker = { ...world.taker, present }
  world.dialOptions = { ...world.dialOptions, present }
  const { call, early } = await ringing()
  const picked = take(named(early))
  await turn(world.clock, 500)
  const [outcome, caller] = await Promise.all([picked.outcome, call.outcome])
  assert.equal(outcome.response.headers.get('P-Asserted-Identity'), `<sip:101@${serverIp}>`)
  assert.equal(caller.response.headers.get('P-Asserted-Identity'), `<sip:103@${serverIp}>`)
  if (caller.answered) void caller.dialog.bye()
  await world.nothingIsLeft()
})

test('early-only does not take a call that was answered: 486 (RFC 3891 §3)', async () => {
  const { here, there } = await talking()
  assert.equal(await statusOf(take(named(there, ';early-only'))), 486)
  assert.equal(there.state, 'confirmed')
  void here.bye()
  await world.nothingIsLeft()
})

test('what names no dialog gets 481, and so does the half of the caller that still calls', async () => {
  const { call } = await ringing()
  const tags = 'to-tag=a;from-tag=b'
  assert.equal(await statusOf(take(`unheard-of;${tags}`)), 481)
  assert.equal(await statusOf(take(`${call.sipCallId};${tags}`)), 481)
  call.cancel()
  await world.nothingIsLeft()
})

test('a header that cannot be read, or comes twice, gets 400', async () => {
  const { call, early } = await ringing()
  assert.equal(await statusOf(take('no-tags')), 400)
  assert.equal(await statusOf(take([named(early), named(early)])), 400)
  call.cancel()
  await world.nothingIsLeft()
})

test('a leg that was replaced before is gone: 603', async () => {
  const { here, there } = await talking()
  assert.equal(await statusOf(take(named(there))), 200)
  assert.equal(await statusOf(take(named(there))), 603)
  void here.bye()
  await world.nothingIsLeft()
})

test('of two who ask for one place at the same time one gets it, and the one who stays stays', async () => {
  const { device, here, there } = await talking()
  // The second to ask has no port yet while the first takes the place.
  const invites = [take(named(there)), take(named(there))]
  await turn(world.clock, 1_000)
  const outcomes = await Promise.all(invites.map(({ outcome }) => outcome))
  assert.deepEqual(
    outcomes.map(({ response }) => response.status).toSorted((a, b) => a - b),
    [200, 603],
  )
  assert.equal(device.dialog?.state, 'terminated')
  assert.equal(here.state, 'confirmed')
  void here.bye()
  await turn(world.clock, 500)
  const taken = outcomes.find((outcome) => outcome.answered)
  assert.equal(taken?.answered && taken.dialog.state, 'terminated')
  await world.nothingIsLeft()
})

test('the caller, too, has one successor when two ask for its place', async () => {
  const { device, here } = await talking()
  const place = `${here.id.callId};to-tag=${here.id.localTag};from-tag=${here.id.remoteTag}`
  const invites = [take(place), take(place)]
  await turn(world.clock, 1_000)
  const outcomes = await Promise.all(invites.map(({ outcome }) => outcome))
  assert.deepEqual(
    outcomes.map(({ response }) => response.status).toSorted((a, b) => a - b),
    [200, 603],
  )
  assert.equal(here.state, 'terminated')
  assert.equal(device.dialog?.state, 'confirmed')
  void device.dialog?.bye()
  await world.nothingIsLeft()
})

test('who may not take part gets 403, and nothing changes', async () => {
  world.taker = { ...world.taker, mayTake: () => false }
  const { here, there } = await talking()
  assert.equal(await statusOf(take(named(there))), 403)
  assert.equal(there.state, 'confirmed')
  void here.bye()
  await world.nothingIsLeft()
})

test('who shares no codec with the one who stays gets 488, and the call rings or stands as before', async () => {
  world.codecs = { transcode: false }
  const { device, call, early } = await ringing()
  assert.equal(await statusOf(take(named(early), '9')), 488)
  assert.equal(device.invite?.cancelled.aborted, false)
  call.cancel()
  await world.nothingIsLeft()
  world = await CallWorld.open()
  world.codecs = { transcode: false }
  world.dialOptions = { destinations: [{ target: { uri: `sip:102@${deviceIps[0]}:5060` }, party: to102 }] }
  const { here, there } = await talking()
  assert.equal(await statusOf(take(named(there), '9')), 488)
  assert.equal(there.state, 'confirmed')
  void here.bye()
  await world.nothingIsLeft()
})
