/** Requests that overlap and answers that are lost inside a dialog: each was found by test/simulation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNothingLeft, established, nothing, sdp } from './test-support.ts'

test('a re-INVITE that rang is forgotten when the dialog ends: its answer was lost, and nobody repeats it (seed 967)', async () => {
  const call = await established()
  call.there.on('request', (incoming) => call.clock.after(400, () => incoming.respond(200, sdp('v=0 answer\r\n'))))
  const asked = call.here.request('INVITE', sdp('v=0 offer\r\n'))
  await call.run(300) // 100 has come
  call.network.plugged = false
  await call.run(200) // the 200 is lost
  call.network.plugged = true
  void call.here.bye()
  await call.run(40_000)
  assert.equal((await asked).status, 487)
  assert.deepEqual(call.caller.counts(), nothing)
  await assertNothingLeft(call)
})

test('a re-INVITE that rings for three minutes without a word ends the dialog, by BYE', async () => {
  const call = await established()
  const ends: string[] = []
  call.there.on('request', () => {})
  call.there.on('ended', ({ by }) => ends.push(by))
  const asked = call.here.request('INVITE', sdp('v=0 offer\r\n'))
  await call.run(182_000)
  assert.equal((await asked).status, 408)
  assert.deepEqual(ends, ['remote'])
  await assertNothingLeft(call)
})

test('an offer that comes while ours in a 200 waits for its ACK gets 491, and succeeds later (seed 3551)', async () => {
  const call = await established()
  const answers = { count: 0 }
  call.there.on('request', (incoming) => incoming.respond(200, sdp(`v=0 of the callee ${++answers.count}\r\n`)))
  const exchanges: string[] = []
  call.there.on('ack', ({ body }) => exchanges.push(Buffer.from(body).toString().trim()))
  // No body: the offer is left to the callee. The ACK with its answer is lost, and sent again for the next 200.
  const first = call.here.request('INVITE', {
    ackBody: () => {
      call.network.plugged = false
      return sdp('v=0 answer of the caller\r\n')
    },
  })
  await call.run(20)
  call.network.plugged = true
  const second = call.here.request('INVITE', sdp('v=0 offer of the caller\r\n'))
  await call.run(10)
  assert.equal(answers.count, 1, 'the second one was not taken')
  await call.run(10_000)
  assert.deepEqual([(await first).status, (await second).status], [200, 200])
  assert.deepEqual(exchanges, ['v=0 answer of the caller', ''])
  assert.equal(answers.count, 2)
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a dialog that ends because its peer was silent says BYE: the peer may live, and not have heard us', async () => {
  const call = await established()
  const ends: string[] = []
  call.there.on('ended', ({ by }) => ends.push(by))
  call.network.plugged = false
  const asked = call.here.request('INFO')
  await call.run(31_900)
  call.network.plugged = true
  await call.run(200)
  assert.equal((await asked).status, 408)
  await call.run(1_000)
  assert.equal(call.here.state, 'terminated')
  assert.deepEqual(ends, ['remote'])
  await assertNothingLeft(call)
})
