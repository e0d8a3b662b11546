/** Peers that are no stack of ours: forks, merged copies, forgers, odd addresses. Their messages are written by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UdpSocket } from '../../net/network.ts'
import { createResponse } from '../message/build.ts'
import { toTag } from '../message/fields.ts'
import { parseMessage } from '../message/parse.ts'
import { printMessage } from '../message/print.ts'
import type { SipMessage, SipRequest } from '../message/types.ts'
import type { IncomingInvite } from '../stack.types.ts'
import { assertNothingLeft, calleeIp, inviteTo, type Pair, pair, sdp } from './test-support.ts'

/** A peer at an address of its own that notes what it hears. */
async function peer(net: Pair, ip: string, port = 5060) {
  const heard: SipMessage[] = []
  let react: ((message: SipMessage) => void) | undefined
  const socket: UdpSocket = await net.network.udp({ ip, port }, (bytes) => {
    const result = parseMessage(bytes)
    assert.ok(result.ok)
    heard.push(result.message)
    react?.(result.message)
  })
  return {
    heard,
    lines: () => heard.map((it) => (it.kind === 'request' ? it.method : `${it.status}`)),
    on: (reaction: (message: SipMessage) => void) => {
      react = reaction
    },
    answer: (request: SipRequest, status: number, tag: string) => {
      const headers = { Contact: `<sip:${tag}@${ip}:${port}>` }
      socket.send(printMessage(createResponse(request, status, { toTag: tag, headers })), {
        ip: '192.0.2.1',
        port: 5060,
      })
    },
    refuse: (request: SipRequest, status: number, headers: Readonly<Record<string, string>>) => {
      const response = createResponse(request, status, { toTag: 'refused', headers })
      socket.send(printMessage(response), { ip: '192.0.2.1', port: 5060 })
    },
    send: (method: string, more: { branch?: string; via?: string; callId?: string; cseq?: number } = {}) => {
      const { branch = 'z9hG4bKpeer', via = `${ip}:${port}`, callId = 'peer', cseq = 1 } = more
      const of = method === 'CANCEL' || method === 'ACK' ? 'INVITE' : method
      const text =
        `${method} sip:102@${calleeIp} SIP/2.0\r\nVia: SIP/2.0/UDP ${via};branch=${branch}\r\nFrom: <sip:9@x>;tag=peer\r\n` +
        `To: <sip:102@${calleeIp}>\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method === 'CANCEL' ? method : of}\r\n` +
        `Contact: <sip:9@${ip}:${port}>\r\nContent-Length: 0\r\n\r\n`
      socket.send(Buffer.from(text), { ip: calleeIp, port: 5060 })
    },
  }
}

test('two phones answer one INVITE: the first is the call, the second is acknowledged and gets BYE (RFC 3261 §13.2.2.4)', async () => {
  const net = await pair()
  const proxy = await peer(net, '192.0.2.7')
  const byes: string[] = []
  const acks: string[] = []
  proxy.on((message) => {
    if (message.kind === 'response') return
    if (message.method === 'INVITE') {
      proxy.answer(message, 200, 'first')
      proxy.answer(message, 200, 'second')
      proxy.answer(message, 200, 'first') // a copy
    }
    if (message.method === 'ACK') acks.push(toTag(message) ?? '')
    if (message.method === 'BYE') {
      byes.push(toTag(message) ?? '')
      proxy.answer(message, 200, 'unused')
    }
  })
  const outgoing = net.caller.invite(inviteTo('102', { target: { uri: 'sip:102@192.0.2.7' } }))
  await net.run(100)
  const outcome = await outgoing.outcome
  assert.ok(outcome.answered)
  assert.equal(outcome.dialog.id.remoteTag, 'first')
  assert.deepEqual(byes, ['second'])
  assert.deepEqual(acks.sort(), ['first', 'first', 'second'])
  void outcome.dialog.bye()
  await assertNothingLeft(net)
})

test('a copy of an INVITE over another path gets 482 (RFC 3261 §8.2.2.2)', async () => {
  const net = await pair()
  const invites: IncomingInvite[] = []
  net.callee.on('invite', (invite) => invites.push(invite))
  const phone = await peer(net, '192.0.2.8')
  phone.send('INVITE', { branch: 'z9hG4bKone' })
  phone.send('INVITE', { branch: 'z9hG4bKone' }) // sent again: the same transaction
  phone.send('INVITE', { branch: 'z9hG4bKtwo' })
  await net.run(20)
  assert.equal(invites.length, 1)
  assert.deepEqual(phone.lines(), ['482'])
  invites[0]?.reject(486)
  await assertNothingLeft(net)
})

test('a CANCEL from another address is refused; one from the caller works, also without an RFC 3261 branch', async () => {
  for (const branch of ['z9hG4bKcall', 'old-style']) {
    const net = await pair()
    const signals: AbortSignal[] = []
    net.callee.on('invite', (invite) => signals.push(invite.cancelled))
    const phone = await peer(net, '192.0.2.8')
    const forger = await peer(net, '203.0.113.66')
    phone.send('INVITE', { branch })
    await net.run(20)
    forger.send('CANCEL', { branch, via: '192.0.2.8:5060' })
    await net.run(20)
    assert.equal(signals[0]?.aborted, false)
    phone.send('CANCEL', { branch })
    await net.run(20)
    assert.equal(signals[0]?.aborted, true)
    assert.deepEqual(phone.lines().sort(), ['200', '487'])
    assert.deepEqual(forger.lines(), ['481'])
    await assertNothingLeft(net)
  }
})

