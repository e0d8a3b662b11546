import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequest, createResponse, reasonPhrase } from './build.ts'
import { parseMessage } from './parse.ts'
import { printMessage } from './print.ts'

const invite = createRequest('INVITE', 'sip:bob@host', [
  ['v', 'SIP/2.0/UDP p2;branch=z9hG4bK2;received=192.0.2.2, SIP/2.0/UDP p1;branch=z9hG4bK1'],
  ['Record-Route', '<sip:p2;lr>'],
  ['Record-Route', '<sip:p1;lr>'],
  ['f', '<sip:alice@host>;tag=a'],
  ['To', 'sip:bob@host'],
  ['Call-ID', 'c1'],
  ['CSeq', '7 INVITE'],
  ['Timestamp', '54'],
  ['Subject', 'not copied'],
])

test('a response copies Via, From, To, Call-ID and CSeq in their order (RFC 3261 §8.2.6)', () => {
  const response = createResponse(invite, 486, { toTag: 'b', headers: { 'Retry-After': '5', Warning: ['a', 'b'] } })

  assert.deepEqual(
    Array.from(response.headers.entries(), ([name, value]) => `${name}: ${value}`),
    [
      'Via: SIP/2.0/UDP p2;branch=z9hG4bK2;received=192.0.2.2',
      'Via: SIP/2.0/UDP p1;branch=z9hG4bK1',
      'From: <sip:alice@host>;tag=a',
      'To: sip:bob@host;tag=b',
      'Call-ID: c1',
      'CSeq: 7 INVITE',
      'Retry-After: 5',
      'Warning: a',
      'Warning: b',
    ],
  )
  assert.equal(response.reason, 'Busy Here')
})

test('answers that make a dialog copy Record-Route (RFC 3261 §12.1.1)', () => {
  assert.deepEqual(createResponse(invite, 180).headers.all('Record-Route'), ['<sip:p2;lr>', '<sip:p1;lr>'])
  assert.deepEqual(createResponse(invite, 200).headers.all('Record-Route'), ['<sip:p2;lr>', '<sip:p1;lr>'])
  assert.equal(createResponse(invite, 100).headers.has('Record-Route'), false)
  assert.equal(createResponse({ ...invite, method: 'OPTIONS' }, 200).headers.has('Record-Route'), false)
})

test('100 Trying gives the Timestamp back (RFC 3261 §8.2.6.1)', () => {
  assert.equal(createResponse(invite, 100).headers.get('Timestamp'), '54')
})

test('a To that has a tag keeps it', () => {
  const inDialog = createRequest('BYE', 'sip:bob@host', [['To', '<sip:bob@host>;tag=first']])

  assert.equal(createResponse(inDialog, 200, { toTag: 'second' }).headers.get('To'), '<sip:bob@host>;tag=first')
})

test('a request without From and To can still be answered (RFC 4475 §3.3.1)', () => {
  const bare = createRequest('INVITE', 'sip:bob@host', [['Via', 'SIP/2.0/UDP a']])

  assert.equal(
    printMessage(createResponse(bare, 400, { toTag: 'x' })).toString(),
    'SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP a\r\nContent-Length: 0\r\n\r\n',
  )
})

test('Content-Length is that of the body, whatever the headers say', () => {
  const request = createRequest(
    'MESSAGE',
    'sip:bob@host',
    [
      ['l', '9999'],
      ['Content-Length', '1'],
      ['Subject', 'x'],
    ],
    'Grüße',
  )

  assert.equal(printMessage(request).toString(), 'MESSAGE sip:bob@host SIP/2.0\r\nl: 7\r\nSubject: x\r\n\r\nGrüße')
})

test('a reason phrase cannot start a line', () => {
  const response = createResponse(invite, 200, { reason: 'OK\r\nEvil: 1' })

  assert.match(printMessage(response).toString(), /^SIP\/2\.0 200 OK Evil: 1\r\n/)
})

test('a built answer reads back', () => {
  const response = createResponse(invite, 200, { toTag: 'b', body: 'v=0\r\n', contentType: 'application/sdp' })
  const result = parseMessage(printMessage(response))

  assert.ok(result.ok && result.message.kind === 'response')
  assert.equal(result.message.status, 200)
  assert.equal(Buffer.from(result.message.body).toString(), 'v=0\r\n')
})

test('status codes without a phrase of their own have one', () => {
  assert.equal(reasonPhrase(487), 'Request Terminated')
  assert.equal(reasonPhrase(299), 'Unknown')
})
