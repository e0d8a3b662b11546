/**
 * What attackers do, against the real server over loopback: scanners, floods, replays, forgers, injected dial strings.
 *
 * Elsewhere: torture messages and slow senders (src/sip/), RTP from a third address (src/media/worker/source-lock.test.ts).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { answerChallenge } from '../src/sip/auth/digest-client.ts'
import type { SipResponse } from '../src/sip/message/types.ts'
import { startTestServer, type TestServer } from './support/in-process.ts'
import { Stranger } from './support/stranger.ts'
import { until } from './support/until.ts'

/** Where the carrier would be: the trunk leads to this loopback address, at which the test listens. */
const carrierIp = '127.0.0.9'
/** A recording client may ask for life signs without credentials. */
const recorderIp = '127.0.0.8'

let server: TestServer
let carrier: Stranger
let scanner: Stranger
let pbx: string
before(async () => {
  server = await startTestServer({
    'siprec.allowedSources': [recorderIp],
    trunks: [
      { name: 'carrier', host: carrierIp, port: 5999, sources: [carrierIp], outbound: [{ prefix: '00', strip: 0 }] },
    ],
  })
  pbx = `${server.sip.ip}:${server.sip.port}`
  carrier = await Stranger.at(carrierIp, server.sip)
  scanner = await Stranger.at('127.0.0.6', server.sip)
  await server.passwordOf('101')
})
after(async () => {
  carrier.close()
  scanner.close()
  await server.close()
})

const liveCalls = async (): Promise<number> => (await server.api.liveCalls()).items.length

