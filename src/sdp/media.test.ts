import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionOf, directionOf, formatsOf, isHold, isTelephoneEvent, labelOf, rtcpAddressOf } from './media.ts'
import { parseSdp } from './parse.ts'
import type { SdpMedia, SessionDescription } from './types.ts'

/** A description with one stream; lines before the first m= belong to the session. */
function read(...lines: string[]): [SessionDescription, SdpMedia] {
  const result = parseSdp(['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', ...lines].join('\r\n'))
  assert.ok(result.ok)
  const [media] = result.description.media
  assert.ok(media)
  return [result.description, media]
}

test('formats come from rtpmap, else from the static table (RFC 3551 §6), in their order', () => {
  const [, media] = read(
    'm=audio 4000 RTP/AVP 111 0 9 8 10 101 96',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtpmap:8 pcma/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=rtpmap:101 second/1',
  )
  const formats = formatsOf(media)

  assert.deepEqual(
    formats.map(({ payloadType, encoding, clockRateHz, channels }) => [payloadType, encoding, clockRateHz, channels]),
    [
      [111, 'opus', 48_000, 2],
      [0, 'PCMU', 8_000, 1],
      [9, 'G722', 8_000, 1],
      [8, 'pcma', 8_000, 1],
      [10, 'L16', 44_100, 2],
      [101, 'telephone-event', 8_000, 1],
      [96, '', 0, 1],
    ],
  )
  assert.equal(formats[0]?.fmtp, 'minptime=10;useinbandfec=1')
  assert.deepEqual(formats.filter(isTelephoneEvent).length, 1)
})

test('streams that are not RTP have no payload types, and tokens that are none are passed over', () => {
  assert.deepEqual(formatsOf(read('m=image 5000 udptl t38')[1]), [])
  assert.deepEqual(formatsOf(read('m=application 9 TCP/BFCP 1')[1]), [])
  assert.deepEqual(
    formatsOf(read('m=audio 9 UDP/TLS/RTP/SAVPF x 128 0 1000')[1]).map(({ payloadType }) => payloadType),
    [0],
  )
})

test('the direction of the stream beats that of the session; sendrecv when neither says', () => {
  assert.equal(directionOf(...read('a=recvonly', 'm=audio 1 RTP/AVP 0', 'a=sendonly')), 'sendonly')
  assert.equal(directionOf(...read('a=recvonly', 'm=audio 1 RTP/AVP 0')), 'recvonly')
  assert.equal(directionOf(...read('m=audio 1 RTP/AVP 0', 'a=direction:both')), 'sendrecv')
})

test('the address of the stream beats that of the session', () => {
  const session = 'c=IN IP4 192.0.2.1'

  assert.equal(connectionOf(...read(session, 'm=audio 1 RTP/AVP 0'))?.address, '192.0.2.1')
  assert.deepEqual(connectionOf(...read(session, 'm=audio 1 RTP/AVP 0', 'c=IN IP6 2001:db8::1')), {
    addressType: 'IP6',
    address: '2001:db8::1',
  })
  assert.equal(connectionOf(...read('m=audio 1 RTP/AVP 0')), undefined)
})

test('RTCP goes to the next port, to what a=rtcp says, or to the RTP port (RFC 3605, RFC 5761)', () => {
  const at = (...lines: string[]) => rtcpAddressOf(...read('c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/AVP 0', ...lines))

  assert.deepEqual(at(), { address: '192.0.2.1', port: 4001 })
  assert.deepEqual(at('a=rtcp:53020'), { address: '192.0.2.1', port: 53_020 })
  assert.deepEqual(at('a=rtcp:53020 IN IP6 2001:db8::1'), { address: '2001:db8::1', port: 53_020 })
  assert.deepEqual(at('a=rtcp:9', 'a=rtcp-mux'), { address: '192.0.2.1', port: 4000 })
  assert.equal(at('a=rtcp:70000'), undefined)
  assert.deepEqual(at('a=rtcp:nonsense'), { address: '192.0.2.1', port: 4001 })
  assert.equal(rtcpAddressOf(...read('c=IN IP4 192.0.2.1', 'm=audio 0 RTP/AVP 0')), undefined)
  assert.equal(rtcpAddressOf(...read('c=IN IP4 192.0.2.1', 'm=audio 65535 RTP/AVP 0')), undefined)
})

const hold = (...lines: string[]) => isHold(...read(...lines))

test('hold is sendonly, inactive, or nowhere to send to (RFC 3264 §8.4)', () => {
  assert.equal(hold('m=audio 1 RTP/AVP 0'), false)
  assert.equal(hold('m=audio 1 RTP/AVP 0', 'a=recvonly'), false)
  assert.equal(hold('m=audio 1 RTP/AVP 0', 'a=sendonly'), true)
  assert.equal(hold('a=inactive', 'm=audio 1 RTP/AVP 0'), true)
  assert.equal(hold('c=IN IP4 0.0.0.0', 'm=audio 1 RTP/AVP 0'), true)
  assert.equal(hold('c=IN IP4 0.0.0.0', 'm=audio 1 RTP/AVP 0', 'c=IN IP4 192.0.2.1'), false)
})

test('a label names the stream (RFC 4574)', () => {
  assert.equal(labelOf(read('m=audio 1 RTP/AVP 0', 'a=label:96 ')[1]), '96')
  assert.equal(labelOf(read('m=audio 1 RTP/AVP 0')[1]), undefined)
})

test('a payload type that is listed a thousand times is one format: what compares formats has little to do', () => {
  const [, media] = read(`m=audio 4000 RTP/AVP ${'0 96 '.repeat(10_000)}8`, 'a=rtpmap:96 EVS/16000')
  assert.deepEqual(
    formatsOf(media).map(({ payloadType }) => payloadType),
    [0, 96, 8],
  )
})

const names = (...lines: string[]) =>
  formatsOf(read(...lines)[1]).map(({ encoding, clockRateHz }) => `${encoding}/${clockRateHz}`)

test('G722/16000 and G729A are what their payload types say, whatever devices write', () => {
  assert.deepEqual(names('m=audio 4000 RTP/AVP 9 18', 'a=rtpmap:9 G722/16000', 'a=rtpmap:18 G729a/8000'), [
    'G722/8000',
    'G729/8000',
  ])
  assert.deepEqual(names('m=audio 4000 RTP/AVP 96 18', 'a=rtpmap:96 G722/16000', 'a=rtpmap:18 G729D/8000'), [
    'G722/16000',
    'G729D/8000',
  ])
})
