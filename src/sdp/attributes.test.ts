import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answeredGroups, bandwidthsOf, cryptosOf, groupsOf, maxptimeOf, midOf, ptimeOf } from './attributes.ts'
import { parseSdp } from './parse.ts'
import type { SdpMedia, SessionDescription } from './types.ts'

function read(...lines: string[]): SessionDescription {
  const result = parseSdp(['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', ...lines, ''].join('\r\n'))
  assert.ok(result.ok)
  return result.description
}

function stream(...lines: string[]): SdpMedia {
  const [media] = read('m=audio 4000 RTP/AVP 0', ...lines).media
  assert.ok(media)
  return media
}

test('packet times are milliseconds, and rubbish is none', () => {
  assert.equal(ptimeOf(stream('a=ptime:20')), 20)
  assert.equal(ptimeOf(stream('a=ptime:20.0 ')), 20)
  assert.equal(maxptimeOf(stream('a=maxptime:150')), 150)
  for (const text of ['a=ptime:0', 'a=ptime:x', 'a=ptime', 'a=other:1']) assert.equal(ptimeOf(stream(text)), undefined)
})

test('bandwidth is read from session and stream', () => {
  assert.deepEqual(bandwidthsOf(read('b=CT:128', 'b=X-YZ:7', 'b=AS:many')), [
    { type: 'CT', value: 128 },
    { type: 'X-YZ', value: 7 },
  ])
  assert.deepEqual(bandwidthsOf(stream('b=AS:64', 'b=TIAS:64000')), [
    { type: 'AS', value: 64 },
    { type: 'TIAS', value: 64_000 },
  ])
})

test('keys of SRTP are read with lifetime, MKI and session parameters; other key methods are left out (RFC 4568)', () => {
  const media = stream(
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 FEC_ORDER=FEC_SRTP',
    'a=crypto:2 F8_128_HMAC_SHA1_80 inline:MTIz|2^20|1:4;inline:QUJj|2^20|2:4 KDR=1 UNENCRYPTED_SRTCP',
    'a=crypto:3 AES_CM_128_HMAC_SHA1_32 uri:x',
    'a=crypto:nonsense',
  )
  assert.deepEqual(cryptosOf(media), [
    {
      tag: 1,
      suite: 'AES_CM_128_HMAC_SHA1_80',
      keys: ['WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4'],
      sessionParams: ['FEC_ORDER=FEC_SRTP'],
    },
    {
      tag: 2,
      suite: 'F8_128_HMAC_SHA1_80',
      keys: ['MTIz|2^20|1:4', 'QUJj|2^20|2:4'],
      sessionParams: ['KDR=1', 'UNENCRYPTED_SRTCP'],
    },
  ])
})

test('a refused stream leaves its group, and a group without streams goes (RFC 9143 §7.3)', () => {
  const offer = read(
    'a=group:BUNDLE a v',
    'a=group:LS v',
    'm=audio 4000 RTP/AVP 0',
    'a=mid:a',
    'm=video 4002 RTP/AVP 31',
    'a=mid:v',
  )
  assert.deepEqual(offer.media.map(midOf), ['a', 'v'])
  assert.deepEqual(groupsOf(offer), [
    { semantics: 'BUNDLE', mids: ['a', 'v'] },
    { semantics: 'LS', mids: ['v'] },
  ])
  assert.deepEqual(
    answeredGroups(offer, (index) => index === 0),
    [{ name: 'group', value: 'BUNDLE a' }],
  )
  assert.deepEqual(answeredGroups(offer, () => true).length, 2)
})
