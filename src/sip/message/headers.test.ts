import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Headers } from './headers.ts'

const shape = (headers: Headers) => Array.from(headers.entries(), ([name, value]) => `${name}: ${value}`)

test('a header is found in any case and by its compact form (RFC 3261 §7.3.3)', () => {
  const headers = new Headers([
    ['i', 'abc@host'],
    ['CONTENT-TYPE', 'application/sdp'],
    ['X-Own', 'kept'],
  ])

  assert.equal(headers.get('Call-ID'), 'abc@host')
  assert.equal(headers.get('c'), 'application/sdp')
  assert.equal(headers.get('x-own'), 'kept')
  assert.equal(headers.has('From'), false)
  assert.deepEqual(shape(headers), ['i: abc@host', 'CONTENT-TYPE: application/sdp', 'X-Own: kept'])
})

test('a list on one line equals several lines, and quotes and brackets hide commas', () => {
  const headers = new Headers([
    ['Contact', '"Smith, A" <sip:a@host;x=1,2>;q=1 , <sip:b@host>'],
    ['m', 'sip:c@host'],
    ['Subject', 'one, two'],
  ])

  assert.deepEqual(headers.all('Contact'), ['"Smith, A" <sip:a@host;x=1,2>;q=1', '<sip:b@host>', 'sip:c@host'])
  assert.equal(headers.get('Contact'), '"Smith, A" <sip:a@host;x=1,2>;q=1')
  assert.deepEqual(headers.all('Subject'), ['one, two'])
  assert.equal(headers.lines('Contact').length, 2)
})

test('a quote inside a quoted string does not end it', () => {
  const headers = new Headers([['Contact', String.raw`"a \", b" <sip:a@host>, <sip:b@host>`]])

  assert.deepEqual(headers.all('Contact'), [String.raw`"a \", b" <sip:a@host>`, '<sip:b@host>'])
})

test('the topmost Via goes alone, also when it shares its line', () => {
  const headers = new Headers([
    ['Via', 'SIP/2.0/UDP a, SIP/2.0/UDP b'],
    ['Via', 'SIP/2.0/UDP c'],
  ])

  headers.removeFirst('v')
  assert.deepEqual(headers.all('Via'), ['SIP/2.0/UDP b', 'SIP/2.0/UDP c'])
  headers.removeFirst('Via')
  assert.deepEqual(headers.all('Via'), ['SIP/2.0/UDP c'])
  headers.removeFirst('Via')
  headers.removeFirst('Via')
  assert.equal(headers.has('Via'), false)
})

test('set replaces in place, append goes below, prepend above, the rest keeps its order', () => {
  const headers = new Headers([
    ['Via', 'old'],
    ['From', 'f'],
    ['v', 'older'],
    ['To', 't'],
  ])

  headers.set('Via', 'one', 'two')
  assert.deepEqual(shape(headers), ['Via: one', 'Via: two', 'From: f', 'To: t'])
  headers.append('Via', 'three')
  headers.prepend('Via', 'zero')
  headers.prepend('Record-Route', 'r')
  headers.append('Expires', '1')
  assert.deepEqual(shape(headers), [
    'Record-Route: r',
    'Via: zero',
    'Via: one',
    'Via: two',
    'Via: three',
    'From: f',
    'To: t',
    'Expires: 1',
  ])
  headers.set('Via')
  assert.equal(headers.has('Via'), false)
})

test('a clone changes alone', () => {
  const headers = new Headers([['To', 't']])
  const clone = headers.clone()
  clone.set('To', 'other')

  assert.equal(headers.get('To'), 't')
})

test('a value cannot start a header of its own', () => {
  const headers = new Headers()
  headers.set('Subject', 'hello\r\nContact: <sip:evil@host>')

  assert.deepEqual(shape(headers), ['Subject: hello Contact: <sip:evil@host>'])
})
