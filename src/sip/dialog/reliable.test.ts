/** Provisional answers that may not be lost, between two stacks. RFC 3262. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { IncomingInvite, InviteOptions } from '../stack.types.ts'
import { assertNothingLeft, inviteTo, type Pair, pair, sdp } from './test-support.ts'

/** What the callee sees and says, copies too. */
const notes = (): { lines: string[]; observe: (direction: 'in' | 'out', flow: unknown, text: string) => void } => {
  const lines: string[] = []
  return {
    lines,
    observe(direction, _flow, text) {
      const what = text.startsWith('SIP') ? text.slice(8, 11) : text.slice(0, text.indexOf(' '))
      const body = text.slice(text.indexOf('\r\n\r\n') + 4).trim()
      lines.push(`${direction} ${what}${body ? ` ${body}` : ''}`)
    },
  }
}

const required: Partial<InviteOptions> = { headers: { Require: '100rel' } }

async function ringing(
  behave: (invite: IncomingInvite) => void,
  more: Partial<InviteOptions> = {},
  network: Parameters<typeof pair>[0] = {},
) {
  const seen = notes()
  const net = await pair({ ...network, callee: { observe: seen.observe } })
  net.callee.on('invite', behave)
  const heard: number[] = []
  const outgoing = net.caller.invite(inviteTo('102', { onProvisional: ({ status }) => heard.push(status), ...more }))
  return { ...net, ...seen, outgoing, heard }
}

async function hangUp(net: Pair & { readonly outgoing: ReturnType<Pair['caller']['invite']> }): Promise<void> {
  const outcome = await net.outgoing.outcome
  assert.ok(outcome.answered)
  void outcome.dialog.bye()
  await assertNothingLeft(net)
}

function ringAndAnswer(invite: IncomingInvite): void {
  invite.ring(180)
  invite.answer(sdp('v=0 answer\r\n'))
}

test('ringing is acknowledged by PRACK when the caller requires it, and only then', async () => {
  const call = await ringing(ringAndAnswer, required)
  await call.run(100)
  assert.deepEqual(call.lines.slice(0, 2), ['in INVITE v=0 offer', 'out 180'])
  assert.ok(call.lines.includes('in PRACK'))
  assert.deepEqual(call.heard, [180])
  await hangUp(call)
  const plain = await ringing(ringAndAnswer)
  await plain.run(100)
  assert.ok(!plain.lines.includes('in PRACK'))
  await hangUp(plain)
})

test('an answer waits until the description in a 183 is acknowledged (RFC 3262 §3)', async () => {
  let acknowledged: Promise<SipRequest | undefined> | undefined
  const call = await ringing(
    (invite) => {
      invite.ring(183, sdp('v=0 early\r\n'))
      acknowledged = invite.answer(sdp('v=0 early\r\n')).acknowledged
    },
    {},
    { network: { delayMs: [20, 20] } },
  )
  await call.run(300)
  const order = ['in INVITE v=0 offer', 'out 183 v=0 early', 'in PRACK', 'out 200', 'out 200 v=0 early', 'in ACK']
  assert.deepEqual(call.lines, order)
  assert.ok(await acknowledged)
  await hangUp(call)
})

test('two reliable answers go out one after the other, with numbers that count up (RFC 3262 §3)', async () => {
  const numbers: number[] = []
  const call = await ringing(
    (invite) => {
      invite.ring(180)
      invite.ring(183, sdp('v=0 early\r\n'))
    },
    {
      ...required,
      onProvisional: ({ headers }) => numbers.push(Number(headers.get('RSeq'))),
    },
  )
  await call.run(100)
  const [first = 0, second = 0] = numbers
  assert.equal(second, first + 1)
  assert.deepEqual(
    call.lines.filter((line) => !line.startsWith('out 200')),
    ['in INVITE v=0 offer', 'out 180', 'in PRACK', 'out 183 v=0 early', 'in PRACK'],
  )
  call.outgoing.cancel()
  await assertNothingLeft(call)
})

