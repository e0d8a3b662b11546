/** Peers that are no stack of ours: forks, notifications that come early or from nowhere, forgers. Written by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNothingLeft, calleeIp, callerIp, type Pair, pair, turn } from '../dialog/test-support.ts'
import { createResponse } from '../message/build.ts'
import { fromTag, toTag } from '../message/fields.ts'
import { parseMessage } from '../message/parse.ts'
import { printMessage } from '../message/print.ts'
import type { SipMessage, SipRequest } from '../message/types.ts'
import { watch, wordsPair } from './test-support.ts'

const proxyIp = '192.0.2.7'
const target = { uri: `sip:102@${proxyIp}` }

/** A socket that notes what comes and sends what it is told. */
async function peer(net: Pair, ip: string) {
  const heard: SipMessage[] = []
  const reactions: ((request: SipRequest) => void)[] = []
  const socket = await net.network.udp({ ip, port: 5060 }, (bytes) => {
    const result = parseMessage(bytes)
    assert.ok(result.ok)
    heard.push(result.message)
    if (result.message.kind === 'request') for (const react of reactions) react(result.message)
  })
  const toCaller = (bytes: Uint8Array) => socket.send(bytes, { ip: callerIp, port: 5060 })
  return {
    on: (reaction: (request: SipRequest) => void) => void reactions.push(reaction),
    statuses: () => heard.flatMap((it) => (it.kind === 'response' ? [it.status] : [])),
    requests: () => heard.flatMap((it) => (it.kind === 'request' ? [it] : [])),
    answer: (request: SipRequest, status: number, tag: string, headers = {}) =>
      toCaller(
        printMessage(createResponse(request, status, { toTag: tag, headers: { Contact: `<sip:${ip}>`, ...headers } })),
      ),
    /** A NOTIFY to who sent this SUBSCRIBE. */
    notify: (subscribe: SipRequest, tag: string, seq: number, headers: Readonly<Record<string, string>> = {}) => {
      const all = {
        Via: `SIP/2.0/UDP ${ip};branch=z9hG4bK${tag}${seq}`,
        From: `<sip:102@x>;tag=${tag}`,
        To: `<sip:101@x>;tag=${fromTag(subscribe)}`,
        'Call-ID': subscribe.headers.get('Call-ID') ?? '',
        CSeq: `${seq} NOTIFY`,
        Contact: `<sip:${ip}>`,
        Event: 'word',
        'Subscription-State': 'active;expires=600',
        'Content-Type': 'text/plain',
        'Content-Length': String(tag.length),
        ...headers,
      }
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
      toCaller(Buffer.from(`NOTIFY sip:101@${callerIp} SIP/2.0\r\n${lines.join('')}\r\n${tag}`))
    },
    toCallee: (text: string) => socket.send(Buffer.from(text), { ip: calleeIp, port: 5060 }),
  }
}

test('a NOTIFY that comes before the answer makes the subscription, even when the answer never comes', async () => {
  const net = await pair()
  const proxy = await peer(net, proxyIp)
  let told = false
  proxy.on((request) => {
    if (request.method !== 'SUBSCRIBE') return
    if (!told) proxy.notify(request, 'early', 1)
    else if (request.headers.get('Expires') === '0') proxy.answer(request, 200, 'early')
    told = true
  })
  const { subscription, seen } = watch(net.caller, { target })
  await turn(net.clock, 40_000, 100)
  assert.deepEqual(seen, ['active early'])
  assert.deepEqual(proxy.statuses(), [200])
  void subscription.close()
  await turn(net.clock, 33_000, 100)
  const last = proxy.requests().at(-1)
  assert.deepEqual(
    [last && toTag(last), last?.headers.get('Expires'), last?.headers.get('CSeq')],
    ['early', '0', '2 SUBSCRIBE'],
  )
  assert.equal(seen.at(-1), 'end')
  await assertNothingLeft(net)
})

