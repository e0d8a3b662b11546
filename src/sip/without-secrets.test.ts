import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutSecrets } from './without-secrets.ts'

test('digest answers, keys of media and passwords in URIs are not kept', () => {
  const text = [
    'REGISTER sip:101:hunter2@x SIP/2.0',
    'Authorization: Digest username="101",',
    '  response="aaaa"',
    'proxy-authorization : Digest response="bbbb"',
    'WWW-Authenticate: Digest nonce="kept"',
    'Authentication-Info: rspauth="eeee"',
    '',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:cccc',
    'k=base64:dddd',
    'a=ice-pwd:ffff',
    'a=sendrecv',
  ].join('\r\n')
  assert.deepEqual(withoutSecrets(text).split('\r\n'), [
    'REGISTER sip:101:(removed)@x SIP/2.0',
    'Authorization: Digest (removed)',
    'proxy-authorization : Digest (removed)',
    'WWW-Authenticate: Digest nonce="kept"',
    'Authentication-Info: (removed)',
    '',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 (removed)',
    'k=base64: (removed)',
    'a=ice-pwd: (removed)',
    'a=sendrecv',
  ])
})

test('a text full of what begins like a secret is read once, not once for each (65,536 bytes took a second)', () => {
  for (const part of ['sip:', 'sip:a:', 'sips:a:b ', 'a=crypto:1', 'Authorization', '\r\n ']) {
    const text = part.repeat(2_000_000 / part.length)
    assert.equal(withoutSecrets(text), text)
  }
})

test('a password goes from every URI of a line, whatever its user part holds', () => {
  assert.equal(
    withoutSecrets('Contact: <sip:a;x=1:secret@h>, <sips:b:secret@h>,sip:c:secret@h;sip:d@h <sip:1.2.3.4:5060>'),
    'Contact: <sip:a;x=1:(removed)@h>, <sips:b:(removed)@h>,sip:c:(removed)@h;sip:d@h <sip:1.2.3.4:5060>',
  )
})

test('keys of MIKEY go (RFC 4567)', () => {
  assert.equal(withoutSecrets('a=key-mgmt:mikey AQAFgM0X\r\n'), 'a=key-mgmt:mikey (removed)\r\n')
})

test('a key of SRTP goes however it is set apart, for we would read it so too', () => {
  for (const gap of [' ', '  ', '\t']) {
    assert.doesNotMatch(withoutSecrets(`a=crypto:1${gap}AES_CM_128_HMAC_SHA1_80${gap}inline:secret\r\n`), /secret/)
  }
})
