/** Calls between two stacks over a network in memory: how they begin and end, and that nothing is left over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SipRequest } from '../message/types.ts'
import type { DialogEnd, IncomingInvite } from '../stack.types.ts'
import { assertNothingLeft, established, inviteTo, noteInto, pair, sdp, turn } from './test-support.ts'

test('a call is answered and acknowledged', async () => {
  const net = await pair()
  let acknowledged: Promise<SipRequest | undefined> | undefined
  net.callee.on('invite', (incoming) => {
    acknowledged = incoming.answer(sdp('v=0 answer\r\n')).acknowledged
  })
  net.caller.invite(inviteTo('102'))
  await net.run(100)
  assert.equal((await acknowledged)?.method, 'ACK')
  await net.caller.close()
  await net.callee.close()
})

test('a call is ended by the caller; who asks late for the ACK hears that it came', async () => {
  const call = await established()
  const ends: DialogEnd[] = []
  call.there.on('ended', (end) => ends.push(end))
  assert.equal(await call.there.acknowledged, undefined)
  assert.equal(call.here.id.localTag, call.there.id.remoteTag)

  const bye = call.here.bye()
  await call.run(50)
  await bye

  assert.deepEqual(
    ends.map((end) => end.by),
    ['remote'],
  )
  assert.equal(call.here.state, 'terminated')
  await assertNothingLeft(call)
})

test('the callee ends the call, and both hear of it once', async () => {
  const call = await established()
  const ends: string[] = []
  call.here.on('ended', (end) => ends.push(`caller: ${end.by}`))
  call.there.on('ended', (end) => ends.push(`callee: ${end.by}`))

  void call.there.bye()
  void call.there.bye()
  await call.run(50)

  assert.deepEqual(ends, ['callee: local', 'caller: remote'])
  await assertNothingLeft(call)
})

test('both sides hang up at once: each hears its own end, nothing is left', async () => {
  const call = await established()
  const ends: string[] = []
  call.here.on('ended', (end) => ends.push(end.by))
  call.there.on('ended', (end) => ends.push(end.by))

  const both = Promise.all([call.here.bye(), call.there.bye()])
  await call.run(50)
  await both

  assert.deepEqual(ends, ['local', 'local'])
  await assertNothingLeft(call)
})

test('a refused call gives its status', async () => {
  const net = await pair()
  net.callee.on('invite', (invite) => invite.reject(486))
  const outgoing = net.caller.invite(inviteTo('102'))
  await net.run(50)
  const outcome = await outgoing.outcome
  assert.ok(!outcome.answered)
  assert.equal(outcome.response.status, 486)
  await assertNothingLeft(net)
})

test('cancelling a ringing call gives 487 to the caller and aborts the callee (RFC 3261 §9)', async () => {
  const net = await pair()
  const signals: AbortSignal[] = []
  net.callee.on('invite', (invite) => {
    invite.ring(180)
    signals.push(invite.cancelled)
  })
  const outgoing = net.caller.invite(inviteTo('102'))
  await net.run(50)
  outgoing.cancel()
  await net.run(50)

  const outcome = await outgoing.outcome
  assert.equal(outcome.answered ? 200 : outcome.response.status, 487)
  assert.deepEqual(
    signals.map((signal) => signal.aborted),
    [true],
  )
  await assertNothingLeft(net)
})

test('a CANCEL waits for a provisional answer (RFC 3261 §9.1)', async () => {
  const sent: string[] = []
  const net = await pair()
  const stack = await net.stack('192.0.2.3', {
    observe: (direction, _flow, text) => direction === 'out' && sent.push(text.slice(0, 6)),
  })
  net.callee.on('invite', () => {})
  const outgoing = stack.invite(inviteTo('102'))
  outgoing.cancel()
  await net.run(150)
  assert.deepEqual(sent, ['INVITE']) // the 100 comes after 200 ms
  await net.run(100)
  assert.deepEqual(sent.slice(0, 2), ['INVITE', 'CANCEL'])
  assert.equal((await outgoing.outcome).answered, false)
  await stack.close()
  await assertNothingLeft(net)
})

test('a 200 that crosses the CANCEL is acknowledged and ended by BYE (RFC 3261 §15)', async () => {
  const net = await pair({ network: { delayMs: [20, 20] } })
  const ends: string[] = []
  net.callee.on('invite', (invite) => {
    invite.ring(180)
    net.clock.after(45, () => invite.answer(sdp('v=0\r\n')).on('ended', (end) => ends.push(end.by)))
  })
  const outgoing = net.caller.invite(inviteTo('102'))
  await net.run(60)
  outgoing.cancel()
  await net.run(300)
  assert.equal((await outgoing.outcome).answered, false)
  assert.deepEqual(ends, ['remote'])
  await assertNothingLeft(net)
})

test('an answer without an ACK is resent for 32 s, then ended by BYE (RFC 3261 §13.3.1.4)', async () => {
  const net = await pair()
  let ended: DialogEnd | undefined
  let answers = 0
  const deaf = await net.network.udp({ ip: '192.0.2.9', port: 5060 }, (bytes) => {
    if (bytes.toString().startsWith('SIP/2.0 200')) answers++
  })
  let acknowledged: Promise<unknown> | undefined
  net.callee.on('invite', (invite) => {
    const dialog = invite.answer(sdp('v=0\r\n'))
    acknowledged = dialog.acknowledged
    dialog.on('ended', (end) => {
      ended = end
    })
  })
  deaf.send(
    Buffer.from(
      'INVITE sip:102@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1\r\n' +
        'From: <sip:9@192.0.2.9>;tag=a\r\nTo: <sip:102@192.0.2.2>\r\nCall-ID: deaf\r\nCSeq: 1 INVITE\r\n' +
        'Contact: <sip:9@192.0.2.9>\r\nContent-Length: 0\r\n\r\n',
    ),
    { ip: '192.0.2.2', port: 5060 },
  )
  await net.run(32_100)
  assert.equal(answers, 11) // at 0, 0.5, 1.5, 3.5, 7.5, 11.5 … 31.5 s
  assert.equal(ended?.by, 'no-ack')
  await assert.rejects(acknowledged ?? Promise.resolve())
  await assertNothingLeft(net)
})

test('nobody answers the INVITE: 408 after 32 s (RFC 3261 §17.1.1.2)', async () => {
  const net = await pair()
  net.network.plugged = false
  const outgoing = net.caller.invite(inviteTo('102'))
  await net.run(32_100)
  const outcome = await outgoing.outcome
  assert.equal(outcome.answered ? 200 : outcome.response.status, 408)
  await assertNothingLeft(net)
})

test('a call over TCP uses one connection, and its loss before the answer aborts the callee', async () => {
  const net = await pair()
  const invites: IncomingInvite[] = []
  net.callee.on('invite', (invite) => {
    invite.ring(180)
    invites.push(invite)
  })
  const target = { uri: 'sip:102@192.0.2.2:5060;transport=tcp' }
  const first = net.caller.invite(inviteTo('102', { target }))
  await net.run(50)
  const dialog = invites[0]?.answer(sdp('v=0\r\n'))
  await net.run(50)
  assert.equal((await first.outcome).answered, true)
  assert.equal(dialog?.flow.transport, 'tcp')
  assert.equal(net.callee.counts().connections, 1)
  void dialog?.bye()
  await net.run(50)

  const second = net.caller.invite(inviteTo('102', { target }))
  await net.run(50)
  assert.equal(net.callee.counts().connections, 1)
  await net.caller.close()
  await net.run(50)
  assert.equal(invites[1]?.cancelled.aborted, true)
  assert.equal((await second.outcome).answered, false)
  await assertNothingLeft(net)
})

test('answering a call that was cancelled meanwhile gives a dialog that ends at once', async () => {
  const net = await pair()
  let invite: IncomingInvite | undefined
  net.callee.on('invite', (incoming) => {
    invite = incoming
    incoming.ring(180)
  })
  const outgoing = net.caller.invite(inviteTo('102'))
  await net.run(50)
  outgoing.cancel()
  await net.run(50)
  const ends: string[] = []
  invite?.answer(sdp('v=0\r\n')).on('ended', (end) => ends.push(end.by))
  await net.run(5)
  assert.deepEqual(ends, ['gone'])
  await assertNothingLeft(net)
})

test('a callee that hangs up at once says BYE only after the ACK (RFC 3261 §15)', async () => {
  const order: string[] = []
  const net = await pair({ network: { delayMs: [20, 20] }, callee: { observe: noteInto(order) } })
  net.callee.on('invite', (invite) => void invite.answer(sdp('v=0\r\n')).bye())
  const outgoing = net.caller.invite(inviteTo('102'))
  await net.run(200)
  assert.equal((await outgoing.outcome).answered, true)
  assert.deepEqual(order, ['INV', '200', 'ACK', 'BYE', '200'])
  await assertNothingLeft(net)
})

test('ringing without a word for three minutes is given up (RFC 3261 §16.6, timer C)', async () => {
  const net = await pair()
  net.callee.on('invite', (invite) => invite.ring(180))
  const outgoing = net.caller.invite(inviteTo('102'))
  await net.run(100)
  net.network.plugged = false
  await turn(net.clock, 181_000 + 32_000, 100)
  const outcome = await outgoing.outcome
  assert.equal(outcome.answered ? 200 : outcome.response.status, 487)
  await net.callee.close()
  await assertNothingLeft(net)
})