/** What a stranger sees of an answer, its own words and the nonce aside. */
const seen = (response: SipResponse | undefined): string | undefined =>
  response &&
  `${response.status} ${response.reason} ${[...response.headers.entries()]
    .filter(([name]) => !['Via', 'From', 'To', 'Call-ID', 'CSeq'].includes(name))
    .map(([name, value]) => `${name}: ${value.replace(/nonce="[^"]*"/, '')}`)
    .join('|')}`

/** Credentials for a request, by the challenge of an answer. */
function signed(challenged: SipResponse | undefined, method: string, uri: string, password: string): string {
  const challenges = challenged?.headers.all('WWW-Authenticate') ?? []
  const credentials = { username: '101', password }
  return answerChallenge({ challenges, method, uri, credentials, nonceCount: 1 }) ?? ''
}

test('who tries numbers learns nothing: known and unknown get the same answer to every method', async () => {
  const answers = new Set<string | undefined>()
  for (const method of ['REGISTER', 'INVITE', 'OPTIONS', 'SUBSCRIBE', 'MESSAGE', 'REFER', 'PUBLISH'])
    for (const number of ['101', '999', 'admin'])
      answers.add(seen(await scanner.ask({ method, uri: `sip:${number}@${pbx}`, from: `sip:${number}@${pbx}` })))
  assert.equal(answers.size, 1)
  assert.match([...answers][0] ?? '', /^401 Unauthorized WWW-Authenticate: Digest realm=/)
  assert.doesNotMatch([...answers][0] ?? '', /Server|User-Agent|Allow/)
})

test('floods of OPTIONS and SUBSCRIBE leave nothing behind, and a phone at the same address goes on', async (t) => {
  await server.phone('102')
  const alice = await server.phone('101', { ip: '127.0.0.6' })
  const recorder = await Stranger.at(recorderIp, server.sip)
  t.after(() => recorder.close())
  assert.equal((await recorder.ask({ method: 'OPTIONS', uri: `sip:${pbx}` }))?.status, 200)
  for (let n = 0; n < 2_000; n++) {
    const uri = `sip:${n}@${pbx}`
    recorder.send({ method: 'OPTIONS', uri })
    scanner.send({ method: 'OPTIONS', uri })
    scanner.send({ method: 'SUBSCRIBE', uri, headers: { Event: 'presence' } })
    if (n % 100 === 0) await new Promise((go) => setImmediate(go))
  }
  const outcome = await alice.call('102').outcome
  assert.ok(outcome.answered)
  await alice.register()
  const metrics = await (await fetch(`${server.running.url}/metrics`)).text()
  const transactions = Number(/^patchbay_sip_transactions(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1] ?? Number.NaN)
  assert.ok(transactions < 20, `${transactions} transactions`)
  await outcome.call.hangUp()
  await until('nothing to live', 5_000, async () => (await liveCalls()) === 0)
})

test('a REGISTER that was overheard is refused when it comes again, from anywhere', async (t) => {
  const uri = `sip:${pbx}`
  const from = `sip:101@${pbx}`
  const challenged = await scanner.ask({ method: 'REGISTER', uri, from })
  const Authorization = signed(challenged, 'REGISTER', uri, await server.passwordOf('101'))
  const own = await scanner.ask({ method: 'REGISTER', uri, from, headers: { Authorization, Expires: '600' } })
  assert.equal(own?.status, 200)
  const thief = await Stranger.at('127.0.0.7', server.sip)
  t.after(() => thief.close())
  const again = await thief.ask({ method: 'REGISTER', uri, from, headers: { Authorization, Expires: '600' } })
  assert.equal(again?.status, 401)
  const { items } = await server.api.registrations('101')
  assert.ok(items.every(({ source }) => source.startsWith('127.0.0.6:')))
})

test('one nonce serves no series of guesses: each count works once and a wrong one is refused as wrong', async (t) => {
  const uri = `sip:${pbx}`
  const from = `sip:101@${pbx}`
  const guesser = await Stranger.at('127.0.0.4', server.sip)
  t.after(() => guesser.close())
  const challenged = await guesser.ask({ method: 'REGISTER', uri, from })
  for (let guess = 0; guess < 20; guess++) {
    const Authorization = signed(challenged, 'REGISTER', uri, `guess ${guess}`)
    const refused = await guesser.ask({ method: 'REGISTER', uri, from, headers: { Authorization } })
    assert.equal(refused?.status, 401)
    assert.doesNotMatch(seen(refused) ?? '', /stale/)
  }
})

test('a call to a premium number without credentials is challenged, and nobody is called', async () => {
  for (const uri of [`sip:00900123456@${pbx}`, `sip:+882123@${pbx}`, 'tel:00900123456'])
    assert.equal((await scanner.ask({ method: 'INVITE', uri }))?.status, 401)
  assert.equal(await liveCalls(), 0)
})

test('a dear number is refused to an extension that has a rule for it, and the history says why', async (t) => {
  const dialler = await Stranger.at('127.0.0.67', server.sip)
  t.after(() => dialler.close())
  const password = await server.passwordOf('101')
  const before = carrier.received
  for (const uri of [`sip:00882123456@${pbx}`, `sip:00252612345678@${pbx}`]) {
    const challenged = await dialler.ask({ method: 'INVITE', uri })
    const Authorization = signed(challenged, 'INVITE', uri, password)
    assert.equal((await dialler.ask({ method: 'INVITE', uri, headers: { Authorization } }))?.status, 403)
  }
  await until('the calls to be written', 5_000, async () => {
    const { items } = await server.api.calls({ search: '00882123456' })
    return items[0]?.endReason === 'not-allowed'
  })
  assert.equal(carrier.received, before)
})

test('a dial string cannot aim a call at another host', async (t) => {
  const evil = await Stranger.at('127.0.0.66', server.sip)
  t.after(() => evil.close())
  for (const user of ['00%40127.0.0.66', '00%40127.0.0.66%3Bx', '00;x=y', '00900&PJSIP%2F1', '00$%7BEXTEN%7D']) {
    const uri = `sip:${user}@${pbx}`
    const challenged = await scanner.ask({ method: 'INVITE', uri })
    const Authorization = signed(challenged, 'INVITE', uri, await server.passwordOf('101'))
    const refused = await scanner.ask({ method: 'INVITE', uri, headers: { Authorization } })
    assert.equal(refused?.status, 404, user)
  }
  await until('nothing to live', 5_000, async () => (await liveCalls()) === 0)
})

test('BYE, REFER and re-INVITE forged from another address touch no call', async () => {
  const alice = await server.phone('101')
  const bob = await server.phone('102')
  const answered = bob.nextCall()
  const outcome = await alice.call('102').outcome
  assert.ok(outcome.answered)
  await answered
  const [live] = (await server.api.liveCalls()).items
  assert.ok(live)
  const { items } = await server.api.messages(live.id)
  const ack = items.find(({ summary, direction }) => direction === 'in' && summary.startsWith('ACK '))
  assert.ok(ack)
  const header = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(ack.text)?.[1]?.trim() ?? ''
  for (const method of ['BYE', 'REFER', 'INVITE', 'UPDATE', 'INFO']) {
    const headers = { From: header('From'), To: header('To'), 'Call-ID': header('Call-ID'), CSeq: `99 ${method}` }
    const refused = await scanner.ask({ method, uri: `sip:102@${pbx}`, headers })
    assert.ok(refused && refused.status >= 400, `${method} ${refused?.status}`)
  }
  assert.equal(await liveCalls(), 1)
  await outcome.call.hangUp()
  await until('nothing to live', 5_000, async () => (await liveCalls()) === 0)
})

test('of a caller the called side sees its number and its name, and nothing of its network', async (t) => {
  const outsider = await Stranger.at('127.0.0.99', server.sip)
  t.after(() => outsider.close())
  const bob = await server.phone('102')
  const uri = `sip:102@${pbx}`
  const own = {
    'User-Agent': 'Inner-Phone 1.2',
    'X-Inner': 'rack 7',
    'P-Asserted-Identity': '<sip:boss@inner.example>',
    'Record-Route': '<sip:proxy.inner.example;lr>',
    Contact: '<sip:x@10.1.2.3:5099>',
    'Call-Info': '<http://10.1.2.3/face.jpg>',
  }
  const challenged = await outsider.ask({ method: 'INVITE', uri, headers: own })
  const Authorization = signed(challenged, 'INVITE', uri, await server.passwordOf('101'))
  const description =
    'v=0\r\no=inner 77 77 IN IP4 10.1.2.3\r\ns=inner\r\nc=IN IP4 127.0.0.99\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
  const answered = bob.nextCall()
  const { callId } = outsider.send({
    method: 'INVITE',
    uri,
    headers: { ...own, Authorization, 'Content-Type': 'application/sdp', 'Content-Length': String(description.length) },
    body: description,
  })
  const call = await answered
  const [live] = (await server.api.liveCalls()).items
  assert.ok(live)
  const { items } = await server.api.messages(live.id)
  const toBob = items.filter(
    ({ direction, text }) => direction === 'out' && text.startsWith('INVITE ') && !text.includes(callId),
  )
  assert.ok(toBob.length > 0)
  for (const { text } of toBob) {
    assert.match(text, /^From: .*101@/m)
    for (const inner of ['Inner', 'inner', 'rack 7', '10.1.2.3', '127.0.0.99', callId, 'z9hG4bK127.0.0.99'])
      assert.ok(!text.includes(inner), `${inner} in\n${text}`)
  }
  await call.hangUp()
  await until('nothing to live', 5_000, async () => (await liveCalls()) === 0)
})

test('a server that was attacked stands as before: no call, no recording, and its own phones ring', async () => {
  const alice = await server.phone('101')
  await server.phone('102')
  const outcome = await alice.call('102').outcome
  assert.ok(outcome.answered)
  await outcome.call.hangUp()
  assert.equal((await server.api.calls({ search: '00900' })).items.filter(({ answeredAtMs }) => answeredAtMs).length, 0)
})
