/** Early dialogs between two stacks: UPDATE before the answer, offers in a PRACK, several phones behind one INVITE. RFC 3311, RFC 3262 §5. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dialog, IncomingInvite, InviteOptions, OutgoingInvite } from '../stack.types.ts'
import { assertNothingLeft, calleeIp, inviteTo, type Pair, pair, sdp } from './test-support.ts'

interface Ringing extends Pair {
  readonly outgoing: OutgoingInvite
  readonly invite: IncomingInvite
  /** The caller's side of the early dialog. */
  readonly here: Dialog
}

/** A phone that rings, reliably unless said otherwise. */
async function ringing(
  ring: (invite: IncomingInvite) => void,
  more: Partial<InviteOptions> = { headers: { Require: '100rel' } },
  heard: NonNullable<InviteOptions['onProvisional']> = () => {},
): Promise<Ringing> {
  const net = await pair()
  let invite: IncomingInvite | undefined
  let here: Dialog | undefined
  net.callee.on('invite', (incoming) => {
    invite = incoming
    ring(incoming)
  })
  const onProvisional: InviteOptions['onProvisional'] = (response, dialog) => {
    here = dialog
    heard(response, dialog)
  }
  const outgoing = net.caller.invite(inviteTo('102', { onProvisional, ...more }))
  await net.run(50)
  assert.ok(invite && here)
  return { ...net, outgoing, invite, here }
}

const answering = (dialog: Dialog, text: string): string[] => {
  const heard: string[] = []
  dialog.on('request', (incoming) => {
    heard.push(`${incoming.request.method} ${Buffer.from(incoming.request.body).toString().trim()}`)
    incoming.respond(200, sdp(text))
  })
  return heard
}

const ringWithAnswer = (invite: IncomingInvite): void => invite.ring(183, sdp('v=0 early\r\n'))

async function answerAndHangUp(call: Ringing): Promise<void> {
  call.invite.answer({})
  await call.run(50)
  const outcome = await call.outgoing.outcome
  assert.ok(outcome.answered)
  assert.equal(outcome.dialog, call.here, 'the early dialog becomes the call')
  void outcome.dialog.bye()
  await assertNothingLeft(call)
}

test('a caller renegotiates by UPDATE before the answer, once its offer was answered reliably (RFC 3311 §5.1)', async () => {
  const call = await ringing(ringWithAnswer)
  const heard = answering(call.invite.dialog, 'v=0 second answer\r\n')
  const asked = call.here.request('UPDATE', sdp('v=0 second offer\r\n'))
  await call.run(50)
  const response = await asked
  assert.equal(response.status, 200)
  assert.equal(Buffer.from(response.body).toString(), 'v=0 second answer\r\n')
  assert.deepEqual(heard, ['UPDATE v=0 second offer'])
  assert.equal(call.here.state, 'early')
  await answerAndHangUp(call)
})

test('a callee renegotiates by UPDATE before it answers', async () => {
  const call = await ringing(ringWithAnswer)
  const heard = answering(call.here, 'v=0 answer of the caller\r\n')
  const asked = call.invite.dialog.request('UPDATE', sdp('v=0 offer of the callee\r\n'))
  await call.run(50)
  assert.equal((await asked).status, 200)
  assert.deepEqual(heard, ['UPDATE v=0 offer of the callee'])
  await answerAndHangUp(call)
})

test('an UPDATE with an offer waits until the first offer has been answered', async () => {
  const call = await ringing((invite) => invite.ring(180))
  const heard = answering(call.invite.dialog, 'v=0 second answer\r\n')
  const asked = call.here.request('UPDATE', sdp('v=0 second offer\r\n'))
  await call.run(1000)
  assert.deepEqual(heard, [])
  call.invite.answer(sdp('v=0 answer\r\n'))
  await call.run(50)
  assert.equal((await asked).status, 200)
  void call.here.bye()
  await assertNothingLeft(call)
})

test('an offer that comes before ours is answered gets 500 or 491, whoever made the first one (RFC 3311 §5.2)', async () => {
  const call = await ringing((invite) => invite.ring(180))
  const statuses: string[] = []
  const send = (from: Pair['caller'], towards: string, text: string) => {
    const { id } = call.here
    const theirs = from === call.caller
    const [near, far] = theirs ? [id.localTag, id.remoteTag] : [id.remoteTag, id.localTag]
    const options = { target: { uri: towards }, callId: id.callId, cseq: 50, ...sdp(text) }
    const [me, you] = [`<sip:a@x>;tag=${near}`, `<sip:b@x>;tag=${far}`]
    void from
      .request('UPDATE', { ...options, from: me.replace(/;tag.*/, ''), to: you, headers: { From: me } })
      .then(({ status, headers }) => statuses.push(`${status}${headers.has('Retry-After') ? ' later' : ''}`))
  }
  send(call.caller, `sip:102@${calleeIp}:5060`, 'v=0 too soon\r\n')
  await call.run(50)
  send(call.callee, 'sip:101@192.0.2.1:5060', 'v=0 too soon\r\n')
  await call.run(50)
  assert.deepEqual(statuses, ['500 later', '491'])
  await Promise.all([call.caller.close(), call.callee.close()])
  assert.equal(call.clock.pendingTimers, 0)
})

