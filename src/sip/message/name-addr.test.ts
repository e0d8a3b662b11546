import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNameAddr, printNameAddr } from './name-addr.ts'
import { parseVia, printVia } from './via.ts'

const parsed = (text: string) => {
  const value = parseNameAddr(text)
  assert.ok(value, text)
  return value
}

test('parameters after a bare address belong to the header (RFC 3261 §20)', () => {
  const bare = parsed('sip:alice@host;tag=1')
  const bracketed = parsed('<sip:alice@host;lr>;tag=1')

  assert.deepEqual([...bare.params], [['tag', '1']])
  assert.equal(bare.uri.params.size, 0)
  assert.deepEqual([...bracketed.params], [['tag', '1']])
  assert.deepEqual([...bracketed.uri.params], [['lr', null]])
})

test('display names come unquoted and go out quoted where they must', () => {
  const written = String.raw`"J \"R\" \\" <sip:j@host>`

  assert.equal(parsed(written).displayName, String.raw`J "R" \ `.trim())
  assert.equal(printNameAddr(parsed(written)), written)
  assert.equal(printNameAddr(parsed('caller<sip:c@host>;tag=3')), 'caller <sip:c@host>;tag=3')
  assert.equal(printNameAddr(parsed('"Анна" <sip:a@host>')), '"Анна" <sip:a@host>')
  assert.equal(parsed('<sip:a@host>').displayName, undefined)
  assert.equal(parsed('Bell, Alexander <sip:a@host>').displayName, 'Bell, Alexander')
})

test('feature tags keep their quotes when printed (RFC 3840 §9)', () => {
  const text = '<sip:a@host>;+sip.instance="<urn:uuid:1>";+sip.src;+audio="TRUE";reg-id=1'

  assert.equal(printNameAddr(parsed(text)), text)
  assert.equal(parsed(text).params.get('+sip.instance'), '<urn:uuid:1>')
})

test('of a parameter given twice the first counts', () => {
  assert.equal(parsed('<sip:a@host>;tag=1;tag=2').params.get('tag'), '1')
})

test('what phones get wrong is read: blanks in brackets, a bracket that never closes', () => {
  assert.equal(parsed('"Watson, Thomas" < sip:t.watson@example.org >').uri.user, 't.watson')
  assert.deepEqual([...parsed('<sip:rec@host;+sip.src').uri.params], [['+sip.src', null]])
})

test('what cannot be understood is refused', () => {
  for (const text of [
    '',
    'nobody',
    '"open <sip:a@host>',
    '<>',
    '<sip:a@host>x',
    '<sip:a@host>;;',
    '<sip:a@host>;t="x',
  ]) {
    assert.equal(parseNameAddr(text), undefined, text)
  }
})

test('a Via is read with its blanks, IPv6 hosts and whatever version', () => {
  assert.deepEqual(parseVia('SIP  / 2.0  / tcp     Spindle.example.com : 5070  ;\t branch  =   z9hG4bK9ikj8'), {
    transport: 'TCP',
    host: 'spindle.example.com',
    port: 5070,
    params: new Map([['branch', 'z9hG4bK9ikj8']]),
  })
  const received = parseVia('SIP/2.0/UDP [2001:db8::9:1]:6050;received=[2001:db8::9:255];rport;branch=z9hG4bKas3')
  assert.equal(received?.params.get('received'), '[2001:db8::9:255]')
  assert.equal(
    received && printVia(received),
    'SIP/2.0/UDP [2001:db8::9:1]:6050;received=[2001:db8::9:255];rport;branch=z9hG4bKas3',
  )
  assert.equal(parseVia('SIP/7.0/UDP host')?.host, 'host')
})

test('a malformed Via is refused', () => {
  for (const text of [
    '',
    'UDP host',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ;branch=x',
    'SIP/2.0/UDP host;;',
    'SIP/2.0/UDP h:99999',
  ]) {
    assert.equal(parseVia(text), undefined, text)
  }
})
