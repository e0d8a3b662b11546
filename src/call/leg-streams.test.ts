import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMedia } from '../media/test-support.ts'
import { cryptoAttribute, newSrtpKey, usableCryptos } from '../sdp/crypto.ts'
import type { SdpMedia, SessionDescription } from '../sdp/types.ts'
import { LegCrypto } from './leg-crypto.ts'
import { LegStreams } from './leg-streams.ts'
import { SideStreams } from './side-streams.ts'
import { parsed, sdp } from './streams-test-support.ts'

const audio = 'm=audio 4000 RTP/AVP 0'
const line = `a=crypto:${cryptoAttribute({ tag: 1, key: newSrtpKey('AES_CM_128_HMAC_SHA1_80') }).value}`
const secure = parsed(sdp(1, audio, 'm=video 4002 RTP/SAVPF 96', line))
const plain = parsed(sdp(1, audio, 'm=video 5002 RTP/AVPF 96'))

/** The streams of a call whose callee has video. */
async function streamsOf(offer: SessionDescription): Promise<SideStreams> {
  const session = new FakeMedia().openSession('call')
  const streams = new SideStreams({ openRelay: () => session.openPort(), bridge: () => undefined })
  await streams.prepare(offer)
  streams.learn('callee', plain)
  return streams
}

const keyIn = (media: SdpMedia | 'audio' | undefined): string => {
  assert.ok(typeof media === 'object')
  const [found] = usableCryptos(media)
  assert.ok(found)
  return Buffer.from(found.key.master).toString('base64')
}

test('a key stays as long as its port does; streams that end and begin anew have others', async () => {
  const leg = new LegStreams(new LegCrypto('accepted'), { of: await streamsOf(secure), side: 'caller' })
  const first = keyIn(leg.answer(leg.usable(secure)).lines[1])
  assert.equal(keyIn(leg.answer(leg.usable(secure)).lines[1]), first)
  assert.equal(keyIn(leg.plan()?.[1]), first)
  leg.leave()
  assert.equal(leg.plan(), undefined)
  leg.join({ of: await streamsOf(secure), side: 'caller' })
  assert.notEqual(keyIn(leg.plan()?.[1]), first)
  assert.notEqual(keyIn(leg.answer(leg.usable(secure)).lines[1]), first)
})

/** What is left of an offer in the clear. */
const ports = (streams: LegStreams): number[] => streams.usable(plain).media.map(({ port }) => port)

test('video that was encrypted once is not taken in plain later, nor by the same peer on other ports', async () => {
  const audioCrypto = new LegCrypto('accepted')
  const leg = new LegStreams(audioCrypto, { of: await streamsOf(secure), side: 'caller' })
  assert.deepEqual(ports(leg), [4000, 5002])
  leg.answer(leg.usable(secure))
  assert.deepEqual(ports(leg), [4000, 0])
  leg.leave()
  assert.deepEqual(ports(leg), [4000, 0])
  assert.deepEqual(ports(new LegStreams(audioCrypto.onAnotherPort(), undefined, leg)), [4000, 0])
})

const own = () => ({ hash: 'sha-256', value: '01:02' })

test('a browser is offered neither video nor fax', async () => {
  const crypto = new LegCrypto('accepted', { own, browser: true })
  const streams = await streamsOf(plain)
  const leg = new LegStreams(crypto, { of: streams, side: 'caller' })
  assert.deepEqual(
    leg.plan()?.map((each) => (each === 'audio' ? each : each.port)),
    ['audio', 0],
  )
  streams.learn('callee', parsed(sdp(1, audio, 'm=image 5002 udptl t38')))
  assert.deepEqual(
    leg.plan()?.map((each) => (each === 'audio' ? each : each.port)),
    ['audio', 0],
  )
})
