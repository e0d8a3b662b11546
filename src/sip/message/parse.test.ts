import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from './frame.ts'
import { parseMessage } from './parse.ts'
import type { SipMessage } from './types.ts'

const head = [
  'INVITE sip:bob@host SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
  'From: <sip:alice@host>;tag=a',
  'To: <sip:bob@host>',
  'Call-ID: c1',
  'CSeq: 1 INVITE',
]
const bytes = (lines: readonly string[], body = '', end = '\r\n') => Buffer.from([...lines, '', body].join(end))

function read(input: Uint8Array): SipMessage {
  const result = parseMessage(input)
  assert.ok(result.ok, result.ok ? '' : result.problem.code)
  return result.message
}

function refused(input: Uint8Array) {
  const result = parseMessage(input)
  assert.ok(!result.ok)
  return result.problem
}

const withLine = (line: string, replaces = /^$/) => bytes([...head.filter((old) => !replaces.test(old)), line])

test('a request comes apart into start line, headers in order and body', () => {
  const message = read(bytes([...head, 'Content-Length: 4'], 'body'))

  assert.ok(message.kind === 'request')
  assert.equal(message.method, 'INVITE')
  assert.equal(message.uri, 'sip:bob@host')
  assert.deepEqual(
    Array.from(message.headers.entries(), ([name]) => name),
    ['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Content-Length'],
  )
  assert.equal(Buffer.from(message.body).toString(), 'body')
})

test('a response may lack its reason', () => {
  for (const start of ['SIP/2.0 200', 'SIP/2.0 200 ', 'sip/2.0 200 ']) {
    const message = read(bytes([start, ...head.slice(1)]))
    assert.ok(message.kind === 'response')
    assert.deepEqual([message.status, message.reason], [200, ''])
  }
})

test('bare line feeds end lines, and blank lines before the message do not count', () => {
  assert.equal(read(bytes(head, 'x', '\n')).headers.get('CSeq'), '1 INVITE')
  assert.equal(Buffer.from(read(bytes(head, 'x', '\n')).body).toString(), 'x')
  assert.equal(read(Buffer.concat([Buffer.from('\r\n\r\n\n'), bytes(head)])).headers.get('Call-ID'), 'c1')
})

test('a folded value becomes one line (RFC 3261 §7.3.1)', () => {
  const message = read(bytes([...head, 'Subject: one', '\t  two', ' ', ' three']))

  assert.equal(message.headers.get('Subject'), 'one two  three')
})

test('a carriage return inside a value does not survive as a line end', () => {
  assert.equal(
    read(withLine('Subject: a\rContact: <sip:evil@host>')).headers.get('Subject'),
    'a Contact: <sip:evil@host>',
  )
})

test('a datagram without Content-Length has its body to the end; more than it says is cut (RFC 3261 §18.3)', () => {
  assert.equal(read(bytes(head, '12345')).body.length, 5)
  assert.equal(read(bytes([...head, 'l: 3'], '12345')).body.length, 3)
  assert.equal(refused(bytes([...head, 'l: 6'], '12345')).code, 'sip.body-short')
  for (const length of ['-1', '1e1', '', '5 5', '99999999999']) {
    assert.equal(refused(bytes([...head, `Content-Length: ${length}`], '12345')).code, 'sip.content-length', length)
  }
})

test('a Content-Type given twice is read, as an IMS core sends it', () => {
  assert.equal(read(bytes([...head, 'c: application/sdp', 'Content-Type: application/sdp'])).headers.all('c').length, 2)
})

test('the body is a view, not a copy', () => {
  const input = bytes(head, 'abc')
  const { body } = read(input)
  input[input.length - 1] = 0x7a

  assert.equal(Buffer.from(body).toString(), 'abz')
})

test('what is wrong is named, and a request whose way back is known can be answered', () => {
  const cases: readonly [string, Uint8Array, number][] = [
    ['sip.version', bytes(['INVITE sip:bob@host SIP/7.0', ...head.slice(1)]), 505],
    ['sip.start-line', bytes(['INVITE  sip:bob@host SIP/2.0', ...head.slice(1)]), 400],
    ['sip.start-line', bytes(['INVITE sip:bob@host SIP/2.0 ', ...head.slice(1)]), 400],
    ['sip.request-uri', bytes(['INVITE bob SIP/2.0', ...head.slice(1)]), 400],
    ['sip.header-line', withLine('no colon here'), 400],
    ['sip.header-line', withLine('na me: x'), 400],
    ['sip.header-line', withLine(': x'), 400],
    ['sip.head-unfinished', Buffer.from(head.join('\r\n')), 400],
    ['sip.header-missing', bytes(head.filter((line) => !line.startsWith('To'))), 400],
    ['sip.header-missing', withLine('Call-ID:', /^Call-ID/), 400],
    ['sip.header-repeated', withLine('i: c2'), 400],
    ['sip.header-repeated', bytes([...head, 'l: 0', 'Content-Length: 0']), 400],
    ['sip.header-malformed', withLine('To: "open <sip:bob@host>', /^To/), 400],
    ['sip.header-malformed', withLine('CSeq: x INVITE', /^CSeq/), 400],
    ['sip.header-malformed', withLine('Max-Forwards: many'), 400],
    ['sip.cseq-method', withLine('CSeq: 1 BYE', /^CSeq/), 400],
    ['sip.line-too-long', withLine(`Subject: ${'x'.repeat(limits.lineChars)}`), 400],
    ['sip.too-many-headers', bytes([...head, ...Array.from({ length: limits.headerLines }, () => 'X: y')]), 400],
  ]

  for (const [code, input, status] of cases) {
    const problem = refused(input)
    assert.deepEqual([problem.code, problem.status], [code, status])
    assert.equal(problem.partial?.headers.get('Via'), 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', code)
  }
})

test('a request whose Via cannot be read is answered 400 to where it came from (RFC 4475 §3.1.2.1)', () => {
  assert.equal(refused(withLine('Via: nonsense', /^Via/)).partial?.headers.get('Via'), 'nonsense')
})

test('what has no Via, and any bad response, is not to be answered', () => {
  assert.equal(refused(bytes(head.filter((line) => !line.startsWith('Via')))).partial, undefined)
  assert.equal(refused(bytes(['SIP/2.0 200 OK', 'Via: SIP/2.0/UDP a'])).partial, undefined)
  for (const noise of [
    '',
    '\r\n\r\n',
    '\0\0\0\0',
    'GET / HTTP/1.1\r\n\r\n',
    'SIP/2.0 999 x\r\n\r\n',
    'SIP/2.0 20 x\r\n\r\n',
  ]) {
    assert.equal(refused(Buffer.from(noise)).partial, undefined, noise)
  }
})

test('a message over 64 KiB is refused unread', () => {
  assert.equal(refused(bytes(head, 'x'.repeat(limits.messageBytes))).code, 'sip.too-large')
})
