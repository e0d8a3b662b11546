/** Session timers between two stacks: who refreshes, when, how, and what happens when nobody does. RFC 4028. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequest } from '../message/build.ts'
import { Headers } from '../message/headers.ts'
import { recommendedTerms, sessionAnswer } from './session-timer.ts'
import { assertNothingLeft, calleeIp, established, inviteTo, type Pair, pair, sdp, turn } from './test-support.ts'

/** Long times in steps that are not too small. */
const wait = ({ clock }: Pair, ms: number): Promise<void> => turn(clock, ms, 500)

/** Messages of one side, as method or status, with the header that matters here. */
const notes = (): { lines: string[]; observe: (direction: 'in' | 'out', flow: unknown, text: string) => void } => {
  const lines: string[] = []
  return {
    lines,
    observe(direction, _flow, text) {
      const what = text.startsWith('SIP') ? text.slice(8, 11) : text.slice(0, text.indexOf(' '))
      const session = /^Session-Expires: (.*)\r$/m.exec(text)?.[1]
      lines.push(`${direction} ${what}${session === undefined ? '' : ` ${session}`}`)
    },
  }
}

test('an INVITE asks for 1800 s, and the callee leaves the work to who asked (RFC 4028 §7.1, §9)', async () => {
  const seen = notes()
  const call = await established({ callee: { observe: seen.observe } })
  assert.deepEqual(seen.lines, ['in INVITE 1800', 'out 180', 'out 200 1800;refresher=uac', 'in ACK'])
  void call.here.bye()
  await assertNothingLeft(call)
})

test('the refresher sends an UPDATE at half of the interval, and the call lives on (RFC 4028 §7.2)', async () => {
  const seen = notes()
  const call = await established({ callee: { observe: seen.observe } })
  call.there.on('request', (incoming) => incoming.respond(200))
  seen.lines.length = 0
  await wait(call, 899_000)
  assert.deepEqual(seen.lines, [])
  await call.run(2_000)
  assert.deepEqual(seen.lines, ['in UPDATE 1800;refresher=uac', 'out 200 1800;refresher=uac'])
  await wait(call, 3_600_000)
  assert.equal(call.there.state, 'confirmed')
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a callee that refreshes says so in its UPDATE, as seen from there (RFC 4028 §7.4)', async () => {
  const seen = notes()
  const call = await established(
    { callee: { observe: seen.observe } },
    { headers: { 'Session-Expires': '200;refresher=uas' } },
  )
  call.here.on('request', (incoming) => incoming.respond(200))
  await wait(call, 101_000)
  assert.deepEqual(seen.lines.slice(-2), ['out UPDATE 200;refresher=uac', 'in 200 200;refresher=uac'])
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a peer without UPDATE is refreshed by a re-INVITE that repeats our description (RFC 4028 §7.4)', async () => {
  const call = await established({ callee: { allow: ['INVITE', 'ACK', 'CANCEL', 'BYE'] } })
  const bodies: string[] = []
  const answers: string[] = []
  call.there.on('request', (incoming) => {
    bodies.push(`${incoming.request.method} ${Buffer.from(incoming.request.body).toString()}`)
    incoming.respond(200, sdp('v=0 again\r\n'))
  })
  call.here.on('refreshed', ({ body }) => answers.push(Buffer.from(body).toString()))
  await wait(call, 901_000)
  assert.deepEqual(bodies, ['INVITE v=0 offer\r\n'])
  assert.deepEqual(answers, ['v=0 again\r\n'])
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a session that its refresher forgets is ended by BYE before its time is up (RFC 4028 §10)', async () => {
  const call = await established({}, { headers: { 'Session-Expires': '90;refresher=uac' } })
  const ends: string[] = []
  call.there.on('ended', ({ by }) => ends.push(`callee: ${by}`))
  call.here.on('ended', ({ by }) => ends.push(`caller: ${by}`))
  call.there.on('request', (incoming) => incoming.respond(500))
  await wait(call, 59_000)
  assert.equal(ends.length, 0)
  await call.run(2_000)
  assert.equal(ends.length, 2)
  assert.ok(ends.join().includes('expired'))
  await assertNothingLeft(call)
})

test('a refresh that was refused is tried again before the session runs out', async () => {
  const call = await established({}, { headers: { 'Session-Expires': '90;refresher=uac' } })
  let asked = 0
  call.there.on('request', (incoming) => incoming.respond(++asked === 1 ? 500 : 200))
  await wait(call, 70_000)
  assert.equal(asked, 2)
  assert.equal(call.here.state, 'confirmed')
  void call.here.bye()
  await assertNothingLeft(call)
})

test('an interval below the minimum is refused with 422, and the caller tries again with that minimum (RFC 4028 §7.3)', async () => {
  const seen = notes()
  const call = await established({ callee: { observe: seen.observe, session: { expiresS: 3600, minS: 2000 } } })
  assert.deepEqual(seen.lines, [
    'in INVITE 1800',
    'out 422',
    'in ACK',
    'in INVITE 2000',
    'out 180',
    'out 200 2000;refresher=uac',
    'in ACK',
  ])
  void call.here.bye()
  await assertNothingLeft(call)
})

