import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CountedSipStack } from '../stack.ts'
import type { Dialog, DialogSnapshot } from '../stack.types.ts'
import { calleeIp, callerIp, type Established, established, inviteTo, pair } from './test-support.ts'

/** What a process writes, and the next one reads. */
const overDisk = (snapshot: DialogSnapshot | undefined): DialogSnapshot =>
  JSON.parse(JSON.stringify(snapshot)) as DialogSnapshot

interface Restarted {
  readonly line: Established
  /** Of the called side, after its restart. */
  readonly stack: CountedSipStack
  readonly takenUp: Dialog
  readonly snapshot: DialogSnapshot
}

/** A call whose called side dies and starts again. */
async function restarted(transport: 'udp' | 'tcp' = 'udp'): Promise<Restarted> {
  const line = await established({}, { target: { uri: `sip:102@${calleeIp}:5060;transport=${transport}` } })
  const snapshot = overDisk(line.callee.snapshot(line.there))
  // Killed: its dialogs say nothing.
  await line.callee.close()
  await line.run(100)
  const stack = await line.stack(calleeIp)
  const takenUp = stack.takeUp(snapshot)
  assert.ok(takenUp)
  return { line, stack, takenUp, snapshot }
}

for (const transport of ['udp', 'tcp'] as const)
  test(`over ${transport}: what the peer asks next finds its dialog in the process after the one that answered`, async () => {
    const { line, takenUp } = await restarted(transport)
    const caller = line.here
    takenUp.on('request', (incoming) => incoming.respond(200, { headers: { 'X-Process': 'second' } }))
    const asked = caller.request('INFO')
    await line.run(100)
    const answer = await asked
    assert.deepEqual([answer.status, answer.headers.get('X-Process')], [200, 'second'])
    const gone: string[] = []
    takenUp.on('ended', ({ by }) => gone.push(by))
    const bye = caller.bye()
    await line.run(100)
    await bye
    assert.deepEqual(gone, ['remote'])
  })

test('requests of ours go on with a higher number than any that was sent before (RFC 3261 §12.2.1.1)', async () => {
  const { line, takenUp, snapshot } = await restarted()
  const caller = line.here
  const numbers: number[] = []
  caller.on('request', (incoming) => {
    numbers.push(Number.parseInt(incoming.request.headers.get('CSeq') ?? ''))
    incoming.respond(200)
  })
  const asked = takenUp.request('OPTIONS')
  await line.run(100)
  assert.equal((await asked).status, 200)
  assert.ok((numbers[0] ?? 0) > snapshot.localSeq + 100)
})

test('a peer that knows nothing of the dialog any more ends it by its 481', async () => {
  const { line, takenUp } = await restarted()
  const ends: string[] = []
  takenUp.on('ended', ({ by }) => ends.push(by))
  await line.caller.close()
  await line.stack(callerIp)
  const asked = takenUp.request('OPTIONS')
  await line.run(100)
  assert.equal((await asked).status, 481)
  assert.deepEqual(ends, ['gone'])
})

test('the session timer goes on: a session that nobody refreshes is over', async () => {
  const { line, takenUp, snapshot } = await restarted()
  const ends: string[] = []
  takenUp.on('ended', ({ by }) => ends.push(by))
  await line.caller.close()
  await line.run((snapshot.session.expiresS ?? 0) * 1000 + 60_000)
  assert.equal(ends.length, 1)
})

test('a dialog that is here already is not taken up twice, nor one without an address of its peer', async () => {
  const { stack, snapshot } = await restarted()
  assert.equal(stack.takeUp(snapshot), undefined)
  assert.equal(stack.takeUp({ ...snapshot, id: { ...snapshot.id, localTag: 'x' }, remoteTarget: '' }), undefined)
})

test('a dialog that is early, or over, is nothing to be kept', async () => {
  const line = await pair()
  const kept: (DialogSnapshot | undefined)[] = []
  line.callee.on('invite', (invite) => {
    kept.push(line.callee.snapshot(invite.dialog))
    invite.reject(486)
    kept.push(line.callee.snapshot(invite.dialog))
  })
  const { outcome } = line.caller.invite(inviteTo('102'))
  await line.run(100)
  await outcome
  assert.deepEqual(kept, [undefined, undefined])
})