test('a further offer in a PRACK is answered in its 200, before the next answer goes out (RFC 3262 §5)', async () => {
  const order: string[] = []
  const call = await ringing(
    (invite) => {
      invite.dialog.on('request', (incoming) => {
        order.push(`PRACK ${Buffer.from(incoming.request.body).toString().trim()}`)
        incoming.respond(200, sdp('v=0 second answer\r\n'))
      })
      ringWithAnswer(invite)
      invite.ring(180)
    },
    {
      headers: { Require: '100rel' },
      prackBody: ({ status }) => (status === 183 ? sdp('v=0 second offer\r\n') : undefined),
    },
    ({ status }, dialog) => {
      order.push(String(status))
      if (status === 183) dialog?.on('refreshed', ({ body }) => order.push(Buffer.from(body).toString().trim()))
    },
  )
  assert.deepEqual(order.slice(0, 2), ['183', 'PRACK v=0 second offer'])
  assert.deepEqual(order.slice(2).sort(), ['180', 'v=0 second answer'])
  await answerAndHangUp(call)
})

test('a callee that makes the offer in its ringing gets the answer in the PRACK (RFC 3262 §5)', async () => {
  const heard: string[] = []
  const call = await ringing(
    (invite) => {
      heard.push(...answering(invite.dialog, ''))
      invite.dialog.on('request', ({ request }) => heard.push(Buffer.from(request.body).toString()))
      invite.ring(183, sdp('v=0 offer of the callee\r\n'))
    },
    { headers: { Require: '100rel' }, body: '', ackBody: () => sdp('v=0 answer of the caller\r\n') },
  )
  assert.deepEqual(heard, ['v=0 answer of the caller\r\n'])
  await answerAndHangUp(call)
})

test('INFO and OPTIONS pass in an early dialog, a re-INVITE does not (RFC 3261 §14.1)', async () => {
  const call = await ringing(ringWithAnswer)
  const heard = answering(call.invite.dialog, 'v=0\r\n')
  const info = call.here.request('INFO')
  const again = call.here.request('INVITE', sdp('v=0 again\r\n'))
  await call.run(100)
  assert.equal((await info).status, 200)
  assert.deepEqual(heard, ['INFO '])
  call.invite.answer({})
  await call.run(50)
  assert.equal((await again).status, 200)
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a callee that hangs up its early dialog refuses the call with 480', async () => {
  const call = await ringing(ringWithAnswer)
  const ends: string[] = []
  call.here.on('ended', ({ by }) => ends.push(by))
  await call.invite.dialog.bye()
  await call.run(50)
  const outcome = await call.outgoing.outcome
  assert.equal(outcome.answered ? 200 : outcome.response.status, 480)
  assert.equal(call.invite.cancelled.aborted, false)
  assert.deepEqual(ends, ['gone'])
  await assertNothingLeft(call)
})

test('an answer that waits for its PRACK is withdrawn when the caller cancels', async () => {
  const net = await pair({ network: { delayMs: [20, 20] } })
  const ends: string[] = []
  net.callee.on('invite', (invite) => {
    invite.ring(183, sdp('v=0 early\r\n'))
    invite.answer({}).on('ended', ({ by }) => ends.push(by))
  })
  const outgoing = net.caller.invite(inviteTo('102', { headers: { Require: '100rel' } }))
  await net.run(30)
  outgoing.cancel()
  await net.run(100)
  const cancelled = await outgoing.outcome
  assert.equal(cancelled.answered ? 200 : cancelled.response.status, 487)
  assert.deepEqual(ends, ['gone'])
  assert.equal(net.callee.counts().dialogs, 0)
  await assertNothingLeft(net)
})

test('a listener that throws leaves nobody without an answer: 500', async () => {
  const net = await pair()
  net.callee.on('invite', () => {
    throw new Error('a mistake of the application')
  })
  const { outcome } = net.caller.invite(inviteTo('102'))
  await net.run(50)
  const refused = await outcome
  assert.equal(refused.answered ? 200 : refused.response.status, 500)
  const call = await ringing(ringWithAnswer)
  call.invite.dialog.on('request', () => {
    throw new Error('another one')
  })
  const asked = call.here.request('INFO')
  await call.run(50)
  assert.equal((await asked).status, 500)
  await answerAndHangUp(call)
})

test('one INVITE makes at most 32 early dialogs, and none is left when it fails', async () => {
  const net = await pair()
  const socket = await net.network.udp({ ip: '192.0.2.9', port: 5060 }, (bytes, from) => {
    const text = bytes.toString()
    if (!text.startsWith('INVITE')) return
    const kept = text.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/.test(line))
    const answer = (status: string, tag: number) =>
      socket.send(
        Buffer.from(
          `SIP/2.0 ${status}\r\n${kept.join('\r\n')}\r\nTo: <sip:x@y>;tag=${tag}\r\nContent-Length: 0\r\n\r\n`,
        ),
        from,
      )
    for (let tag = 0; tag < 100; tag++) answer('180 Ringing', tag)
    net.clock.after(1000, () => answer('486 Busy Here', 100))
  })
  const { outcome } = net.caller.invite(inviteTo('102', { target: { uri: 'sip:102@192.0.2.9:5060' } }))
  await net.run(500)
  assert.equal(net.caller.counts().dialogs, 32)
  await net.run(1000)
  assert.equal((await outcome).answered, false)
  await assertNothingLeft(net)
})
