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
