import assert from 'node:assert/strict'
import { test } from 'node:test'
import { srtpSuites } from '../core/srtp.ts'
import { cryptoAttribute, isSecureProtocol, newCryptoLines, offeredSuites, usableCryptos } from './crypto.ts'
import type { SdpMedia } from './types.ts'

const media = (...values: readonly string[]): SdpMedia => ({
  type: 'audio',
  port: 4000,
  protocol: 'RTP/SAVP',
  formats: ['0'],
  attributes: values.map((value) => ({ name: 'crypto', value })),
  otherLines: [],
})

const key30 = Buffer.alloc(30, 1).toString('base64')

test('our lines are read back as they were made, the strongest suite first, each with a key of its own (RFC 4568 §9.1)', () => {
  const lines = newCryptoLines()
  const read = usableCryptos({ ...media(), attributes: lines.map(cryptoAttribute) })
  assert.deepEqual(read, lines)
  assert.deepEqual(
    lines.map(({ key }) => key.suite),
    offeredSuites,
  )
  assert.equal(new Set(lines.map(({ key }) => Buffer.from(key.master).toString('hex'))).size, lines.length)
  for (const { key } of lines) {
    const { keyBytes, saltBytes } = srtpSuites[key.suite]
    assert.equal(key.master.length, keyBytes + saltBytes)
    assert.equal(key.master.buffer.byteLength, key.master.length, 'nothing else goes to the worker with it')
  }
})

test('lifetime and the length of the key number are read; a line that cannot be kept to is left out', () => {
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const read = usableCryptos(
    media(
      `1 ${suite} inline:${key30}|2^31|1:4`,
      `2 ${suite} inline:${key30}|1:1`,
      `3 ${suite} inline:${key30}|1048576 WSH=128 -mine`,
      `4 ${suite} inline:${key30} UNENCRYPTED_SRTP`,
      `5 ${suite} inline:${key30} UNAUTHENTICATED_SRTP`,
      `6 ${suite} inline:${key30} KDR=3`,
      `7 ${suite} inline:${key30}|2^20|1:4;inline:${key30}|2^20|2:4`,
      `8 ${suite} inline:AAAA`,
      `9 ${suite} inline:${key30}|1:200`,
      `10 ${suite} inline:${key30}|nonsense`,
      `11 F8_128_HMAC_SHA1_80 inline:${key30}`,
      `12 constructor inline:${key30}`,
      `13 ${suite} inline:@@@@`,
      `14 AES_CM_256_HMAC_SHA1_80 inline:${Buffer.alloc(46, 2).toString('base64')}`,
    ),
  )
  assert.deepEqual(
    read.map(({ tag, key }) => `${tag} ${key.suite} ${key.mkiBytes}`),
    [`1 ${suite} 4`, `2 ${suite} 1`, `3 ${suite} 0`, '14 AES_256_CM_HMAC_SHA1_80 0'],
  )
})

test('SRTP with keys in the description is known by its protocol, DTLS-SRTP is another', () => {
  const protocols = ['RTP/SAVP', 'RTP/SAVPF', 'RTP/AVP', 'UDP/TLS/RTP/SAVPF']
  const secure = protocols.filter((protocol) => isSecureProtocol({ ...media(), protocol }))
  assert.deepEqual(secure, ['RTP/SAVP', 'RTP/SAVPF'])
})