test('a ring that nobody acknowledges is resent at doubling intervals, then the INVITE is refused with 504', async () => {
  const net = await pair()
  const lines: string[] = []
  const socket = await net.network.udp({ ip: '192.0.2.66', port: 5060 }, (bytes) => {
    const status = bytes.toString().slice(8, 11)
    lines.push(`${net.clock.now()} ${status}`)
  })
  net.callee.on('invite', (invite) => invite.ring(180))
  const head = [
    'INVITE sip:102@192.0.2.2 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKmute',
    'From: <sip:x@192.0.2.66>;tag=a',
    'To: <sip:102@192.0.2.2>',
    'Call-ID: mute',
    'CSeq: 1 INVITE',
    'Contact: <sip:x@192.0.2.66>',
    'Require: 100rel',
    'Content-Length: 0',
  ]
  socket.send(Buffer.from(`${head.join('\r\n')}\r\n\r\n`), { ip: '192.0.2.2', port: 5060 })
  const begin = net.clock.now()
  await net.run(32_400)
  const times = lines.map((line) => [Math.round((Number(line.split(' ')[0]) - begin) / 100) / 10, line.split(' ')[1]])
  assert.deepEqual(times.slice(0, 8), [
    [0, '180'],
    [0.5, '180'],
    [1.5, '180'],
    [3.5, '180'],
    [7.5, '180'],
    [15.5, '180'],
    [31.5, '180'],
    [32, '504'],
  ])
  await assertNothingLeft(net)
})

test('a PRACK that acknowledges nothing gets 481 (RFC 3262 §3)', async () => {
  let ringback: SipResponse | undefined
  const call = await ringing((invite) => invite.ring(180), {
    ...required,
    onProvisional: (response) => (ringback = response),
  })
  await call.run(20)
  assert.deepEqual(call.lines.slice(-2), ['in PRACK', 'out 200'])
  const answers: string[] = []
  const socket = await call.network.udp({ ip: '192.0.2.1', port: 5999 }, (bytes) => answers.push(bytes.toString()))
  const head = [
    'PRACK sip:102@192.0.2.2 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1:5999;branch=z9hG4bKwrong',
    `From: ${ringback?.headers.get('From')}`,
    `To: ${ringback?.headers.get('To')}`,
    `Call-ID: ${call.outgoing.sipCallId}`,
    'CSeq: 9 PRACK',
    'RAck: 1 1 INVITE',
    'Content-Length: 0',
  ]
  socket.send(Buffer.from(`${head.join('\r\n')}\r\n\r\n`), { ip: '192.0.2.2', port: 5060 })
  await call.run(20)
  assert.match(answers[0] ?? '', /^SIP\/2\.0 481 /)
  call.outgoing.cancel()
  await assertNothingLeft(call)
})

test('an INVITE that leaves the offer to the callee answers it in the PRACK, and not again in the ACK (RFC 3262 §5)', async () => {
  const call = await ringing(
    (invite) => {
      invite.ring(183, sdp('v=0 their offer\r\n'))
      invite.answer({})
    },
    {
      headers: { Supported: '100rel' },
      body: '',
      ackBody: ({ body }) => sdp(`v=0 to ${Buffer.from(body).toString().trim()}\r\n`),
    },
  )
  await call.run(200)
  assert.ok(call.lines.includes('in PRACK v=0 to v=0 their offer'))
  assert.ok(call.lines.includes('in ACK'))
  await hangUp(call)
})

test('the next request after a PRACK has the next number (RFC 3262 §4)', async () => {
  const call = await ringing((invite) => {
    invite.ring(180)
    invite.answer(sdp('v=0\r\n')).on('request', (incoming) => incoming.respond(200))
  }, required)
  await call.run(100)
  const outcome = await call.outgoing.outcome
  assert.ok(outcome.answered)
  const asking = outcome.dialog.request('INFO')
  await call.run(50)
  assert.equal((await asking).status, 200)
  await hangUp(call)
})
