/** Reason headers carried from one leg of a call to the other. RFC 3326, RFC 6432. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { turn } from '../sip/dialog/test-support.ts'
import type { SipMessage } from '../sip/message/types.ts'
import { CallWorld } from './test-support.ts'

const busyInTheNetwork = 'Q.850;cause=17;text="User busy"'
const elsewhere = 'SIP;cause=200;text="Call completed elsewhere"'
const reasons = (message: SipMessage | undefined): readonly string[] => message?.headers.all('Reason') ?? []

let world: CallWorld

beforeEach(async () => {
  world = await CallWorld.open()
})

test('a BYE with a cause of the telephone network becomes a BYE with that cause', async () => {
  const device = world.answers(0)
  const call = world.call()
  await turn(world.clock, 1_000)
  const outcome = await call.outcome
  assert.ok(outcome.answered && device.dialog)
  let heard: readonly string[] = []
  outcome.dialog.on('ended', (end) => (heard = end.by === 'remote' ? reasons(end.request) : []))
  const said = ['Q.850;cause=16;text="Normal call clearing"', 'X-Vendor;cause=1']
  void device.dialog.bye({ headers: { Reason: said } })
  await turn(world.clock, 500)
  assert.deepEqual(heard, said.slice(0, 1), 'what belongs to one network stays there')
  await world.nothingIsLeft()
})

test('a refusal says what the network said, and counts as that: 503 for a busy line becomes 486 with its cause', async () => {
  world.dialOptions = {}
  for (const index of [0, 1])
    world.device(index, (invite) => invite.reject(503, { headers: { Reason: busyInTheNetwork } }))
  const call = world.call()
  await turn(world.clock, 1_000)
  const { response } = await call.outcome
  assert.equal(response.status, 486)
  assert.deepEqual(reasons(response), [busyInTheNetwork])
  assert.equal(world.endedAs(), 'busy')
  await world.nothingIsLeft()
})

test('a caller that cancels because another phone answered lets ours know: they show no missed call', async () => {
  const device = world.rings(0)
  const call = world.call()
  await turn(world.clock, 500)
  call.cancel(elsewhere)
  await turn(world.clock, 500)
  assert.equal(device.invite?.cancelledBy?.method, 'CANCEL')
  assert.deepEqual(reasons(device.invite?.cancelledBy), [elsewhere])
  await world.nothingIsLeft()
})