test('a Via that names port 0 costs nothing but its answer', async () => {
  const net = await pair()
  net.callee.on('invite', (invite) => invite.reject(486))
  const phone = await peer(net, '192.0.2.8')
  phone.send('INVITE', { via: '192.0.2.8:0' })
  await net.run(100)
  assert.deepEqual(phone.lines(), [])
  await assertNothingLeft(net)
})

test('a caller may give up by BYE before the answer (RFC 3261 §15)', async () => {
  const net = await pair()
  let invite: IncomingInvite | undefined
  net.callee.on('invite', (incoming) => {
    invite = incoming
    incoming.ring(180)
  })
  const seen: string[] = []
  const caller = await net.stack('192.0.2.3', { observe: (_direction, _flow, text) => seen.push(text.slice(0, 11)) })
  let ringing: string | undefined
  const outgoing = caller.invite(
    inviteTo('102', {
      callId: 'early',
      onProvisional: (response) => {
        ringing = toTag(response)
      },
    }),
  )
  await net.run(20)
  const fromTag = /;tag=(.*)/.exec(invite?.request.headers.get('From') ?? '')?.[1]
  const phone = await net.network.udp({ ip: '192.0.2.3', port: 5999 }, () => {})
  phone.send(
    Buffer.from(
      `BYE sip:102@${calleeIp} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.3:5999;branch=z9hG4bKbye\r\nFrom: <sip:101@x>;tag=${fromTag}\r\n` +
        `To: <sip:102@x>;tag=${ringing}\r\nCall-ID: early\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n`,
    ),
    { ip: calleeIp, port: 5060 },
  )
  await net.run(50)
  assert.equal(invite?.cancelled.aborted, true)
  const outcome = await outgoing.outcome
  assert.equal(outcome.answered ? 200 : outcome.response.status, 487)
  await caller.close()
  await assertNothingLeft(net)
})

test('an INVITE that is challenged goes out again with credentials, and so does a re-INVITE; each 2xx gets its ACK', async () => {
  const net = await pair()
  const challenge = 'Digest realm="x", nonce="n", algorithm=MD5, qop="auth"'
  const sequence: string[] = []
  const proxy = await peer(net, '192.0.2.7')
  proxy.on((message) => {
    if (message.kind === 'response') return
    const known = message.headers.has('Proxy-Authorization')
    sequence.push(`${message.headers.get('CSeq')}${known ? ' with credentials' : ''}`)
    if (message.method === 'ACK') return
    if (known) {
      proxy.answer(message, 200, 'callee')
      proxy.answer(message, 200, 'callee') // a copy: its ACK was lost
      return
    }
    message.headers.set('To', `${message.headers.get('To')?.split(';')[0]};tag=callee`)
    const refusal = createResponse(message, 407, { headers: { 'Proxy-Authenticate': challenge } })
    void net.network
      .udp({ ip: '192.0.2.7', port: 0 }, () => {})
      .then((socket) => socket.send(printMessage(refusal), { ip: '192.0.2.1', port: 5060 }))
  })
  const credentials = { username: 'u', password: 'p' }
  const outgoing = net.caller.invite(inviteTo('102', { target: { uri: 'sip:102@192.0.2.7' }, credentials }))
  await net.run(100)
  const outcome = await outgoing.outcome
  assert.ok(outcome.answered)
  const asking = outcome.dialog.request('INVITE', sdp('v=0\r\n'))
  await net.run(100)
  assert.equal((await asking).status, 200)
  assert.deepEqual(sequence, [
    '1 INVITE',
    '1 ACK',
    '2 INVITE with credentials',
    '2 ACK with credentials',
    '2 ACK with credentials',
    '3 INVITE',
    '3 ACK',
    '4 INVITE with credentials',
    '4 ACK with credentials',
    '4 ACK with credentials',
  ])
  void outcome.dialog.bye()
  await assertNothingLeft(net)
})

test('an INVITE that nobody wants any more is not sent again when it is challenged', async () => {
  const net = await pair()
  const proxy = await peer(net, '192.0.2.7')
  let invite: SipRequest | undefined
  proxy.on((message) => {
    if (message.kind === 'request' && message.method === 'INVITE') invite = message
  })
  const credentials = { username: 'u', password: 'p' }
  const outgoing = net.caller.invite(inviteTo('102', { target: { uri: 'sip:102@192.0.2.7' }, credentials }))
  await net.run(100)
  assert.ok(invite)
  proxy.answer(invite, 100, '')
  await net.run(20)
  outgoing.cancel()
  const challenge = 'Digest realm="x", nonce="n", algorithm=MD5, qop="auth"'
  proxy.refuse(invite, 407, { 'Proxy-Authenticate': challenge }) // it crossed our CANCEL
  await net.run(100)
  const outcome = await outgoing.outcome
  assert.equal(outcome.answered ? 200 : outcome.response.status, 487)
  assert.deepEqual(proxy.lines().slice(0, 3), ['INVITE', 'CANCEL', 'ACK'])
  assert.ok(!proxy.heard.some((message) => message.headers.has('Proxy-Authorization')))
  await assertNothingLeft(net)
})
