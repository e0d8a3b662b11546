import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iceAttributes, iceCredentialsOf, newIceCredentials } from './ice.ts'
import type { SdpMedia } from './types.ts'

const media = (user: string, password: string): SdpMedia => ({
  type: 'audio',
  port: 9,
  protocol: 'RTP/AVP',
  formats: ['0'],
  attributes: [
    { name: 'ice-ufrag', value: user },
    { name: 'ice-pwd', value: password },
  ],
  otherLines: [],
})

test('credentials of ours are of the letters and length that ICE wants, and read back as they are (RFC 8839 §5.4)', () => {
  const ours = newIceCredentials()
  assert.match(ours.user, /^[A-Za-z0-9+/]{8}$/)
  assert.match(ours.password, /^[A-Za-z0-9+/]{32}$/)
  assert.notDeepEqual(newIceCredentials(), ours)
  assert.deepEqual(iceCredentialsOf({ ...media('', ''), attributes: iceAttributes(ours, ['192.0.2.1'], 4000) }), ours)
})

test('credentials that are too short, too long or of other letters are none', () => {
  const password = 'p'.repeat(22)
  assert.deepEqual(iceCredentialsOf(media('user', password)), { user: 'user', password })
  for (const [user, secret] of [
    ['usr', password],
    ['user', password.slice(1)],
    ['us:r', password],
    ['u'.repeat(257), password],
    ['user', 'p'.repeat(257)],
  ] as const)
    assert.equal(iceCredentialsOf(media(user, secret)), undefined)
})

const candidateAt = (ip: string) =>
  iceAttributes(newIceCredentials(), [ip], 4000).find(({ name }) => name === 'candidate')?.value

test('an address is told as a host candidate of one component, IPv6 too (RFC 8839 §5.1)', () => {
  assert.equal(candidateAt('192.0.2.1'), '1 1 UDP 2130706431 192.0.2.1 4000 typ host')
  assert.equal(candidateAt('2001:db8::1'), '1 1 UDP 2130706431 2001:db8::1 4000 typ host')
})

test('of several addresses the first is the best', () => {
  const candidates = iceAttributes(newIceCredentials(), ['192.0.2.1', '10.0.0.1'], 4000).flatMap(({ name, value }) =>
    name === 'candidate' ? [value] : [],
  )
  assert.deepEqual(candidates, [
    '1 1 UDP 2130706431 192.0.2.1 4000 typ host',
    '2 1 UDP 2130706175 10.0.0.1 4000 typ host',
  ])
})
