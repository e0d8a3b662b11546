import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHead, encodeHead } from './octets.ts'
import { parseMessage } from './parse.ts'
import { printMessage } from './print.ts'

test('octets that are not UTF-8 come back as they were', () => {
  const cases = [
    [0xfc],
    [0x41, 0xfc, 0x42],
    [0xc3],
    [0xc3, 0xa4, 0xc3, 0x28],
    [0xe2, 0x82],
    [0xf0, 0x9f, 0x98, 0x80, 0xff],
    [0xed, 0xb2, 0x80], // a surrogate written as if it were a character
    [0xef, 0xbf, 0xbd, 0x80], // U+FFFD itself, then rubbish
    [0xc0, 0x80],
  ]
  for (const octets of cases) {
    const bytes = Buffer.from(octets)
    assert.deepEqual([...encodeHead(decodeHead(bytes))], octets)
  }
})

test('any octets at all come back, by a seed', () => {
  let state = 7
  const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(Array.from({ length: next(40) }, () => next(256)))
    assert.deepEqual(encodeHead(decodeHead(bytes)), bytes)
  }
})

test('a name in Latin-1 crosses parser and printer whole', () => {
  const bytes = Buffer.from(
    [
      'OPTIONS sip:a@b SIP/2.0',
      'Via: SIP/2.0/UDP host;branch=z9hG4bK1',
      'From: "J\u00fcrgen" <sip:j@host>;tag=1',
      'To: <sip:a@b>',
      'Call-ID: 1',
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
    'latin1',
  )
  const parsed = parseMessage(bytes)
  assert.ok(parsed.ok)
  assert.deepEqual(printMessage(parsed.message), bytes)
})