test('a second 422 is an answer like any other', async () => {
  const net = await pair()
  const socket = await net.network.udp({ ip: '192.0.2.66', port: 5060 }, (bytes, from) => {
    const text = bytes.toString()
    if (!text.startsWith('INVITE')) return
    const kept = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line))
    const interval = Number(/^Session-Expires: (\d+)/m.exec(text)?.[1])
    const head = ['SIP/2.0 422 Session Interval Too Small', ...kept, `Min-SE: ${interval + 100}`, 'Content-Length: 0']
    socket.send(Buffer.from(`${head.join('\r\n').replace(/(To: <[^>]*>)/, '$1;tag=x')}\r\n\r\n`), from)
  })
  const asked = net.caller.invite(inviteTo('102', { target: { uri: 'sip:102@192.0.2.66:5060' } }))
  await net.run(100)
  const outcome = await asked.outcome
  assert.equal(!outcome.answered && outcome.response.status, 422)
  await assertNothingLeft(net)
})

test('a peer that knows no timers but UPDATE is refreshed by us, and a refusal shows that it lives', async () => {
  const net = await pair()
  const heard: string[] = []
  const socket = await net.network.udp({ ip: '192.0.2.66', port: 5060 }, (bytes, from) => {
    const text = bytes.toString()
    const method = text.slice(0, text.indexOf(' '))
    heard.push(method)
    if (method === 'ACK') return
    const kept = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line))
    const status = method === 'UPDATE' ? '488 No' : '200 OK'
    const more = ['Contact: <sip:x@192.0.2.66>', 'Allow: INVITE, ACK, BYE, UPDATE', 'Content-Length: 0']
    const head = [`SIP/2.0 ${status}`, ...kept, ...more].join('\r\n')
    socket.send(Buffer.from(`${head.replace(/(To: <[^>]*>)\r/, '$1;tag=x\r')}\r\n\r\n`), from)
  })
  const asked = net.caller.invite(inviteTo('102', { target: { uri: 'sip:102@192.0.2.66:5060' } }))
  await wait(net, 2_000_000)
  const outcome = await asked.outcome
  assert.ok(outcome.answered)
  assert.equal(outcome.dialog.state, 'confirmed')
  assert.deepEqual(heard, ['INVITE', 'ACK', 'UPDATE', 'UPDATE'])
  void outcome.dialog.bye()
  await assertNothingLeft(net)
})

test('a caller that knows neither timers nor UPDATE is left in peace', async () => {
  const seen = notes()
  const headers = { Supported: '', Allow: 'INVITE, ACK, BYE, CANCEL', 'Session-Expires': '1800' }
  const call = await established({ callee: { observe: seen.observe } }, { headers })
  assert.ok(seen.lines.includes('out 200'))
  void call.here.bye()
  await assertNothingLeft(call)
})

test('an interval too short in an UPDATE is refused, and asked for again with the minimum (RFC 4028 §7.3, §9)', async () => {
  const seen = notes()
  const call = await established({ callee: { observe: seen.observe } })
  call.there.on('request', (incoming) => incoming.respond(200))
  seen.lines.length = 0
  const asking = call.here.request('UPDATE', { headers: { 'Session-Expires': '10;refresher=uac', 'Min-SE': '10' } })
  await call.run(50)
  assert.equal((await asking).status, 200)
  const refreshed = ['in UPDATE 10;refresher=uac', 'out 422', 'in UPDATE 90;refresher=uac', 'out 200 90;refresher=uac']
  assert.deepEqual(seen.lines, refreshed)
  void call.here.bye()
  await assertNothingLeft(call)
})

/** RFC 4028 §9, table 2, and who is chosen where it leaves a choice. */
for (const [what, headers, answer] of [
  ['only knows timers', { Supported: 'timer' }, '1800;refresher=uas'],
  ['names an interval', { Supported: 'timer', 'Session-Expires': '600' }, '600;refresher=uac'],
  ['wants us to refresh', { Supported: 'timer', 'Session-Expires': '600;refresher=uas' }, '600;refresher=uas'],
  ['wants to refresh', { Supported: 'timer', 'Session-Expires': '600;refresher=uac' }, '600;refresher=uac'],
  ['wants longer than we do', { Supported: 'timer', 'Session-Expires': '7200' }, '1800;refresher=uac'],
  ['wants it no shorter', { Supported: 'timer', 'Session-Expires': '7200', 'Min-SE': '3600' }, '3600;refresher=uac'],
  ['knows no timers but UPDATE', { Allow: 'INVITE, UPDATE' }, '1800;refresher=uas'],
  ['knows neither', { Allow: 'INVITE' }, undefined],
] as const)
  test(`the answer to a caller that ${what}: ${answer ?? 'no timer'}`, () => {
    const all = Object.entries(headers).map(([name, value]) => [name, value] as const)
    const request = createRequest('INVITE', 'sip:x@192.0.2.1', new Headers(all))
    assert.equal(sessionAnswer(recommendedTerms, request)['Session-Expires'], answer)
  })

test('what who was called says of itself behind its Contact stands in its refreshes too (RFC 7866 §6.1.2)', async () => {
  const net = await pair()
  net.callee.on('invite', (invite) => {
    const Contact = `<sip:recorder@${calleeIp}>;+sip.srs`
    invite.answer({ headers: { Contact }, ...sdp('v=0 answer\r\n') })
  })
  // The caller leaves the work to us.
  const headers = { 'Session-Expires': '90;refresher=uas', Supported: 'timer' }
  const { outcome } = net.caller.invite(inviteTo('102', { headers }))
  await net.run(100)
  const result = await outcome
  assert.ok(result.answered)
  const contacts: (string | undefined)[] = []
  result.dialog.on('request', (incoming) => {
    contacts.push(incoming.request.headers.get('Contact'))
    incoming.respond(200)
  })
  await net.run(60_000)
  assert.match(contacts[0] ?? '', /;\+sip\.srs$/)
})
