import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answeredRtcpXr, ourRtcpXr, rtcpXrOf } from './rtcp-xr.ts'
import type { SdpMedia, SessionDescription } from './types.ts'

const line = (value?: string): SdpMedia => ({
  type: 'audio',
  port: 4000,
  protocol: 'RTP/AVP',
  formats: ['0'],
  attributes: value === undefined ? [] : [{ name: 'rtcp-xr', value }],
  otherLines: [],
})

const session = (...attributes: SessionDescription['attributes']): SessionDescription => ({
  origin: {
    username: '-',
    sessionId: '1',
    sessionVersion: '1',
    netType: 'IN',
    addressType: 'IP4',
    address: '192.0.2.1',
  },
  name: '-',
  attributes,
  otherLines: [],
  media: [],
})
const none = session()

const answered = (value?: string): (string | undefined)[] => answeredRtcpXr(none, line(value)).map((each) => each.value)

test('what a peer wants of extended reports is read (RFC 3611 §5.1)', () => {
  assert.equal(rtcpXrOf(none, line()), undefined)
  assert.deepEqual(rtcpXrOf(none, line('rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics')), {
    voipMetrics: true,
    receiverRoundTrip: true,
  })
  assert.deepEqual(rtcpXrOf(none, line('pkt-loss-rle')), { voipMetrics: false, receiverRoundTrip: false })
  assert.deepEqual(rtcpXrOf(none, line(ourRtcpXr.value)), { voipMetrics: true, receiverRoundTrip: true })
})

test('an answer holds what both know, the mode as it was offered', () => {
  assert.deepEqual(answered('pkt-loss-rle=100 voip-metrics rcvr-rtt=sender:64'), ['voip-metrics rcvr-rtt=sender'])
  assert.deepEqual(answered('rcvr-rtt=all'), ['rcvr-rtt=all'])
  assert.deepEqual(answered('stat-summary'), [])
  assert.deepEqual(answered(), [])
})

test('a line of the session is for all its streams that have none, as linphone writes it', () => {
  const all = session({ name: 'rtcp-xr', value: 'rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics' })
  assert.deepEqual(rtcpXrOf(all, line()), { voipMetrics: true, receiverRoundTrip: true })
  assert.deepEqual(rtcpXrOf(all, line('rcvr-rtt=all')), { voipMetrics: false, receiverRoundTrip: true })
  assert.deepEqual(answeredRtcpXr(all, line()), [ourRtcpXr])
})
