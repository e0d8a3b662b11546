import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprintsOf, isDtlsProtocol, setupOf, sideByAnswer, sideByOffer, withSessionTransport } from './dtls.ts'
import { parseSdp } from './parse.ts'
import type { SdpMedia, SessionDescription } from './types.ts'

function read(...lines: readonly string[]): SessionDescription {
  const parsed = parseSdp(['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', ...lines, ''].join('\r\n'))
  assert.ok(parsed.ok)
  return parsed.description
}

const audio = (...lines: readonly string[]): SdpMedia => {
  const [media] = read('m=audio 9 UDP/TLS/RTP/SAVPF 0', ...lines).media
  assert.ok(media)
  return media
}

test('certificate and role are the stream’s, else the session’s (RFC 8122 §5)', () => {
  const description = read(
    'a=fingerprint:SHA-256 ab:cd',
    'a=setup:actpass',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:1234567890123456789012',
    'm=audio 4000 UDP/TLS/RTP/SAVPF 0',
    'm=audio 4000 UDP/TLS/RTP/SAVPF 0',
    'a=setup:active',
    'a=fingerprint:sha-1 01:02',
  )
  const [first, second] = description.media.map((media) => withSessionTransport(description, media))
  assert.ok(first && second)
  assert.deepEqual(fingerprintsOf(first), [{ hash: 'sha-256', value: 'AB:CD' }])
  assert.deepEqual(fingerprintsOf(second), [{ hash: 'sha-1', value: '01:02' }])
  assert.deepEqual([setupOf(first), setupOf(second)], ['actpass', 'active'])
  assert.ok(second.attributes.some(({ name }) => name === 'ice-ufrag'))
})

test('of several fingerprints all that can be compared are read; broken ones are none', () => {
  const media = audio(
    'a=fingerprint:sha-512 11:22',
    'a=fingerprint:sha-256 33:44',
    'a=fingerprint:md5 55:66',
    'a=fingerprint:sha-256',
    'a=fingerprint:sha-256 3344',
    'a=setup:sideways',
  )
  assert.deepEqual(
    fingerprintsOf(media).map(({ hash }) => hash),
    ['sha-512', 'sha-256'],
  )
  assert.equal(setupOf(media), undefined)
})

test('of a free choice we are the server, and what was chosen stays', () => {
  assert.equal(sideByOffer('actpass', undefined), 'server')
  assert.equal(sideByOffer('actpass', 'client'), 'client')
  assert.equal(sideByOffer('passive', undefined), 'client')
  assert.equal(sideByOffer(undefined, undefined), 'server')
  assert.equal(sideByAnswer('active'), 'server')
  assert.equal(sideByAnswer('passive'), 'client')
})

const isDtls = (protocol: string) => isDtlsProtocol({ ...audio(), protocol })

test('DTLS-SRTP is known by its protocol', () => {
  assert.deepEqual(['UDP/TLS/RTP/SAVP', 'UDP/TLS/RTP/SAVPF', 'RTP/SAVP', 'TCP/TLS/RTP/SAVP'].map(isDtls), [
    true,
    true,
    false,
    false,
  ])
})
