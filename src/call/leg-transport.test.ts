import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakePort } from '../media/test-support.ts'
import { attributeOf } from '../sdp/media.ts'
import { parseSdp } from '../sdp/parse.ts'
import type { SessionDescription } from '../sdp/types.ts'
import { LegMedia, type LegMediaOptions } from './leg-media.ts'

const ip = '203.0.113.5'
const leg = (options: LegMediaOptions = {}) => {
  const port = new FakePort(20_000)
  return { port, media: new LegMedia(port, ip, options) }
}

function read(text: string): SessionDescription {
  const parsed = parseSdp(text)
  assert.ok(parsed.ok)
  return parsed.description
}

const ours = (text: string, name: string): string | undefined => {
  const description = read(text)
  const [media] = description.media
  return (media && attributeOf(media, name)) ?? attributeOf(description, name)
}

interface BrowserWish {
  readonly user?: string
  readonly setup?: string
  readonly session?: readonly string[]
  readonly more?: readonly string[]
}

/** As Chromium writes it, shortened. */
const browser = ({ user = 'u1u1', setup = 'actpass', session = [], more = [] }: BrowserWish = {}): string =>
  [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    ...session,
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8',
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=candidate:1 1 udp 2122 7f1c.local 50000 typ host',
    `a=ice-ufrag:${user}`,
    'a=ice-pwd:theirpasswordof22chars0',
    'a=ice-options:trickle',
    'a=fingerprint:sha-256 11:22',
    `a=setup:${setup}`,
    'a=mid:0',
    'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'a=sendrecv',
    'a=msid:- track',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=ssrc:1 cname:x',
    ...more,
    '',
  ].join('\r\n')

const fingerprints = [{ hash: 'sha-256', value: '11:22' }]
const theirs = { user: 'u1u1', password: 'theirpasswordof22chars0' }

test('the offer of a browser is answered by a lite agent with its address, one bundle, and our certificate', () => {
  const { port, media } = leg()
  const answer = media.answer(browser())
  const [audio] = read(answer).media
  assert.equal(audio?.protocol, 'UDP/TLS/RTP/SAVPF')
  assert.equal(audio.port, 20_000)
  assert.match(answer, /a=group:BUNDLE 0\r\n[^]*a=ice-lite\r\n[^]*m=audio/)
  assert.match(answer, /a=candidate:1 1 UDP 2130706431 203\.0\.113\.5 20000 typ host\r\n/)
  assert.equal(ours(answer, 'mid'), '0')
  assert.equal(ours(answer, 'setup'), 'passive')
  assert.equal(ours(answer, 'fingerprint'), 'sha-256 AB:CD')
  assert.equal(ours(answer, 'rtcp-mux'), '')
  assert.doesNotMatch(answer, /extmap|msid|ssrc|\.local/)
  const described = port.descriptions.at(-1)
  assert.deepEqual(described?.srtp, { side: 'server', fingerprints })
  assert.deepEqual(described?.ice, {
    local: { user: ours(answer, 'ice-ufrag'), password: ours(answer, 'ice-pwd') },
    remote: theirs,
  })
  assert.equal(media.held, false, 'an address of zeros is no hold where ICE finds the way')
})

test('a browser that rings is offered what it needs, and its checks may come before its answer', () => {
  const { port, media } = leg({ browser: true, srtp: 'none' })
  const offer = media.offer()
  const [audio] = read(offer).media
  assert.equal(audio?.protocol, 'UDP/TLS/RTP/SAVPF')
  assert.equal(ours(offer, 'setup'), 'actpass')
  assert.equal(ours(offer, 'group'), `BUNDLE ${ours(offer, 'mid')}`)
  assert.notEqual(ours(offer, 'ice-lite'), undefined)
  const local = { user: ours(offer, 'ice-ufrag'), password: ours(offer, 'ice-pwd') }
  const waiting = port.descriptions.at(-1)
  assert.deepEqual([waiting?.srtp, waiting?.ice], ['awaited', { local }])
  media.takeAnswer(browser({ setup: 'active' }))
  const described = port.descriptions.at(-1)
  assert.deepEqual(described?.srtp, { side: 'server', fingerprints })
  assert.deepEqual(described?.ice, { local, remote: theirs })
})

test('devices that ring on one port are given the same credentials; a leg of its own gets others', () => {
  const ice = { user: 'shared+/', password: 'a-password-of-22-chars' }
  const offers = [0, 1].map(() => leg({ browser: true, ice }).media.offer())
  assert.deepEqual(
    offers.map((offer) => ours(offer, 'ice-ufrag')),
    ['shared+/', 'shared+/'],
  )
  assert.notEqual(ours(leg({ browser: true }).media.offer(), 'ice-ufrag'), 'shared+/')
})

