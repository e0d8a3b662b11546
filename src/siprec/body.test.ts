import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSiprec, readBody } from './body.ts'
import { readRequest } from './test-support.ts'

function invite(headers: readonly string[], body = '') {
  const lines = [
    'INVITE sip:r@x SIP/2.0',
    'Via: SIP/2.0/UDP x;branch=z9hG4bK1',
    'From: <sip:a@x>;tag=1',
    'To: <sip:r@x>',
  ]
  const more = ['Call-ID: 1', 'CSeq: 1 INVITE', ...headers, `Content-Length: ${Buffer.byteLength(body)}`]
  return readRequest(Buffer.from(`${[...lines, ...more].join('\r\n')}\r\n\r\n${body}`))
}

test('a recording session is known by any of: the option tag, a feature tag of the field, metadata', () => {
  for (const headers of [
    ['Require: 100rel, SIPREC'],
    ['Contact: <sip:a@x>;+sip.src'],
    ['Contact: <sip:a@x>;src;expires=60'],
    ['Contact: <sip:a@x;+sip.src>'],
    ['Contact: <sip:a@x:5060;+sip.src'],
    ['Content-Type: application/rs-metadata'],
  ])
    assert.equal(isSiprec(invite(headers)), true, headers[0])
  const body = '--b\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<recording/>\r\n--b--\r\n'
  assert.equal(isSiprec(invite(['Content-Type: multipart/mixed;boundary=b'], body)), true)
})

test('an ordinary call is none', () => {
  for (const headers of [
    ['Contact: <sip:src@x>;expires=60'],
    ['Contact: "src" <sip:a@src.example.com;transport=tcp>;q=0.5'],
    ['Supported: siprec', 'Content-Type: application/sdp'],
  ])
    assert.equal(isSiprec(invite(headers, 'v=0\r\n')), false, headers[0])
})

const parts = ['--b', 'Content-Type: application/sdp', '', 'v=0', '--b', 'content-TYPE:application/rs-metadata', '']

test('compact header names, parameters after the boundary, blanks and line feeds alone: the parts are found', () => {
  for (const [type, body] of [
    ['c: multipart/mixed;boundary=b', [...parts, '<recording/>', '--b--', ''].join('\r\n')],
    [
      'Content-Type: multipart/mixed; boundary=b; type="application/sdp"',
      [...parts, '<recording/>', '--b--', ''].join('\r\n'),
    ],
    ['CONTENT-type:multipart/MIXED ; BOUNDARY = "b"', [...parts, '<recording/>', '--b--  ', ''].join('\r\n')],
    [
      'Content-Type: multipart/mixed;boundary=b',
      ['preamble', ...parts, '<recording/>', '--b-- ', 'epilogue'].join('\n'),
    ],
    ['Content-Type: multipart/mixed;boundary=b', [...parts, '<recording/>'].join('\r\n')],
  ] as const) {
    const { sdp, metadata } = readBody(invite([type], body))
    assert.equal(sdp, 'v=0', type)
    assert.equal(
      Buffer.from(metadata?.bytes ?? [])
        .toString()
        .trim(),
      '<recording/>',
      type,
    )
  }
})

test('a body that is encoded in base64, or stands behind another one, is read', () => {
  const coded = Buffer.from('<recording/>').toString('base64')
  const body = [
    '--b\r\nContent-Type: application/rs-metadata+xml\r\nContent-Transfer-Encoding: BASE64\r\n',
    coded,
    '--b\r\nContent-Type: application/x-unknown\r\n\r\n--c is content',
    '--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--',
  ].join('\r\n')
  const { sdp, metadata } = readBody(invite(['Content-Type: multipart/mixed;boundary=b'], body))
  assert.equal(sdp, 'v=0')
  assert.equal(Buffer.from(metadata?.bytes ?? []).toString(), '<recording/>')
})

test('metadata is found by its disposition where its type is some other XML, and in nested parts', () => {
  const inner = '--i\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--i--'
  const body = [
    '--b\r\nContent-Type: application/gtd\r\nContent-Disposition: signal;handling=optional\r\n\r\nIAM',
    '--b\r\nContent-Type: text/xml;charset=iso-8859-1\r\nContent-Disposition:recording-session\r\n\r\n<recording/>',
    `--b\r\nContent-Type: multipart/alternative;boundary=i\r\n\r\n${inner}`,
    '--b--\r\n',
  ].join('\r\n')
  const { sdp, metadata } = readBody(invite(['Content-Type: multipart/mixed;boundary=b'], body))
  assert.equal(sdp, 'v=0')
  assert.equal(Buffer.from(metadata?.bytes ?? []).toString(), '<recording/>')
  assert.equal(metadata?.charset, 'iso-8859-1')
})
