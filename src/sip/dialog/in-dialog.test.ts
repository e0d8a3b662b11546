/** Requests inside a dialog: whose turn, which order, from where. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toTag } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import type { InviteOutcome, Verdict } from '../stack.types.ts'
import { SipDialog } from './dialog.ts'
import { assertNothingLeft, calleeIp, callerIp, established, inviteTo, noteInto, pair, sdp } from './test-support.ts'

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

test('the stack says in a dialog where we are reached and what may be asked (RFC 3261 §14.2, §8.2.1)', async () => {
  const call = await established({ callee: { allow: ['INVITE', 'BYE'] } })
  call.there.on('request', (incoming) =>
    incoming.request.method === 'INVITE' ? incoming.respond(200, sdp('v=0\r\n')) : incoming.respond(405),
  )

  const asking = Promise.all([call.here.request('INVITE', sdp('v=0\r\n')), call.here.request('REFER')])
  await call.run(50)
  const [changed, refused] = await asking

  assert.equal(changed.headers.get('Contact'), `<sip:102@${calleeIp}:5060>`)
  assert.deepEqual(changed.headers.all('Allow'), ['INVITE', 'BYE'])
  assert.deepEqual([refused.status, refused.headers.all('Allow')], [405, ['INVITE', 'BYE']])
  void call.here.bye()
  await assertNothingLeft(call)
})

for (const [how, allow, sent] of [
  ['an UPDATE', ['INVITE', 'BYE', 'UPDATE'], ['UPDATE  <sip:103@pbx>']],
  ['a re-INVITE that repeats the description', ['INVITE', 'BYE'], ['INVITE v=0 offer\r\n <sip:103@pbx>']],
] as const)
  test(`a peer that allows ${allow.join(', ')} is told something by ${how} (RFC 5876)`, async () => {
    const call = await established({ callee: { allow } })
    const heard: string[] = []
    const answers: string[] = []
    call.there.on('request', (incoming) => {
      const { method, headers, body } = incoming.request
      heard.push(`${method} ${Buffer.from(body).toString()} ${headers.get('P-Asserted-Identity')}`)
      incoming.respond(200, body.length > 0 ? sdp('v=0 again\r\n') : {})
    })
    call.here.on('refreshed', ({ body }) => answers.push(Buffer.from(body).toString()))
    const telling = call.here.tell({ 'P-Asserted-Identity': '<sip:103@pbx>' })
    await call.run(50)
    await telling
    assert.deepEqual(heard, sent)
    assert.equal(answers.length, how === 'an UPDATE' ? 0 : 1)
    void call.here.bye()
    await assertNothingLeft(call)
  })

test('a peer that says it takes UPDATE and does not is told by a re-INVITE', async () => {
  const call = await established()
  const heard: string[] = []
  call.there.on('request', (incoming) => {
    heard.push(`${incoming.request.method} ${incoming.request.headers.get('P-Asserted-Identity')}`)
    if (incoming.request.method === 'UPDATE') incoming.respond(501)
    else incoming.respond(200, sdp('v=0\r\n'))
  })
  const telling = call.here.tell({ 'P-Asserted-Identity': '<sip:103@pbx>' })
  await call.run(50)
  await telling
  assert.deepEqual(heard, ['UPDATE <sip:103@pbx>', 'INVITE <sip:103@pbx>'])
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

/** Lets in what is signed, and what starts a dialog. */
const whoSigns = (request: SipRequest): Verdict =>
  toTag(request) === undefined || request.headers.has('Authorization') ? 'pass' : { status: 401 }

test('a phone that went to another network is challenged there, and keeps its call', async () => {
  const call = await established({ callee: { guard: whoSigns } })
  const { callId, localTag, remoteTag } = call.here.id
  const answers: string[] = []
  const elsewhere = '198.51.100.77'
  const phone = await call.network.udp({ ip: elsewhere, port: 5060 }, (bytes) => answers.push(bytes.toString()))
  const ask = async (method: string, cseq: number, more = ''): Promise<string | undefined> => {
    phone.send(
      Buffer.from(
        `${method} sip:102@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP ${elsewhere}:5060;branch=z9hG4bK${cseq}\r\nFrom: <sip:101@x>;tag=${localTag}\r\n` +
          `To: <sip:102@192.0.2.2>;tag=${remoteTag}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\n` +
          `Contact: <sip:101@${elsewhere}>\r\n${more}Content-Length: 0\r\n\r\n`,
      ),
      { ip: '192.0.2.2', port: 5060 },
    )
    await call.run(20)
    return answers.at(-1)?.slice(8, 11)
  }
  call.there.on('request', (request) => request.respond(200))

  assert.equal(await ask('UPDATE', 50), '401')
  assert.equal(call.callee.counters.foreignInDialog, 1)
  assert.equal(await ask('UPDATE', 51, 'Authorization: Digest x\r\n'), '200')
  assert.equal(call.there.flow.remote.ip, elsewhere)
  assert.equal(await ask('BYE', 52), '200')
  assert.equal(call.there.state, 'terminated')
  void call.here.bye()
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
  const unknown = net.caller.invite(inviteTo('102', { headers: { Require: 'privacy, siprec' } }))
  const known = net.caller.invite(inviteTo('102', { headers: { Require: 'siprec' } }))
  await net.run(50)
  const refused = (await unknown.outcome) as Extract<InviteOutcome, { answered: false }>
  assert.equal(refused.response.status, 420)
  assert.equal(refused.response.headers.get('Unsupported'), 'privacy')
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

test('a callee asks nothing inside the dialog before the ACK: the caller might not know it yet', async () => {
  const order: string[] = []
  const net = await pair({ network: { delayMs: [20, 20] }, callee: { observe: noteInto(order) } })
  net.callee.on('invite', (invite) => void invite.answer(sdp('v=0\r\n')).request('INFO'))
  const outgoing = net.caller.invite(inviteTo('102'))
  await net.run(200)
  assert.deepEqual(order, ['INV', '200', 'ACK', 'INF', '501'])
  const outcome = await outgoing.outcome
  assert.ok(outcome.answered)
  void outcome.dialog.bye()
  await assertNothingLeft(net)
})

test('a re-INVITE waits until theirs is answered and acknowledged (RFC 3261 §14.1)', async () => {
  const order: string[] = []
  const call = await established({ callee: { observe: noteInto(order) } })
  order.length = 0
  const theirs: { respond(status: number): void }[] = []
  call.there.on('request', (incoming) => theirs.push(incoming))
  call.here.on('request', (incoming) => incoming.respond(200))
  const first = call.here.request('INVITE')
  await call.run(20)
  const second = call.there.request('INVITE')
  await call.run(100)
  theirs[0]?.respond(200)
  await call.run(50)
  assert.deepEqual([(await first).status, (await second).status], [200, 200])
  assert.deepEqual(order, ['INV', '200', 'ACK', 'INV', '200', 'ACK'])
  void call.here.bye()
  await assertNothingLeft(call)
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
