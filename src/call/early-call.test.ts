/** What a caller and a called device ask before the answer, and digits by INFO. RFC 3311, RFC 6086. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { turn } from '../sip/dialog/test-support.ts'
import type { Dialog, InviteOptions } from '../sip/stack.types.ts'
import { CallWorld, description, deviceIps, sdp } from './test-support.ts'

let world: CallWorld

beforeEach(async () => {
  world = await CallWorld.open()
})

const reliably: Partial<InviteOptions> = { headers: { Supported: '100rel' } }
const elsewhere = '192.0.2.99'

/** A device that sends early media and answers when told. */
function announces(): { invite?: Parameters<Parameters<CallWorld['device']>[1]>[0] } {
  return world.device(0, (invite) => invite.ring(183, description(sdp(deviceIps[0] ?? '', '0'))))
}

test('a caller moves its media by UPDATE before the answer, and the 200 does not move it back (RFC 3311)', async () => {
  const device = announces()
  let early: Dialog | undefined
  const call = world.call({ ...reliably, onProvisional: (_, dialog) => (early = dialog) })
  await turn(world.clock, 500)
  const asked = early?.request('UPDATE', description(sdp(elsewhere, '0')))
  await turn(world.clock, 500)
  assert.equal((await asked)?.status, 200)
  device.invite?.answer({})
  await turn(world.clock, 500)
  const outcome = await call.outcome
  assert.ok(outcome.answered)
  assert.equal(outcome.response.body.length, 0)
  assert.equal(world.media.ports[0]?.descriptions.at(-1)?.remote?.ip, elsewhere)
  void outcome.dialog.bye()
  await world.nothingIsLeft()
})

test('a device moves its media by UPDATE before it answers, and its 200 does not move it back', async () => {
  const device = announces()
  const call = world.call(reliably)
  await turn(world.clock, 500)
  const asked = device.invite?.dialog.request('UPDATE', description(sdp(elsewhere, '0')))
  await turn(world.clock, 500)
  assert.equal((await asked)?.status, 200)
  device.invite?.answer(description(sdp(deviceIps[0] ?? '', '0')))
  await turn(world.clock, 500)
  const outcome = await call.outcome
  assert.ok(outcome.answered)
  assert.equal(world.media.ports[1]?.descriptions.at(-1)?.remote?.ip, elsewhere)
  void outcome.dialog.bye()
  await world.nothingIsLeft()
})

test('digits by INFO go as INFO to who agreed to no telephone-events, as they came', async () => {
  const device = world.answers(0, 100, '0')
  const call = world.call()
  await turn(world.clock, 1_000)
  const outcome = await call.outcome
  assert.ok(outcome.answered && device.dialog)
  const heard: string[] = []
  device.dialog.on('request', (incoming) => {
    heard.push(`${incoming.request.method} ${Buffer.from(incoming.request.body).toString()}`)
    incoming.respond(200)
  })
  const info = { contentType: 'application/dtmf-relay', body: 'Signal=5\r\nDuration=160' }
  const asked = outcome.dialog.request('INFO', info)
  await turn(world.clock, 500)
  assert.equal((await asked).status, 200)
  assert.deepEqual(heard, ['INFO Signal=5\r\nDuration=160'])
  assert.deepEqual(
    world.told('leg.digit').map((fact) => fact.name === 'leg.digit' && fact.digit),
    ['5'],
  )
  void outcome.dialog.bye()
  await world.nothingIsLeft()
})

test('an INFO of a package gets 469, one that nobody understands 415, an empty one 200 (RFC 6086 §4.2.2)', async () => {
  world.answers(0)
  const call = world.call()
  await turn(world.clock, 1_000)
  const outcome = await call.outcome
  assert.ok(outcome.answered)
  const { dialog } = outcome
  const asked = [
    dialog.request('INFO', { headers: { 'Info-Package': 'foo' } }),
    dialog.request('INFO', { contentType: 'application/x-unheard-of', body: 'x' }),
    dialog.request('INFO'),
  ]
  await turn(world.clock, 500)
  const [packaged, unknown, empty] = await Promise.all(asked)
  assert.deepEqual([packaged?.status, unknown?.status, empty?.status], [469, 415, 200])
  assert.ok(packaged?.headers.has('Recv-Info'))
  void dialog.bye()
  await world.nothingIsLeft()
})
