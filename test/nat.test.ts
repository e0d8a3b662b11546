/** A server behind NAT: peers on its side are told its own address, all others the public one and nothing else. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { type CountedSipStack, createSipStack } from '../src/sip/stack.ts'
import type { MessageObserver } from '../src/sip/stack.types.ts'
import { startTestServer, type TestServer } from './support/in-process.ts'
import { until } from './support/until.ts'

/** Of Linux the whole 127/8 is this machine; elsewhere only the first address is. */
const here = { skip: process.platform !== 'linux' && 'needs 127.0.0.2' }
const [inside, outside, publicIp] = ['127.0.0.2', '127.0.0.3', '203.0.113.9']
const answer = {
  contentType: 'application/sdp',
  body: `v=0\r\no=- 1 1 IN IP4 ${outside}\r\ns=-\r\nc=IN IP4 ${outside}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`,
}

let server: TestServer
let carrier: CountedSipStack
/** What the server said to the carrier. */
const heard: string[] = []
const observe: MessageObserver = (direction, _flow, text) => void (direction === 'in' && heard.push(text))

before(async () => {
  if (here.skip) return
  const listen = [
    { transport: 'udp', ip: outside, port: 0 },
    { transport: 'tcp', ip: outside, port: 0 },
  ] as const
  carrier = await createSipStack({ clock: systemClock, log: silentLogger, listen, observe })
  const port = carrier.listening[0]?.port
  server = await startTestServer({
    'nat.behindNat': true,
    'nat.externalIp': publicIp,
    'nat.localNetworks': [`${inside}/32`],
    trunks: [
      {
        name: 'carrier',
        host: outside,
        port,
        sources: [`${outside}/32`],
        inbound: { 7102: '102' },
        outbound: [{ prefix: '0' }],
      },
    ],
  })
})
after(async () => {
  await server?.close()
  await carrier?.close()
})

const ours = /\b127\.0\.0\.[12]\b/

test(
  'a call by a trunk outside shows it the public address in Via, Contact and SDP, and no other of ours',
  here,
  async () => {
    carrier.on('invite', (invite) => invite.answer(answer))
    const phone = await server.phone('101', { ip: inside })
    const outcome = await phone.call('0301234').outcome
    assert.ok(outcome.answered)
    await outcome.call.hangUp()

    const invite = heard.find((text) => text.startsWith('INVITE ')) ?? ''
    for (const line of [
      /^Via: SIP\/2\.0\/UDP 203\.0\.113\.9:/m,
      /^Contact: <sip:\S*203\.0\.113\.9:/m,
      /^c=IN IP4 203\.0\.113\.9\r$/m,
    ])
      assert.match(invite, line)
    assert.match(invite, /^From: .*@203\.0\.113\.9>/m)
    for (const text of heard) assert.doesNotMatch(text, ours)

    const toPhone = await until('the messages to be stored', 5_000, async () => {
      const [call] = (await server.api.calls()).items
      const { items } = await server.api.messages(call?.id ?? '')
      return (
        items.length > 0 && items.filter(({ direction, remote }) => direction === 'out' && remote.startsWith(inside))
      )
    })
    assert.ok(toPhone.length > 0)
    for (const { text } of toPhone) assert.ok(!text.includes(publicIp), 'the phone is told the local address')
  },
)

test('refusals, challenges and errors tell the outside no more', here, async () => {
  heard.length = 0
  await server.phone('102', { ip: inside, habit: 'busy' })
  const uri = (user: string) => `sip:${user}@${server.sip.ip}:${server.sip.port}`
  const ask = (method: string, user: string, headers = {}) =>
    carrier.request(method, {
      target: { uri: uri(user) },
      from: '<sip:x@carrier.example>',
      to: `<sip:${user}@carrier.example>`,
      headers,
    })
  const { outcome } = carrier.invite({
    target: { uri: uri('7102') },
    from: '<sip:1@carrier.example>',
    to: '<sip:7102@carrier.example>',
    ...answer,
  })
  const busy = await outcome
  assert.equal(!busy.answered && busy.response.status, 486)
  assert.equal((await ask('REGISTER', '101')).status, 401)
  assert.equal((await ask('OPTIONS', '101', { Require: 'nothing' })).status, 420)
  await ask('MESSAGE', '999')
  await ask('BYE', '101')
  assert.ok(heard.length >= 5)
  // The Request-URI and To that the carrier wrote come back in its own words.
  for (const text of heard) assert.doesNotMatch(text, ours)
})