test('of notifiers behind a fork the first is heard, the others get 481; with `forks` all are (RFC 6665 §5.4.9)', async () => {
  for (const forks of [false, true]) {
    const net = await pair()
    const proxy = await peer(net, proxyIp)
    proxy.on((request) => {
      if (request.method !== 'SUBSCRIBE') return
      if (toTag(request)) return proxy.answer(request, 200, 'x', { Expires: '0' })
      proxy.answer(request, 200, 'first', { Expires: '600' })
      for (const tag of ['first', 'second']) proxy.notify(request, tag, 1)
    })
    const { subscription, seen } = watch(net.caller, { target, forks })
    await net.run(100)
    assert.deepEqual(proxy.statuses(), forks ? [200, 200] : [200, 481])
    assert.deepEqual(seen, forks ? ['active first', 'active second'] : ['active first'])
    void subscription.close()
    await net.run(100)
    const left = proxy.requests().filter(({ headers }) => headers.get('Expires') === '0')
    assert.deepEqual(left.map(toTag), forks ? ['first', 'second'] : ['first'])
    await assertNothingLeft(net)
  }
})

test('a NOTIFY is 481 without a subscription, for another event, and from an address that is not the notifier’s', async () => {
  const net = await pair()
  const proxy = await peer(net, proxyIp)
  const forger = await peer(net, '192.0.2.66')
  let subscribe: SipRequest | undefined
  proxy.on((request) => {
    subscribe ??= request
    proxy.answer(request, 200, 'tag', { Expires: '600' })
  })
  const { subscription, seen } = watch(net.caller, { target })
  await net.run(50)
  assert.ok(subscribe)
  proxy.notify(subscribe, 'tag', 1, { Event: 'dialog' })
  proxy.notify(subscribe, 'tag', 2, { 'Call-ID': 'unknown' })
  proxy.notify(subscribe, 'tag', 3)
  await net.run(50)
  forger.notify(subscribe, 'tag', 4)
  proxy.notify(subscribe, 'tag', 2) // older than the last
  await net.run(50)
  assert.deepEqual(proxy.statuses(), [481, 481, 200, 500])
  assert.deepEqual(forger.statuses(), [481])
  assert.deepEqual(seen, ['active tag'])
  void subscription.close()
  await assertNothingLeft(net)
})

test('a 2xx without a NOTIFY is no subscription: after Timer N it counts as refused (RFC 6665 §4.1.2.4)', async () => {
  const net = await pair()
  const proxy = await peer(net, proxyIp)
  proxy.on((request) => proxy.answer(request, 202, 'tag', { Expires: '600' }))
  const { subscription } = watch(net.caller, { target })
  await turn(net.clock, 33_000, 100)
  const end = await subscription.ended
  assert.ok(end.by === 'refused' && end.response.status === 408)
  await assertNothingLeft(net)
})

test('a refresh that fails is tried again while the subscription lives (RFC 6665 §4.1.2.2)', async () => {
  const net = await pair()
  const proxy = await peer(net, proxyIp)
  let asked = 0
  proxy.on((request) => {
    asked++
    proxy.answer(request, asked === 2 ? 500 : 200, 'tag', { Expires: '600' })
    if (asked !== 2) proxy.notify(request, 'tag', asked)
  })
  const { subscription, seen } = watch(net.caller, { target })
  await turn(net.clock, 600_000, 100)
  assert.deepEqual(seen, ['active tag', 'active tag'])
  assert.equal(new Set(proxy.requests().map(({ headers }) => headers.get('Call-ID'))).size, 1)
  void subscription.close()
  await assertNothingLeft(net)
})

