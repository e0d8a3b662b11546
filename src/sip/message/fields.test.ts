import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequest } from './build.ts'
import * as fields from './fields.ts'

const message = (...headers: [string, string][]) => createRequest('INVITE', 'sip:bob@host', headers)

test('fields that are missing are undefined, lists that are missing are empty', () => {
  const empty = message()

  assert.equal(fields.topVia(empty), undefined)
  assert.equal(fields.fromOf(empty), undefined)
  assert.equal(fields.toTag(empty), undefined)
  assert.equal(fields.cseqOf(empty), undefined)
  assert.equal(fields.callIdOf(empty), undefined)
  assert.equal(fields.maxForwardsOf(empty), undefined)
  assert.equal(fields.expiresOf(empty), undefined)
  assert.equal(fields.contentTypeOf(empty), undefined)
  assert.deepEqual(fields.contactsOf(empty), [])
  assert.deepEqual(fields.optionTags(empty, 'Supported'), [])
})

test('a value is read again when its header changes', () => {
  const request = message(['To', '<sip:bob@host>'])

  assert.equal(fields.toTag(request), undefined)
  request.headers.set('To', '<sip:bob@host>;tag=x')
  assert.equal(fields.toTag(request), 'x')
  assert.equal(fields.toOf(request), fields.toOf(request), 'and kept while it does not')
})

test('CSeq: 31 bits, one method, any blanks', () => {
  assert.deepEqual(fields.cseqOf(message(['CSeq', '0009   INVITE'])), { seq: 9, method: 'INVITE' })
  assert.deepEqual(fields.cseqOf(message(['CSeq', '2147483647 ACK'])), { seq: 2 ** 31 - 1, method: 'ACK' })
  for (const text of [
    '2147483648 ACK',
    '-1 ACK',
    '1',
    'ACK 1',
    '1 ACK x',
    '9292394834772304023312 OPTIONS',
    '1e3 ACK',
  ]) {
    assert.equal(fields.cseqOf(message(['CSeq', text])), undefined, text)
  }
})

test('numbers outside their range are undefined', () => {
  assert.equal(fields.maxForwardsOf(message(['Max-Forwards', '0068'])), 68)
  assert.equal(fields.maxForwardsOf(message(['Max-Forwards', '256'])), undefined)
  assert.equal(fields.expiresOf(message(['Expires', '4294967295'])), 2 ** 32 - 1)
  assert.equal(fields.expiresOf(message(['Expires', '4294967296'])), undefined)
  assert.equal(fields.expiresOf(message(['Expires', ''])), undefined)
})

test('the Contact that removes all is told apart (RFC 3261 §10.2.2)', () => {
  assert.equal(fields.contactsOf(message(['Contact', '*'])), '*')
  assert.equal(fields.contactsOf(message(['Contact', '*'], ['Contact', '<sip:a@host>'])), undefined)
  assert.equal((fields.contactsOf(message(['m', '<sip:a@host>, sip:b@host'])) ?? []).length, 2)
})

test('one bad value makes a list undefined, so that nobody acts on half of it', () => {
  assert.equal(fields.contactsOf(message(['Contact', '<sip:a>, nonsense here'], ['Contact', '<sip:b>'])), undefined)
  assert.equal(fields.vias(message(['Via', 'SIP/2.0/UDP a, SIP/2.0/UDP']))?.length, undefined)
})

test('option tags are lower case and an empty header has none', () => {
  const request = message(['Supported', 'Timer,  100rel'], ['k', ''], ['Supported', 'siprec'])

  assert.deepEqual(fields.optionTags(request, 'supported'), ['timer', '100rel', 'siprec'])
})

test('a content type has a lower-case name and its parameters', () => {
  const type = fields.parseContentType('Multipart / Mixed ; Boundary="a b;c"; type=application/sdp;')

  assert.equal(type?.type, 'multipart/mixed')
  assert.deepEqual(
    [...(type?.params ?? [])],
    [
      ['boundary', 'a b;c'],
      ['type', 'application/sdp'],
    ],
  )
  assert.equal(fields.parseContentType('sdp'), undefined)
})
