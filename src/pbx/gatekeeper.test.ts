import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { type Networks, parseNetworks } from '../core/networks.ts'
import { FactBus } from '../events/bus.ts'
import { DigestVerifier, digestHashes } from '../sip/auth/digest.ts'
import { answerChallenge } from '../sip/auth/digest-client.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Address, Verdict } from '../sip/stack.types.ts'
import type { Directory } from './directory.ts'
import { Gatekeeper } from './gatekeeper.ts'
import { extension101, requestWith, trunkWith, udpFlow, unwatched } from './test-support.ts'
import { TrunkLines } from './trunk-lines.ts'

const alice = { ...extension101, hashes: digestHashes('101', 'patchbay', 'right-password') }
const directory = { find: (number: string) => (number === '101' ? alice : undefined) } as Directory
const trunk = trunkWith({ sources: ['198.51.100.1'] })

let clock: FakeClock
let gatekeeper: Gatekeeper
let refused: string[]
let sources: Networks | undefined

/** Where a proxy says that the device is. */
let device: Address | undefined
beforeEach(() => {
  device = undefined
  clock = new FakeClock()
  refused = []
  sources = undefined
  const bus = new FactBus()
  bus.on('security.refused', ({ what, source, why }) => refused.push(`${what} ${source} ${why}`))
  gatekeeper = new Gatekeeper({
    strangers: { ...unwatched, senderOf: (_, flow) => ({ flow, device: device ?? flow.remote }) },
    digest: new DigestVerifier({ realm: 'patchbay', clock }),
    directory,
    trunks: new TrunkLines([trunk], { clock, log: silentLogger, bus, ownHost: () => '203.0.113.1' }),
    sourcesOf: () => sources,
    recordingClients: {
      admits: ({ method, headers }, sender) =>
        parseNetworks(['203.0.113.0/24']).has(sender.device.ip) &&
        (method === 'OPTIONS' || (method === 'INVITE' && headers.get('Require') === 'siprec')),
      hashesOf: (username) => (username === 'sbc' ? digestHashes('sbc', 'patchbay', 'recorders-only') : undefined),
    },
    bus,
    wallMs: () => clock.wallMs(),
  })
})

const challengesIn = (verdict: Verdict): readonly string[] => {
  assert.ok(typeof verdict === 'object')
  assert.equal(verdict.status, 401)
  return [verdict.headers?.['WWW-Authenticate'] ?? []].flat()
}

function authorized(method: string, uri: string, username: string, password: string, flow = udpFlow()): SipRequest {
  const challenges = challengesIn(gatekeeper.admit(requestWith(method, uri, {}), flow))
  const answer = answerChallenge({ challenges, method, uri, credentials: { username, password }, nonceCount: 1 })
  assert.ok(answer)
  return requestWith(method, uri, { Authorization: answer })
}

