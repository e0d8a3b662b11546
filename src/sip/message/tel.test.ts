import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sipToTel, telToSip } from './tel.ts'
import { parseUri, printUri, sameUri } from './uri.ts'

const parsed = (text: string) => {
  const uri = parseUri(text)
  assert.ok(uri, text)
  return uri
}

test('tel URIs compare by digits and by all of their parameters (RFC 3966 §4)', () => {
  const same = [
    ['tel:+1-201-555-0123', 'tel:+1(201)555.0123'],
    ['tel:7042;phone-context=example.com', 'TEL:7042;Phone-Context=EXAMPLE.com'],
    ['tel:863-1234;phone-context=+1-914-555', 'tel:8631234;phone-context=+1914.555'],
    ['tel:+1201;ext=12-3;isub=AbC', 'tel:+1201;isub=abc;ext=123'],
  ] as const
  const different = [
    ['tel:+12015550123', 'tel:12015550123'],
    ['tel:7042;phone-context=example.com', 'tel:7042;phone-context=examplecom'],
    ['tel:+1201', 'tel:+1201;ext=1'],
    ['tel:+1201;ext=1', 'tel:+1201;ext=2'],
    ['tel:+1201;x', 'tel:+1201;y'],
  ] as const

  for (const [a, b] of same) assert.ok(sameUri(parsed(a), parsed(b)), `${a} ${b}`)
  for (const [a, b] of different) assert.ok(!sameUri(parsed(a), parsed(b)), `${a} ${b}`)
})

test('a tel URI becomes a SIP URI, its parameters in one order so that equal numbers stay equal (RFC 3261 §19.1.6)', () => {
  const [a, b] = ['tel:+358-555-1234567;postd=pp22', 'tel:+358-555-1234567;POSTD=PP22'].map((text) =>
    telToSip(parsed(text), 'foo.com'),
  )
  assert.ok(a && b)
  assert.equal(printUri(a), 'sip:+358-555-1234567;postd=pp22@foo.com;user=phone')
  assert.ok(sameUri(a, b))
  assert.equal(
    printUri(telToSip(parsed('tel:7042;x=1;phone-context=+49;ext=5;isub=9'), 'foo.com')),
    'sip:7042;isub=9;ext=5;phone-context=+49;x=1@foo.com;user=phone',
  )
})

test('a SIP URI of a telephone gives its tel URI back, another one none', () => {
  const tel = sipToTel(parsed('sip:+49-30-555;ext=1;flag@pbx:5070;user=phone'))
  assert.ok(tel)
  assert.equal(printUri(tel), 'tel:+49-30-555;ext=1;flag')
  assert.equal(sipToTel(parsed('sip:+4930555@pbx')), undefined)
  assert.equal(sipToTel(parsed('sip:alice@pbx;user=phone')), undefined)
})
