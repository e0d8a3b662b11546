/** Calls between two stacks over a network in memory: what each side sees, and that nothing is left over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dialog, DialogEnd, IncomingInvite, InviteOutcome, OutgoingInvite } from '../stack.types.ts'
import { SipDialog } from './dialog.ts'
import { calleeIp, callerIp, inviteTo, type Pair, pair, sdp, turn } from './test-support.ts'

interface Established extends Pair {
  readonly here: Dialog
  readonly there: Dialog
  readonly invite: IncomingInvite
  readonly outgoing: OutgoingInvite
}

/** A call that has been answered and acknowledged. */
async function established(options: Parameters<typeof pair>[0] = {}, target = {}): Promise<Established> {
  const net = await pair(options)
  let there: Dialog | undefined
  let invite: IncomingInvite | undefined
  net.callee.on('invite', (incoming) => {
    invite = incoming
    incoming.ring(180)
    there = incoming.answer(sdp('v=0 answer\r\n'))
  })
  const outgoing = net.caller.invite(inviteTo('102', target))
  await net.run(100)
  const outcome = await outgoing.outcome
  assert.ok(outcome.answered && there && invite)
  return { ...net, here: outcome.dialog, there, invite, outgoing }
}

const nothing = { dialogs: 0, transactions: 0, connections: 0 }

/** Wait until all timers of ended transactions have run out. */
async function assertNothingLeft({ clock, caller, callee, run }: Pair): Promise<void> {
  await run(70_000)
  assert.deepEqual(caller.counts(), nothing)
  assert.deepEqual(callee.counts(), nothing)
  assert.equal(clock.pendingTimers, 0)
}

