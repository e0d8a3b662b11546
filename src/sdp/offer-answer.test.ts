import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectionOf, directionOf, formatsOf, pcma, pcmu, telephoneEvent } from './media.ts'
import { answerDirection, answerOffer, commonFormats, createAudioOffer } from './offer-answer.ts'
import { parseSdp } from './parse.ts'
import { printSdp } from './print.ts'
import type { Direction, SdpFormat, SdpMedia, SessionDescription } from './types.ts'

interface Case {
  readonly name: string
  readonly offer: string
}

const file = join(import.meta.dirname, '../../test/data/sdp/cases.json')
const cases = new Map(
  (JSON.parse(readFileSync(file, 'utf8')) as readonly Case[]).map((each) => [each.name, each.offer]),
)

function read(text: string | undefined): SessionDescription {
  const result = parseSdp(text ?? '')
  assert.ok(result.ok)
  return result.description
}

const ours = [pcmu, pcma, telephoneEvent]

/** As the platform answers: audio over plain RTP with a known address and an encoding in common. */
const answer = (offer: SessionDescription, supported: readonly SdpFormat[] = ours) =>
  answerOffer(offer, {
    address: '192.0.2.100',
    sessionId: '77',
    version: 3,
    accept(media, index) {
      const formats = commonFormats(formatsOf(media), supported)
      const usable = media.type === 'audio' && media.protocol === 'RTP/AVP' && connectionOf(offer, media)
      if (!usable || formats.length === 0) return undefined
      return { port: 40_000 + 2 * index, formats, direction: answerDirection(directionOf(offer, media), 'sendrecv') }
    },
  })

const lines = (description: SessionDescription) => printSdp(description).split('\r\n').slice(0, -1)
const streams = (description: SessionDescription) =>
  description.media.map((media: SdpMedia) => `${media.type} ${media.port} ${media.protocol} ${media.formats.join(' ')}`)

test('an offer says what we take, where, and which way', () => {
  const offer = createAudioOffer({
    address: '192.0.2.100',
    port: 40_000,
    sessionId: '77',
    version: 1,
    formats: ours,
    direction: 'sendrecv',
    ptimeMs: 20,
    label: '1',
  })

  assert.deepEqual(lines(offer), [
    'v=0',
    'o=- 77 1 IN IP4 192.0.2.100',
    's=-',
    'c=IN IP4 192.0.2.100',
    't=0 0',
    'm=audio 40000 RTP/AVP 0 8 101',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    'a=sendrecv',
    'a=label:1',
  ])
})

test('an IPv6 address is named as such', () => {
  const offer = createAudioOffer({
    address: '2001:db8::1',
    port: 4_000,
    sessionId: '1',
    version: 1,
    formats: [pcmu],
    direction: 'sendrecv',
  })

  assert.equal(lines(offer)[3], 'c=IN IP6 2001:db8::1')
})

test('every m-line is answered in its place; refused ones keep protocol and formats (RFC 3264 §6)', () => {
  assert.deepEqual(streams(answer(read(cases.get('rfc4317-2.2')))), [
    'audio 40000 RTP/AVP 0 8',
    'video 0 RTP/AVP 31 32',
  ])
  assert.deepEqual(streams(answer(read(cases.get('rfc4317-2.3')))), ['audio 0 RTP/AVP 99', 'video 0 RTP/AVP 31 32'])
  assert.deepEqual(streams(answer(read(cases.get('rfc4317-2.4')))), ['audio 40000 RTP/AVP 0', 'audio 0 RTP/AVP 98'])
  assert.deepEqual(streams(answer(read(cases.get('odd-but-legal')))), [
    'audio 40000 RTP/AVP 0',
    'image 0 udptl t38',
    'application 0 TCP/BFCP *',
  ])
  assert.deepEqual(streams(answer(read(cases.get('sdes-two-suites')))), ['audio 0 RTP/SAVP 0'])
  assert.deepEqual(streams(answer(read(cases.get('rfc4317-5.1-no-media')))), [])
})

test('a stream without any address is not accepted by an answerer who asks for one', () => {
  assert.deepEqual(streams(answer(read(cases.get('bad-no-c')))), ['audio 0 RTP/AVP 0'])
})

test('the telephone-event of the clock rate we have is taken, with the payload type of the offer (RFC 4733 §2.1)', () => {
  const offer = read(cases.get('dtmf-two-rates'))

  assert.deepEqual(streams(answer(offer)), ['audio 40000 RTP/AVP 0 102'])
  assert.ok(lines(answer(offer)).includes('a=fmtp:102 0-16'))
  const opus = { payloadType: 96, encoding: 'OPUS', clockRateHz: 48_000, channels: 2 }
  const wideEvents = { ...telephoneEvent, clockRateHz: 48_000 }
  assert.deepEqual(streams(answer(offer, [wideEvents, telephoneEvent, opus])), ['audio 40000 RTP/AVP 111 101'])
})

const askedInVain = () => assert.fail('asked')

test('an m-line that the offer disables is not asked about', () => {
  const offer = read('v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n')
  assert.deepEqual(
    streams(answerOffer(offer, { address: '192.0.2.2', sessionId: '1', version: 1, accept: askedInVain })),
    ['audio 0 RTP/AVP 0'],
  )
})

test('the answer repeats the time of the offer and carries label and further attributes', () => {
  const offer = read('v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=1 2\r\nm=audio 4000 RTP/AVP 0\r\na=label:96\r\n')
  const described = answerOffer(offer, {
    address: '192.0.2.2',
    sessionId: '5',
    version: 2,
    accept: () => ({
      port: 40_000,
      formats: [pcmu],
      direction: 'recvonly',
      label: '96',
      extraAttributes: [{ name: 'rtcp-mux' }],
    }),
  })

  assert.deepEqual(lines(described), [
    'v=0',
    'o=- 5 2 IN IP4 192.0.2.2',
    's=-',
    'c=IN IP4 192.0.2.2',
    't=1 2',
    'm=audio 40000 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    'a=rtcp-mux',
    'a=recvonly',
    'a=label:96',
  ])
})

test('the answered direction is what both want (RFC 3264 §6.1)', () => {
  const table: readonly [Direction, Direction, Direction][] = [
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['sendrecv', 'sendonly', 'sendonly'],
    ['sendrecv', 'recvonly', 'recvonly'],
    ['sendonly', 'sendrecv', 'recvonly'],
    ['sendonly', 'recvonly', 'recvonly'],
    ['sendonly', 'sendonly', 'inactive'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['recvonly', 'recvonly', 'inactive'],
    ['inactive', 'sendrecv', 'inactive'],
    ['sendrecv', 'inactive', 'inactive'],
  ]

  for (const [offered, wanted, expected] of table)
    assert.equal(answerDirection(offered, wanted), expected, `${offered} ${wanted}`)
})
