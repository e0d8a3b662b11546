import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../test/support/until.ts'
import { sleep, systemClock } from '../core/clock.ts'
import { type PhoneOptions, SimulatedPhone } from './phone.ts'
import type { PhoneCall } from './phone-call.ts'
import { packetMs } from './talker.ts'

const speech = Int16Array.from({ length: 4_000 }, (_, i) => 8_000 * Math.sin(i / 7))

/** Two phones without a server between them: each other's only peer. */
async function pair(wish: Partial<PhoneOptions> = {}) {
  const common = { clock: systemClock, password: 'unused', speech }
  const bob = await SimulatedPhone.create({
    ...common,
    extension: '102',
    server: { ip: '127.0.0.1', port: 9 },
    ...wish,
  })
  const { transport = 'udp' } = wish
  const alice = await SimulatedPhone.create({ ...common, extension: '101', server: bob.address, transport })
  return { alice, bob, close: () => Promise.all([alice.close(), bob.close()]) }
}

async function talk({ alice, bob }: { alice: SimulatedPhone; bob: SimulatedPhone }) {
  const incoming = bob.nextCall()
  const outcome = await alice.call('102').outcome
  assert.ok(outcome.answered)
  return { atAlice: outcome.call, atBob: await incoming }
}

const heard = (samples: number, ...calls: readonly PhoneCall[]) =>
  until('what was said to be heard', 10_000, () => calls.every((call) => call.heard().length >= samples), packetMs)

for (const transport of ['udp', 'tcp'] as const)
  for (const law of ['PCMU', 'PCMA'] as const)
    test(`two phones hear each other over ${transport} with ${law}, sample for sample`, async () => {
      const phones = await pair({ transport, laws: [law] })
      const { atAlice, atBob } = await talk(phones)

      await heard(1_600, atAlice, atBob)
      await atBob.hangUp()
      assert.equal((await atAlice.ended).by, 'remote')
      await phones.close()

      assert.equal(atAlice.law, law)
      assert.ok(atBob.sent().length > 1_000)
      assert.deepEqual(atAlice.heard().subarray(0, 800), atBob.sent().subarray(0, 800))
      assert.deepEqual(atBob.heard().subarray(0, 800), atAlice.sent().subarray(0, 800))
    })

test('digits pressed at one phone are heard at the other', async () => {
  const phones = await pair()
  const { atAlice, atBob } = await talk(phones)

  await atAlice.press('7*')
  await until('the digits', 10_000, () => atBob.digitsHeard === '7*', packetMs)
  await phones.close()
})

test('on hold neither side sends, and both go on afterwards', async () => {
  const phones = await pair()
  const { atAlice, atBob } = await talk(phones)

  await heard(800, atAlice, atBob)
  await atAlice.hold()
  const sentBefore = [atAlice.packetsSent, atBob.packetsSent]
  await sleep(systemClock, 5 * packetMs)
  const onHold = [atAlice.packetsSent, atBob.packetsSent]
  await atAlice.resume()
  await heard(1_600, atAlice, atBob)
  await phones.close()

  assert.deepEqual(onHold, sentBefore)
})

test('a busy phone refuses with 486, one that declines with 603', async () => {
  const phones = await pair({ habit: 'busy' })
  assert.deepEqual(await phones.alice.call('102').outcome, { answered: false, status: 486, reason: 'Busy Here' })
  phones.bob.habit = 'decline'
  assert.deepEqual(await phones.alice.call('102').outcome, { answered: false, status: 603, reason: 'Decline' })
  await phones.close()
})

test('a call given up while it rings is missed at the other phone', async () => {
  const phones = await pair({ habit: 'ring' })
  const missed = new Promise((resolve) => phones.bob.on('missed', resolve))

  const placed = phones.alice.call('102')
  await placed.ringing
  placed.cancel()
  const outcome = await placed.outcome
  await missed
  await phones.close()

  assert.ok(!outcome.answered)
  assert.equal(outcome.status, 487)
})

test('a phone without our codec refuses with 488', async () => {
  const phones = await pair({ laws: [] })
  const outcome = await phones.alice.call('102').outcome
  await phones.close()

  assert.ok(!outcome.answered)
  assert.equal(outcome.status, 488)
})