test('a call is answered, acknowledged and ended by the caller', async () => {
  const call = await established()
  const ends: DialogEnd[] = []
  call.there.on('ended', (end) => ends.push(end))
  assert.equal((await call.there.acknowledged)?.method, 'ACK')
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

test('a re-INVITE changes the session and is acknowledged with a body when asked to', async () => {
  const call = await established()
  const acks: string[] = []
  call.there.on('ack', (ack) => acks.push(Buffer.from(ack.body).toString()))
  call.there.on('request', (incoming) => incoming.respond(200, sdp('v=0 theirs\r\n')))

  const asking = call.here.request('INVITE', { ackBody: () => sdp('v=0 ours\r\n') })
  await call.run(50)

  assert.equal((await asking).status, 200)
  assert.deepEqual(acks, ['v=0 ours\r\n'])
  void call.here.bye()
  await assertNothingLeft(call)
})

test('two re-INVITEs that meet are both refused with 491 and then succeed one after the other (RFC 3261 §14.1)', async () => {
  const call = await established()
  const served: string[] = []
  call.here.on('request', (incoming) => {
    served.push('caller')
    incoming.respond(200, sdp('v=0\r\n'))
  })
  call.there.on('request', (incoming) => {
    served.push('callee')
    incoming.respond(200, sdp('v=0\r\n'))
  })

  const both = Promise.all([call.here.request('INVITE', sdp('v=0\r\n')), call.there.request('INVITE', sdp('v=0\r\n'))])
  await call.run(9_000)

  assert.deepEqual(
    (await both).map((response) => response.status),
    [200, 200],
  )
  assert.deepEqual(served, ['caller', 'callee'])
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a second re-INVITE before the first is answered gets 500 with Retry-After (RFC 3261 §14.2)', async () => {
  const call = await established()
  const waiting: { respond(status: number): void }[] = []
  call.there.on('request', (incoming) => waiting.push(incoming))
  const first = call.here.request('INVITE', sdp('v=0\r\n'))
  await call.run(20)
  const { callId, localTag, remoteTag } = call.here.id
  const answers: string[] = []
  const socket = await call.network.udp({ ip: '192.0.2.1', port: 5999 }, (bytes) => answers.push(bytes.toString()))
  socket.send(
    Buffer.from(
      `INVITE sip:102@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5999;branch=z9hG4bKsecond\r\nFrom: <sip:101@192.0.2.1>;tag=${localTag}\r\n` +
        `To: <sip:102@192.0.2.2>;tag=${remoteTag}\r\nCall-ID: ${callId}\r\nCSeq: 50 INVITE\r\nContact: <sip:101@192.0.2.1>\r\nContent-Length: 0\r\n\r\n`,
    ),
    { ip: '192.0.2.2', port: 5060 },
  )
  await call.run(20)
  assert.match(answers[0] ?? '', /^SIP\/2\.0 500 [\s\S]*\r\nRetry-After: \d/)
  waiting[0]?.respond(488)
  await call.run(50)
  assert.equal((await first).status, 488)
  void call.there.bye() // the stranger's CSeq counts: the caller's own would be too low now
  await assertNothingLeft(call)
})

test('a forged BYE from another address is refused and counted, though it names the dialog', async () => {
  const call = await established()
  const { callId, localTag, remoteTag } = call.here.id
  const answers: string[] = []
  const forger = await call.network.udp({ ip: '203.0.113.66', port: 5060 }, (bytes) => answers.push(bytes.toString()))
  forger.send(
    Buffer.from(
      `BYE sip:102@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bKforged\r\nFrom: <sip:101@192.0.2.1>;tag=${localTag}\r\n` +
        `To: <sip:102@192.0.2.2>;tag=${remoteTag}\r\nCall-ID: ${callId}\r\nCSeq: 99 BYE\r\nContent-Length: 0\r\n\r\n`,
    ),
    { ip: '192.0.2.2', port: 5060 },
  )
  await call.run(20)

  assert.match(answers[0] ?? '', /^SIP\/2\.0 481 /)
  assert.equal(call.there.state, 'confirmed')
  assert.equal(call.callee.counters.foreignInDialog, 1)
  const bye = call.here.bye() // its CSeq is lower than the forged one: that must not have counted
  await call.run(50)
  await bye
  assert.equal(call.there.state, 'terminated')
  await assertNothingLeft(call)
})

test('a dialog that its peer has forgotten ends as gone', async () => {
  const call = await established()
  const ends: string[] = []
  call.here.on('ended', (end) => ends.push(end.by))
  assert.ok(call.there instanceof SipDialog)
  call.there.drop()
  const asking = call.here.request('INFO')
  await call.run(50)
  assert.equal((await asking).status, 481)
  assert.deepEqual(ends, ['gone'])
  await assertNothingLeft(call)
})

test('in-dialog requests that nobody listens to get 501, OPTIONS gets 200', async () => {
  const call = await established()
  const info = call.here.request('INFO')
  const options = call.here.request('OPTIONS')
  await call.run(50)
  assert.deepEqual([(await info).status, (await options).status], [501, 200])
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a required extension we do not know gets 420 and its name (RFC 3261 §8.2.2.3)', async () => {
  const net = await pair({ callee: { supported: ['siprec'] } })
  net.callee.on('invite', (invite) => invite.reject(603))
  const unknown = net.caller.invite(inviteTo('102', { headers: { Require: '100rel, siprec' } }))
  const known = net.caller.invite(inviteTo('102', { headers: { Require: 'siprec' } }))
  await net.run(50)
  const refused = (await unknown.outcome) as Extract<InviteOutcome, { answered: false }>
  assert.equal(refused.response.status, 420)
  assert.equal(refused.response.headers.get('Unsupported'), '100rel')
  assert.equal(((await known.outcome) as Extract<InviteOutcome, { answered: false }>).response.status, 603)
  await assertNothingLeft(net)
})

test('a peer that offers to refresh the session is taken at its word (RFC 4028 §9)', async () => {
  const headers = { Supported: 'timer', 'Session-Expires': '1800' }
  const call = await established({}, { headers })
  const outcome = await call.outgoing.outcome
  assert.ok(outcome.answered)
  assert.equal(outcome.response.headers.get('Session-Expires'), '1800;refresher=uac')
  assert.equal(outcome.response.headers.get('Require'), 'timer')
  void call.here.bye()
  await assertNothingLeft(call)
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

test('a request with a lower CSeq is refused with 500 (RFC 3261 §12.2.2)', async () => {
  const call = await established()
  const { callId, localTag, remoteTag } = call.here.id
  const answers: string[] = []
  const socket = await call.network.udp({ ip: callerIp, port: 5999 }, (bytes) => answers.push(bytes.toString()))
  socket.send(
    Buffer.from(
      `BYE sip:102@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP ${callerIp}:5999;branch=z9hG4bKlow\r\nFrom: <sip:101@x>;tag=${localTag}\r\n` +
        `To: <sip:102@x>;tag=${remoteTag}\r\nCall-ID: ${callId}\r\nCSeq: 0 BYE\r\nContent-Length: 0\r\n\r\n`,
    ),
    { ip: calleeIp, port: 5060 },
  )
  await call.run(20)
  assert.match(answers[0] ?? '', /^SIP\/2\.0 500 /)
  assert.equal(call.there.state, 'confirmed')
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a Contact in a re-INVITE moves the target of later requests (RFC 3261 §12.2)', async () => {
  const call = await established()
  const there = '192.0.2.44'
  const moved: string[] = []
  await call.network.udp({ ip: there, port: 5060 }, (bytes) => moved.push(bytes.toString().slice(0, 3)))
  call.there.on('request', (incoming) => incoming.respond(200, sdp('v=0\r\n')))
  const asking = call.here.request('INVITE', { ...sdp('v=0\r\n'), headers: { Contact: `<sip:101@${there}>` } })
  await call.run(50)
  await asking
  assert.equal(call.there.remoteTarget.host, there)
  void call.there.bye()
  await call.run(50)
  assert.deepEqual(moved, ['BYE'])
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a callee that hangs up at once says BYE only after the ACK (RFC 3261 §15)', async () => {
  const net = await pair({ network: { delayMs: [20, 20] } })
  const order: string[] = []
  const caller = await net.stack('192.0.2.3', {
    observe: (_direction, _flow, text) => order.push(text.startsWith('SIP') ? text.slice(8, 11) : text.slice(0, 3)),
  })
  net.callee.on('invite', (invite) => void invite.answer(sdp('v=0\r\n')).bye())
  const outgoing = caller.invite(inviteTo('102'))
  await net.run(200)
  assert.equal((await outgoing.outcome).answered, true)
  assert.deepEqual(order, ['INV', '200', 'ACK', 'BYE', '200'])
  await caller.close()
  await assertNothingLeft(net)
})

test('a callee asks nothing inside the dialog before the ACK: the caller might not know it yet', async () => {
  const net = await pair({ network: { delayMs: [20, 20] } })
  const order: string[] = []
  const caller = await net.stack('192.0.2.3', {
    observe: (_direction, _flow, text) => order.push(text.startsWith('SIP') ? text.slice(8, 11) : text.slice(0, 3)),
  })
  net.callee.on('invite', (invite) => void invite.answer(sdp('v=0\r\n')).request('INFO'))
  const outgoing = caller.invite(inviteTo('102'))
  await net.run(200)
  assert.deepEqual(order, ['INV', '200', 'ACK', 'INF', '501'])
  const outcome = await outgoing.outcome
  assert.ok(outcome.answered)
  void outcome.dialog.bye()
  await net.run(100)
  await caller.close()
  await assertNothingLeft(net)
})

test('a BYE ends a re-INVITE that is not answered with 487 (RFC 3261 §15.1.2)', async () => {
  const call = await established()
  call.there.on('request', () => {})
  const asking = call.here.request('INVITE', sdp('v=0\r\n'))
  await call.run(20)
  void call.here.bye()
  await call.run(50)
  assert.equal((await asking).status, 487)
  await assertNothingLeft(call)
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

test('a peer that comes back on a new connection is answered there from then on', async () => {
  const call = await established({}, { target: { uri: 'sip:102@192.0.2.2:5060;transport=tcp' } })
  const heard: string[] = []
  const connection = call.network.connect({ ip: calleeIp, port: 5060 })
  connection.start({ data: (chunk) => heard.push(chunk.toString().slice(0, 11)), closed: () => {} })
  const { callId, localTag, remoteTag } = call.here.id
  connection.write(
    Buffer.from(
      `INFO sip:102@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP ${calleeIp};branch=z9hG4bKnew\r\nFrom: <sip:101@x>;tag=${localTag}\r\n` +
        `To: <sip:102@x>;tag=${remoteTag}\r\nCall-ID: ${callId}\r\nCSeq: 9 INFO\r\nContent-Length: 0\r\n\r\n`,
    ),
  )
  await call.run(50)
  void call.there.bye()
  await call.run(33_000)
  assert.deepEqual(heard, ['SIP/2.0 501', 'BYE sip:101'])
  await call.caller.close()
  await call.callee.close()
  await assertNothingLeft(call)
})
