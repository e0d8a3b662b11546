import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asRequestUri, parseUri, printUri, sameUri, writtenUri } from './uri.ts'

const parsed = (text: string) => {
  const uri = parseUri(text)
  assert.ok(uri, text)
  return uri
}

test('a SIP URI comes apart into its pieces (RFC 3261 §19.1.1)', () => {
  const uri = parsed('SIPS:al%69ce:pa%20ss@Example.COM:5061;Transport=tls;lr?Subject=hi%20there&x=')

  assert.deepEqual(uri, {
    scheme: 'sips',
    user: 'alice',
    password: 'pa ss',
    host: 'example.com',
    port: 5061,
    params: new Map([
      ['transport', 'tls'],
      ['lr', null],
    ]),
    headers: new Map([
      ['Subject', 'hi there'],
      ['x', ''],
    ]),
    text: 'SIPS:al%69ce:pa%20ss@Example.COM:5061;Transport=tls;lr?Subject=hi%20there&x=',
  })
})

test('what is printed reads back the same', () => {
  for (const text of [
    'sip:example.com',
    'sip:alice@[2001:db8::1]:5070;transport=tcp',
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
    'sip:null-%00-null@example.com',
    'sip:sips%3Auser%40example.com@example.net',
    'sip:user@example.com?Route=%3Csip:sip.example.com%3E',
    'sip:caller@host;name=value%2541;lr',
    'sip:%D0%B0%D0%BD%D0%BD%D0%B0@host',
    'tel:+1-201-555-0123;phone-context=example.com',
    'urn:service:sos',
  ]) {
    assert.equal(printUri(parsed(text)), text)
  }
})

test('the first @ ends the user part, however odd that part is', () => {
  assert.equal(parsed('sip:+1;ext=5?a@host').user, '+1;ext=5?a')
  assert.equal(parsed('sip:+1;ext=5?a@host').host, 'host')
})

test('malformed URIs are refused', () => {
  for (const text of [
    '',
    'sip:',
    'sip',
    ':x',
    'sip:@host',
    'sip:user@',
    'sip:2001:db8::10', // RFC 5118 §4.2
    'sip:[2001:db8::10',
    'sip:[2001:db8::zz]',
    'sip:[]',
    'sip:host:',
    'sip:host:70000',
    'sip:host:5060x',
    'sip:us er@host',
    '<sip:user@host>',
    'sip:a%zz@host',
    'sip:host;;lr',
    'sip:ho_st-',
    'tel:',
  ]) {
    assert.equal(parseUri(text), undefined, text)
  }
})

test('URIs compare as RFC 3261 §19.1.4 says in its examples', () => {
  const same = [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&Subject=project%20x',
    ],
    ['sip:[2001:db8::1]:5060', 'sip:[2001:DB8:0:0:0:0:0:1]:5060'],
    ['sip:a%3bb@chicago.com', 'sip:%61%3Bb@chicago.com'],
    ["sip:it's@chicago.com", 'sip:it%27s@chicago.com'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    ['tel:+1-201-555-0123', 'tel:+12015550123'],
  ] as const
  const different = [
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:carol@chicago.com;maddr=192.0.2.1', 'sip:carol@chicago.com'],
    ['sip:carol@chicago.com?Subject=a', 'sip:carol@chicago.com?Subject=b'],
    ['sip:a%3Bb@chicago.com', 'sip:a;b@chicago.com'],
    ['sip:a:b@chicago.com', 'sip:a@chicago.com'],
    ['sip:bob@biloxi.com', 'sips:bob@biloxi.com'],
  ] as const

  for (const [a, b] of same) assert.ok(sameUri(parsed(a), parsed(b)) && sameUri(parsed(b), parsed(a)), `${a} ${b}`)
  for (const [a, b] of different)
    assert.ok(!sameUri(parsed(a), parsed(b)) && !sameUri(parsed(b), parsed(a)), `${a} ${b}`)
})

test('octets that are not UTF-8 do not throw', () => {
  assert.equal(parsed('sip:%FFx%C3@host').user, '\uFFFDx\uFFFD')
})

test('headers of a URI stay out of a Request-URI, and a question mark in the user part stays in', () => {
  assert.equal(asRequestUri('sip:a?b@host;ob?Route=%3Csip:p%3E'), 'sip:a?b@host;ob')
  assert.equal(asRequestUri('sips:host?Subject=hi'), 'sips:host')
  for (const text of ['sip:a?b@host', 'urn:service:sos?x', 'tel:+1?x']) assert.equal(asRequestUri(text), text)
})

test('a URI goes back to its writer as it was written', () => {
  const text = 'sip:a%3Bb;c@HOST:5060;Line=AbC;ob'
  assert.equal(writtenUri(parsed(text)), text)
  const { text: _, ...made } = parsed(text)
  assert.equal(writtenUri(made), 'sip:a;b;c@host:5060;line=AbC;ob')
})