/** A SUBSCRIBE to the callee as phones write it. */
const subscribeText = (ip: string, more: Readonly<Record<string, string>> = {}) => {
  const all = {
    Via: `SIP/2.0/UDP ${ip};branch=z9hG4bK1`,
    From: '<sip:101@x>;tag=phone',
    To: '<sip:102@x>',
    'Call-ID': 'phone',
    CSeq: '1 SUBSCRIBE',
    Contact: `<sip:101@${ip}>`,
    Event: 'word;id=7',
    Expires: '600',
    ...more,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `SUBSCRIBE sip:102@${calleeIp};user=phone SIP/2.0\r\n${lines.join('')}\r\n`
}

test('a phone is told in its dialog, with its event id; 481 ends it; Retry-After delays it', async () => {
  const net = await wordsPair()
  const phone = await peer(net, '192.0.2.8')
  let status = 200
  let headers: Readonly<Record<string, string>> = {}
  phone.on((notify) => {
    const response = createResponse(notify, status, { headers })
    phone.toCallee(printMessage(response).toString())
  })
  phone.toCallee(subscribeText('192.0.2.8'))
  await net.run(50)
  const [first] = phone.requests()
  assert.ok(first)
  assert.deepEqual(
    ['Event', 'Subscription-State', 'CSeq', 'Content-Type'].map((name) => first.headers.get(name)),
    ['word;id=7', 'active;expires=600', '1 NOTIFY', 'text/plain'],
  )
  assert.deepEqual([fromTag(first) !== undefined, toTag(first), first.uri], [true, 'phone', 'sip:101@192.0.2.8'])
  assert.match(first.headers.get('Contact') ?? '', /^<sip:102@192\.0\.2\.2:5060>/)

  status = 503
  headers = { 'Retry-After': '20' }
  net.say('102', 'early')
  await net.run(5_000)
  net.say('102', 'ringing')
  await net.run(5_000)
  status = 200
  headers = {}
  await net.run(15_000)
  assert.deepEqual(
    phone.requests().map(({ body }) => Buffer.from(body).toString()),
    ['0::idle', '1:idle:early', '2::ringing'],
  )
  status = 481
  net.say('102', 'talking')
  await net.run(2_000)
  assert.equal(net.notifier.count, 0)
  await assertNothingLeft(net)
})

test('a phone that is busy for no time at all is told again after a pause, not in a circle', async () => {
  const net = await wordsPair()
  const phone = await peer(net, '192.0.2.8')
  phone.on((notify) => {
    const response = createResponse(notify, 503, { headers: { 'Retry-After': '0' } })
    phone.toCallee(printMessage(response).toString())
  })
  phone.toCallee(subscribeText('192.0.2.8'))
  await turn(net.clock, 10_000, 50)
  const notifies = phone.requests().length
  assert.ok(notifies >= 5 && notifies <= 12, String(notifies))
  await Promise.all([net.caller.close(), net.callee.close()])
})

test('a notifier that takes each subscription, tells what is so, and ends it at once is not asked in a circle', async () => {
  const net = await pair()
  const proxy = await peer(net, proxyIp)
  let asked = 0
  proxy.on((request) => {
    if (request.method !== 'SUBSCRIBE') return
    const tag = `t${++asked}`
    proxy.answer(request, 200, tag, { Expires: '600' })
    proxy.notify(request, tag, 1)
    proxy.notify(request, tag, 2, { 'Subscription-State': 'terminated;reason=deactivated' })
  })
  const { subscription } = watch(net.caller, { target })
  await turn(net.clock, 60_000, 50)
  assert.ok(asked >= 3 && asked <= 10, String(asked))
  void subscription.close()
  await turn(net.clock, 70_000, 500)
  await Promise.all([net.caller.close(), net.callee.close()])
})

test('a refresh from another address is refused unless the guard vouches for it; an old one is 500', async () => {
  const net = await wordsPair()
  const phone = await peer(net, '192.0.2.8')
  const forger = await peer(net, '192.0.2.66')
  phone.on((notify) => phone.toCallee(printMessage(createResponse(notify, 200)).toString()))
  phone.toCallee(subscribeText('192.0.2.8'))
  await net.run(50)
  const tag = fromTag(phone.requests()[0] ?? assert.fail()) ?? ''
  const inside = {
    To: `<sip:102@x>;tag=${tag}`,
    Via: 'SIP/2.0/UDP 192.0.2.66;branch=z9hG4bK2',
    CSeq: '2 SUBSCRIBE',
    Expires: '0',
  }
  forger.toCallee(subscribeText('192.0.2.66', inside))
  phone.toCallee(
    subscribeText('192.0.2.8', { ...inside, Via: 'SIP/2.0/UDP 192.0.2.8;branch=z9hG4bK3', CSeq: '1 SUBSCRIBE' }),
  )
  await net.run(50)
  assert.deepEqual(forger.statuses(), [481])
  assert.deepEqual(phone.statuses(), [200, 500])
  assert.equal(net.notifier.count, 1)
  phone.toCallee(subscribeText('192.0.2.8', { ...inside, Via: 'SIP/2.0/UDP 192.0.2.8;branch=z9hG4bK4' }))
  await net.run(50)
  assert.equal(net.notifier.count, 0)
  assert.equal(phone.requests().at(-1)?.headers.get('Subscription-State'), 'terminated;reason=timeout')
  await assertNothingLeft(net)
})
