/**
 * A server behind NAT: peers on its side are told its own address, those of a network with an address of its own that
 * one, all others the public one, and nobody anything else.
 */
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
const [inside, outside, beyond] = ['127.0.0.2', '127.0.0.3', '127.0.0.4']
/** What the Internet, and what the private network of a second carrier is told. */
const [publicIp, privateIp] = ['203.0.113.9', '10.9.0.5']
const answerAt = (ip: string) => ({
  contentType: 'application/sdp',
  body: `v=0\r\no=- 1 1 IN IP4 ${ip}\r\ns=-\r\nc=IN IP4 ${ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`,
})
const answer = answerAt(outside)

let server: TestServer
let carrier: Peer
let second: Peer

/** Somebody outside, with what the server said to it. */
interface Peer {
  readonly stack: CountedSipStack
  readonly heard: string[]
}

async function peerAt(ip: string): Promise<Peer> {
  const heard: string[] = []
  const observe: MessageObserver = (direction, _flow, text) => void (direction === 'in' && heard.push(text))
  const listen = [
    { transport: 'udp', ip, port: 0 },
    { transport: 'tcp', ip, port: 0 },
  ] as const
  const stack = await createSipStack({ clock: systemClock, log: silentLogger, listen, observe })
  return { stack, heard }
}

const trunkTo = (name: string, host: string, { stack }: Peer, prefix: string) => ({
  name,
  host,
  port: stack.listening[0]?.port,
  sources: [`${host}/32`],
  inbound: { 7102: '102' },
  outbound: [{ prefix }],
})

before(async () => {
  if (here.skip) return
  carrier = await peerAt(outside)
  second = await peerAt(beyond)
  server = await startTestServer({
    'nat.behindNat': true,
    'nat.externalIp': publicIp,
    'nat.localNetworks': [`${inside}/32`],
    'nat.addresses': [`${beyond}/32=${privateIp}`],
    trunks: [trunkTo('carrier', outside, carrier, '0'), trunkTo('second', beyond, second, '9')],
  })
})
after(async () => {
  await server?.close()
  await carrier?.stack.close()
  await second?.stack.close()
})

const ours = /\b127\.0\.0\.[12]\b/

function tellsNoOther({ heard }: Peer): void {
  const other = heard === carrier.heard ? privateIp : publicIp
  for (const text of heard) {
    assert.doesNotMatch(text, ours)
    assert.ok(!text.includes(other), text)
  }
}

test(
  'a call by a trunk outside shows it the public address in Via, Contact and SDP, and no other of ours',
  here,
  async () => {
    carrier.stack.on('invite', (invite) => invite.answer(answer))
    const phone = await server.phone('101', { ip: inside })
    const outcome = await phone.call('0301234').outcome
    assert.ok(outcome.answered)
    await outcome.call.hangUp()

    const invite = carrier.heard.find((text) => text.startsWith('INVITE ')) ?? ''
    for (const line of [
      /^Via: SIP\/2\.0\/UDP 203\.0\.113\.9:/m,
      /^Contact: <sip:\S*203\.0\.113\.9:/m,
      /^c=IN IP4 203\.0\.113\.9\r$/m,
    ])
      assert.match(invite, line)
    assert.match(invite, /^From: .*@203\.0\.113\.9>/m)
    tellsNoOther(carrier)

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
  carrier.heard.length = 0
  await server.phone('102', { ip: inside, habit: 'busy' })
  const uri = (user: string) => `sip:${user}@${server.sip.ip}:${server.sip.port}`
  const ask = (method: string, user: string, headers = {}) =>
    carrier.stack.request(method, {
      target: { uri: uri(user) },
      from: '<sip:x@carrier.example>',
      to: `<sip:${user}@carrier.example>`,
      headers,
    })
  const { outcome } = carrier.stack.invite({
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
  assert.ok(carrier.heard.length >= 5)
  // The Request-URI and To that the carrier wrote come back in its own words.
  tellsNoOther(carrier)
})

test('a call that is transferred to a network with an address of its own tells that one alone', here, async () => {
  carrier.heard.length = 0
  carrier.stack.on('invite', (invite) => invite.answer(answer))
  second.stack.on('invite', (invite) => invite.answer(answerAt(beyond)))
  const phone = await server.phone('103', { ip: inside })
  const outcome = await phone.call('0301234').outcome
  assert.ok(outcome.answered)
  assert.equal((await outcome.call.transfer('9555')).at(-1), 200)

  const invite = second.heard.find((text) => text.startsWith('INVITE ')) ?? ''
  for (const line of [
    /^Via: SIP\/2\.0\/UDP 10\.9\.0\.5:/m,
    /^Contact: <sip:\S*10\.9\.0\.5:/m,
    /^From: .*@10\.9\.0\.5>/m,
    /^Referred-By: .*@10\.9\.0\.5>/m,
    /^o=.* IN IP4 10\.9\.0\.5\r$/m,
    /^c=IN IP4 10\.9\.0\.5\r$/m,
  ])
    assert.match(invite, line)
  assert.match(second.heard.find((text) => text.startsWith('OPTIONS ')) ?? '', /^From: .*@10\.9\.0\.5>/m)
  const { answered } = await second.stack.invite({
    target: { uri: `sip:7199@${server.sip.ip}:${server.sip.port}` },
    from: '<sip:1@second.example>',
    to: '<sip:7199@second.example>',
    ...answerAt(beyond),
  }).outcome
  assert.equal(answered, false)
  tellsNoOther(second)
  tellsNoOther(carrier)
})