/** What a stranger can see of an answer, the nonce aside. */
const visible = (verdict: Verdict): readonly string[] =>
  challengesIn(verdict).map((line) => line.replace(/nonce="[^"]*"/, 'nonce'))

test('a stranger gets the same 401 whatever method, user or number it names', () => {
  const asked = [
    requestWith('INVITE', 'sip:101@patchbay', {}),
    requestWith('INVITE', 'sip:999@patchbay', { From: '<sip:nobody@patchbay>;tag=1' }),
    requestWith('REGISTER', 'sip:patchbay', { To: '<sip:999@patchbay>' }),
    requestWith('OPTIONS', 'sip:101@patchbay', {}),
    requestWith('SUBSCRIBE', 'sip:101@patchbay', {}),
  ].map((request) => visible(gatekeeper.admit(request, udpFlow())))
  for (const answer of asked) assert.deepEqual(answer, asked[0])
  assert.match(asked[0]?.[0] ?? '', /algorithm=SHA-256/)
  assert.match(asked[0]?.[1] ?? '', /algorithm=MD5/)
})

test('an unknown user and a wrong password look alike, and both are told', () => {
  const unknown = gatekeeper.admit(authorized('REGISTER', 'sip:patchbay', '999', 'x'), udpFlow())
  const wrong = gatekeeper.admit(authorized('REGISTER', 'sip:patchbay', '101', 'wrong'), udpFlow())
  assert.deepEqual(visible(unknown), visible(wrong))
  assert.deepEqual(refused, ['register 192.0.2.10 wrong', 'register 192.0.2.10 wrong'])
})

test('who knows the password comes in, and the handler learns who it is', () => {
  const request = authorized('REGISTER', 'sip:patchbay', '101', 'right-password')
  assert.equal(gatekeeper.admit(request, udpFlow()), 'pass')
  assert.deepEqual(gatekeeper.identityOf(request), { kind: 'extension', extension: alice })
})

test('who knows the password and comes from the wrong place is refused like any other, and told why', () => {
  sources = parseNetworks(['192.0.2.10'])
  const here = authorized('REGISTER', 'sip:patchbay', '101', 'right-password')
  assert.equal(gatekeeper.admit(here, udpFlow('192.0.2.10')), 'pass')
  const there = authorized('REGISTER', 'sip:patchbay', '101', 'right-password')
  const guess = authorized('REGISTER', 'sip:patchbay', '101', 'wrong')
  const elsewhere = udpFlow('192.0.2.11')
  assert.deepEqual(visible(gatekeeper.admit(there, elsewhere)), visible(gatekeeper.admit(guess, elsewhere)))
  assert.deepEqual(refused, ['register 192.0.2.11 source', 'register 192.0.2.11 source'])
})

test('an answer in Proxy-Authorization is taken as well', () => {
  const request = authorized('INVITE', 'sip:102@patchbay', '101', 'right-password')
  request.headers.set('Proxy-Authorization', request.headers.get('Authorization') ?? '')
  request.headers.remove('Authorization')
  assert.equal(gatekeeper.admit(request, udpFlow()), 'pass')
})

test('the same credentials sent again are challenged as stale, not taken (RFC 7616 §3.3)', () => {
  const request = authorized('REGISTER', 'sip:patchbay', '101', 'right-password')
  gatekeeper.admit(request, udpFlow())
  const replay = requestWith('REGISTER', 'sip:patchbay', { Authorization: request.headers.get('Authorization') ?? '' })
  assert.match(challengesIn(gatekeeper.admit(replay, udpFlow('203.0.113.250')))[0] ?? '', /stale=true/)
  assert.equal(gatekeeper.identityOf(replay), undefined)
})

test('a nonce that grew old is challenged as stale', () => {
  const request = authorized('REGISTER', 'sip:patchbay', '101', 'right-password')
  clock.advance(61_000)
  assert.match(challengesIn(gatekeeper.admit(request, udpFlow()))[0] ?? '', /stale=true/)
  assert.deepEqual(refused, [])
})

test('a scanner that says its name gets no answer', () => {
  const request = requestWith('OPTIONS', 'sip:100@patchbay', { 'User-Agent': 'friendly-scanner' })
  assert.equal(gatekeeper.admit(request, udpFlow()), 'drop')
})

test('a trunk calls in by its address, but cannot register', () => {
  const call = requestWith('INVITE', 'sip:+4930@patchbay', { From: '<sip:+49171@carrier.example>;tag=1' })
  assert.equal(gatekeeper.admit(call, udpFlow('198.51.100.1')), 'pass')
  assert.equal(gatekeeper.identityOf(call)?.kind, 'trunk')
  challengesIn(gatekeeper.admit(requestWith('REGISTER', 'sip:patchbay', {}), udpFlow('198.51.100.1')))
})

test('inside a call another server of the trunk is the trunk, and a phone elsewhere is challenged', () => {
  const inside = { To: '<sip:101@patchbay>;tag=ours' }
  assert.equal(gatekeeper.admit(requestWith('BYE', 'sip:patchbay', inside), udpFlow('198.51.100.1')), 'pass')
  for (const ip of ['203.0.113.9', '192.0.2.77'])
    assert.equal(challengesIn(gatekeeper.admit(requestWith('BYE', 'sip:patchbay', inside), udpFlow(ip))).length, 2)
})

test('a SIPREC source may record and ask for life signs, and may not call', () => {
  const from = udpFlow('203.0.113.5')
  assert.equal(gatekeeper.admit(requestWith('INVITE', 'sip:srs@patchbay', { Require: 'siprec' }), from), 'pass')
  assert.equal(gatekeeper.admit(requestWith('OPTIONS', 'sip:srs@patchbay', {}), from), 'pass')
  challengesIn(gatekeeper.admit(requestWith('INVITE', 'sip:101@patchbay', {}), from))
  challengesIn(
    gatekeeper.admit(requestWith('INVITE', 'sip:srs@patchbay', { Require: 'siprec' }), udpFlow('192.0.2.99')),
  )
})

test('a recording client from anywhere proves itself by the password of its peer', () => {
  const proven = authorized('INVITE', 'sip:srs@patchbay', 'sbc', 'recorders-only', udpFlow('192.0.2.99'))
  assert.equal(gatekeeper.admit(proven, udpFlow('192.0.2.99')), 'pass')
  assert.deepEqual(gatekeeper.identityOf(proven), { kind: 'siprec', username: 'sbc' })
  const guessed = authorized('INVITE', 'sip:srs@patchbay', 'sbc', 'wrong', udpFlow('192.0.2.99'))
  challengesIn(gatekeeper.admit(guessed, udpFlow('192.0.2.99')))
})

const record = () => requestWith('INVITE', 'sip:srs@patchbay', { Require: 'siprec' })

test('who comes through a proxy is no SIPREC source for it: a browser, or whom a trusted proxy saw elsewhere', () => {
  const proxy = udpFlow('203.0.113.5')
  challengesIn(gatekeeper.admit(record(), { ...proxy, transport: 'ws', reliable: true }))
  challengesIn(gatekeeper.admit(record(), { ...udpFlow(carrierIp), transport: 'wss', reliable: true }))
  device = { ip: '192.0.2.66', port: 5060 }
  challengesIn(gatekeeper.admit(record(), proxy))
})

test('a phone known to give up at SHA-256 is offered MD5 alone, and comes in with it', () => {
  const userAgent = { 'User-Agent': 'baresip v1.0.0 (x86_64/linux)' }
  const challenges = challengesIn(gatekeeper.admit(requestWith('REGISTER', 'sip:patchbay', userAgent), udpFlow()))
  assert.equal(challenges.length, 1)
  assert.match(challenges[0] ?? '', /algorithm=MD5/)
  const answer = answerChallenge({
    challenges,
    method: 'REGISTER',
    uri: 'sip:patchbay',
    credentials: { username: '101', password: 'right-password' },
    nonceCount: 1,
  })
  const request = requestWith('REGISTER', 'sip:patchbay', { ...userAgent, Authorization: answer ?? '' })
  assert.equal(gatekeeper.admit(request, udpFlow()), 'pass')
})

const carrierIp = '198.51.100.1'

test("a phone at a trunk's address is a phone: when it answers a challenge, and when it names itself here", () => {
  const named = { From: '<sip:101@patchbay>;tag=1' }
  const call = requestWith('INVITE', 'sip:102@patchbay', named)
  challengesIn(gatekeeper.admit(call, udpFlow(carrierIp)))
  const answered = authorized('INVITE', 'sip:102@patchbay', '101', 'right-password', udpFlow(carrierIp))
  assert.equal(gatekeeper.admit(answered, udpFlow(carrierIp)), 'pass')
  assert.equal(gatekeeper.identityOf(answered)?.kind, 'extension')
  const guessed = authorized('INVITE', 'sip:102@patchbay', '101', 'wrong', udpFlow(carrierIp))
  challengesIn(gatekeeper.admit(guessed, udpFlow(carrierIp)))
})

test('a carrier whose caller has the number of an extension is the carrier: it names its own host', () => {
  for (const from of ['<sip:101@carrier.example>;tag=1', '<sip:+4930555@patchbay>;tag=1', '<tel:101>;tag=1']) {
    const call = requestWith('INVITE', 'sip:+4930@patchbay', { From: from })
    assert.equal(gatekeeper.admit(call, udpFlow(carrierIp)), 'pass', from)
    assert.equal(gatekeeper.identityOf(call)?.kind, 'trunk', from)
  }
})

test("a carrier's answer to somebody else's challenge makes it no phone", () => {
  const call = requestWith('INVITE', 'sip:+4930@patchbay', {
    From: '<sip:+4930555@carrier.example>;tag=1',
    Authorization: 'Digest username="x", realm="carrier.example", nonce="1", uri="sip:x", response="0"',
  })
  assert.equal(gatekeeper.admit(call, udpFlow(carrierIp)), 'pass')
})