test('an offer that says the same again changes nothing; a restart of ICE is answered with other credentials', () => {
  const { port, media } = leg()
  const first = media.answer(browser())
  const again = media.answer(browser())
  assert.equal(ours(again, 'ice-ufrag'), ours(first, 'ice-ufrag'))
  assert.equal(ours(again, 'setup'), 'passive')
  const restarted = media.answer(browser({ user: 'u2u2' }))
  assert.notEqual(ours(restarted, 'ice-ufrag'), ours(first, 'ice-ufrag'))
  assert.notEqual(ours(restarted, 'ice-pwd'), ours(first, 'ice-pwd'))
  assert.deepEqual(port.descriptions.at(-1)?.srtp, { side: 'server', fingerprints }, 'the keys stay')
})

test('an offer of ours in a call with a browser keeps its stream, its certificate and its checks', () => {
  const { media } = leg()
  const answer = media.answer(browser())
  const offer = media.offer()
  for (const name of ['mid', 'ice-ufrag', 'ice-pwd', 'fingerprint', 'group'])
    assert.equal(ours(offer, name), ours(answer, name), name)
  assert.equal(ours(offer, 'setup'), 'actpass')
})

test('a browser on another port checks and shakes hands anew', () => {
  const { media } = leg()
  const answer = media.answer(browser())
  const other = new FakePort(20_002)
  const moved = new LegMedia(other, ip, { before: media })
  const offer = moved.offer()
  assert.notEqual(ours(offer, 'ice-ufrag'), ours(answer, 'ice-ufrag'))
  assert.match(offer, /typ host/)
  assert.equal(read(offer).media[0]?.protocol, 'UDP/TLS/RTP/SAVPF')
  moved.takeAnswer(browser({ setup: 'active', user: 'u2u2' }))
  assert.deepEqual(other.descriptions.at(-1)?.ice?.remote?.user, 'u2u2')
})

test('a peer that is lite too is sent to where its description says (RFC 8445 §6.1.1)', () => {
  const { port, media } = leg()
  const answer = media.answer(browser({ session: ['a=ice-lite'] }))
  assert.equal(port.descriptions.at(-1)?.ice, undefined)
  assert.notEqual(ours(answer, 'ice-ufrag'), undefined)
})

test('ICE without RTCP on the port of RTP is left out: a lite agent has one address', () => {
  const { port, media } = leg()
  const answer = media.answer(browser().replace('a=rtcp-mux\r\n', ''))
  assert.equal(port.descriptions.at(-1)?.ice, undefined)
  assert.equal(ours(answer, 'ice-ufrag'), undefined)
  assert.equal(ours(answer, 'ice-lite'), undefined)
})

test('the video of a browser is refused, and the audio is the bundle', () => {
  const video = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 0.0.0.0', 'a=mid:1', 'a=rtpmap:96 VP8/90000']
  const offer = browser({ more: video }).replace('BUNDLE 0', 'BUNDLE 0 1')
  const answer = leg().media.answer(offer)
  const { media } = read(answer)
  assert.deepEqual(
    media.map(({ type, port }) => `${type} ${port}`),
    ['audio 20000', 'video 0'],
  )
  assert.equal(ours(answer, 'group'), 'BUNDLE 0')
})

test('phones without any of it get none of it', () => {
  const { port, media } = leg()
  const answer = media.answer(
    'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n',
  )
  assert.doesNotMatch(answer, /ice|candidate|fingerprint|setup|mid|group/)
  assert.doesNotMatch(leg().media.offer(), /ice|candidate|fingerprint|setup|mid|group/)
  assert.equal(port.descriptions.at(-1)?.ice, undefined)
})

test('a browser behind a proxy is told all our addresses, the one that its signalling came to first', () => {
  const answer = leg({ alsoAt: () => ['198.51.100.1', ip, '10.0.0.1'] }).media.answer(browser())
  assert.deepEqual(
    [...answer.matchAll(/a=candidate:\d 1 UDP \d+ (\S+) /g)].map(([, address]) => address),
    [ip, '198.51.100.1', '10.0.0.1'],
  )
})

test('a description of ours that was an answer can be offered again as it is, to refresh the session', () => {
  const { port, media } = leg()
  media.answer(browser())
  media.takeAnswer(browser({ setup: 'active' }))
  const [before, after] = port.descriptions.slice(-2)
  assert.deepEqual([after?.srtp, after?.ice, after?.receive], [before?.srtp, before?.ice, before?.receive])
})
