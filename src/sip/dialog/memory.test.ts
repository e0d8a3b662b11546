/** What stays in memory of a call that is over, while its transactions wait for copies of its messages. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { inviteTo, type Pair, pair, sdp } from './test-support.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Functions of their own: what a closure shares with others stays alive with them. */
function answerAll({ callee }: Pair, dialogs: WeakRef<object>[]): void {
  callee.on('invite', (incoming) => {
    incoming.ring(180)
    dialogs.push(new WeakRef(incoming.answer(sdp('v=0 answer\r\n'))))
  })
}

async function callAndHangUp({ caller, run }: Pair, dialogs: WeakRef<object>[]): Promise<void> {
  const outgoing = caller.invite(inviteTo('102'))
  await run(100)
  const outcome = await outgoing.outcome
  assert.ok(outcome.answered)
  dialogs.push(new WeakRef(outgoing), new WeakRef(outcome.dialog))
  const bye = outcome.dialog.bye()
  await run(100)
  await bye
}

test('a call that is over is forgotten, though its transactions linger', async () => {
  const net = await pair()
  const ofTheCall: WeakRef<object>[] = []
  answerAll(net, ofTheCall)
  await callAndHangUp(net, ofTheCall)
  await turnOfTheLoop()
  collectGarbage()
  assert.deepEqual(
    ofTheCall.map((one) => one.deref() !== undefined),
    [false, false, false],
  )
  assert.deepEqual([net.caller.counts().transactions, net.callee.counts().transactions], [2, 2])
  await net.caller.close()
  await net.callee.close()
})
