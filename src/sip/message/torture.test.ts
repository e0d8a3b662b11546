/**
 * The messages of RFC 4475 and RFC 5118, each as its expected.json says. Where the answer is up to a layer above (405,
 * 415, 420, …) the message must parse, and what that layer looks at must read right; those are checked one by one below.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fields from './fields.ts'
import { parseMultipart } from './multipart.ts'
import { type ParseProblem, parseMessage } from './parse.ts'
import { printMessage } from './print.ts'
import type { SipMessage, SipRequest } from './types.ts'
import { sameUri } from './uri.ts'

const data = join(import.meta.dirname, '../../../test/data')
const inRfc5118 = new Set(readdirSync(join(data, 'rfc5118')))
const bytesOf = (name: string) =>
  readFileSync(join(data, inRfc5118.has(`${name}.dat`) ? 'rfc5118' : 'rfc4475', `${name}.dat`))

function read(name: string): SipMessage {
  const result = parseMessage(bytesOf(name))
  assert.ok(result.ok, name)
  return result.message
}

function request(name: string): SipRequest {
  const message = read(name)
  assert.ok(message.kind === 'request')
  return message
}

function problem(name: string): ParseProblem {
  const result = parseMessage(bytesOf(name))
  assert.ok(!result.ok, name)
  return result.problem
}

/** Refused by the parser: answer to send, or none. */
const refused: Readonly<Record<string, number | 'none'>> = {
  badinv01: 400,
  clerr: 400,
  scalar02: 400,
  lwsruri: 400,
  mismatch02: 400,
  bigcode: 'none',
  mcl01: 400,
  ncl: 400,
  scalarlg: 'none',
  quotbal: 400,
  ltgtruri: 400,
  lwsstart: 400,
  trws: 400,
  // Liberal about the display name; the stored message lacks the empty line after its headers.
  baddn: 400,
  badvers: 505,
  mismatch01: 400,
  insuf: 400,
  multi01: 400,
  'ipv6-bad': 400,
}

/**
 * Marked invalid, but read: what is wrong stands where nobody looks, or is no danger. Headers in a Request-URI are not
 * looked at (escruri), and those of a Contact need no brackets (regbadct).
 */
const liberal = new Set(['baddate', 'badaspec', 'escruri', 'regbadct'])

for (const folder of ['rfc4475', 'rfc5118']) {
  const expected = JSON.parse(readFileSync(join(data, folder, 'expected.json'), 'utf8')) as Record<
    string,
    { class: string; section: string; expect: string }
  >
  for (const [name, { class: kind, section, expect }] of Object.entries(expected)) {
    test(`RFC ${folder.slice(3)} §${section} ${name}: ${expect}`, () => {
      const answer = refused[name]
      if (answer === undefined) {
        assert.ok(kind !== 'invalid' || liberal.has(name), 'an invalid message must be listed')
        read(name)
        return
      }
      const { status, partial } = problem(name)
      assert.equal(partial ? status : 'none', answer)
    })
  }
}

const entries = (message: SipMessage) =>
  Array.from(message.headers.entries()).filter(([header]) => !/^(l|content-length)$/i.test(header))

test('what is read is printed so that it reads the same again', () => {
  for (const file of [...readdirSync(join(data, 'rfc4475')), ...inRfc5118].filter((each) => each.endsWith('.dat'))) {
    const name = file.slice(0, -'.dat'.length)
    const result = parseMessage(bytesOf(name))
    if (!result.ok) continue
    const again = parseMessage(printMessage(result.message))
    assert.ok(again.ok, name)
    assert.deepEqual(entries(again.message), entries(result.message), name)
    assert.deepEqual(Buffer.from(again.message.body), Buffer.from(result.message.body), name)
  }
})

test('wsinv: folding, odd case and short forms read right', () => {
  const message = request('wsinv')

  assert.equal(fields.maxForwardsOf(message), 68)
  assert.deepEqual(fields.cseqOf(message), { seq: 9, method: 'INVITE' })
  assert.equal(fields.fromOf(message)?.displayName, String.raw`J Rosenberg \"`)
  assert.equal(fields.toTag(message), '1918181833n')
  assert.deepEqual(
    fields.vias(message)?.map(({ transport, host, params }) => [transport, host, params.get('branch')]),
    [
      ['UDP', '192.0.2.2', '390skdjuw'],
      ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', 'z9hG4bK30239'],
    ],
  )
  assert.equal(message.headers.get('UnknownHeaderWithUnusualValue'), ';;,,;;,;')
  assert.equal(message.headers.get('NewFangledHeader'), 'newfangled value continued newfangled value')
  const contacts = fields.contactsOf(message)
  assert.ok(Array.isArray(contacts))
  assert.equal(contacts[0]?.displayName, 'Quoted string ""')
  assert.equal(contacts[0].params.get('q'), '0.33')
  assert.equal(message.body.length, 150)
})

test('intmeth: an unusual method and user part are kept as they are', () => {
  const message = request('intmeth')

  assert.equal(message.method, "!interesting-Method0123456789_*+`.%indeed'~")
  assert.equal(fields.requestUriOf(message)?.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
  assert.equal(fields.requestUriOf(message)?.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
  assert.equal(fields.toOf(message)?.displayName, 'BEL:\u0007 NUL:\0 DEL:\u007f')
  assert.equal(fields.maxForwardsOf(message), 255)
})

test('esc01: escapes are data, and equal to what they stand for', () => {
  const message = request('esc01')

  assert.equal(fields.requestUriOf(message)?.user, 'sips:user@example.com')
  assert.equal(fields.toOf(message)?.uri.user, 'user')
  assert.equal(fields.fromOf(message)?.uri.user, 'I have spaces')
  const contacts = fields.contactsOf(message)
  assert.ok(Array.isArray(contacts))
  assert.deepEqual(
    [...(contacts[0]?.uri.params ?? [])],
    [
      ['lr', null],
      ['name', 'value%41'],
    ],
  )
})

test('escnull: a NUL does not end a user name', () => {
  const contacts = fields.contactsOf(request('escnull'))

  assert.ok(Array.isArray(contacts) && contacts[0] && contacts[1])
  assert.equal(contacts[1].uri.user, '\0\0')
  assert.equal(sameUri(contacts[0].uri, contacts[1].uri), false)
})

test('esc02, semiuri, dblreq, cparam02: escapes only where they count, one message a datagram, parameters in their place', () => {
  assert.equal(request('esc02').method, 'RE%47IST%45R')
  assert.equal(request('esc02').headers.all('Contact').length, 2)
  const semicolon = fields.requestUriOf(request('semiuri'))
  assert.deepEqual([semicolon?.user, semicolon?.params.size], ['user;par=u@example.net', 0])
  assert.deepEqual([request('dblreq').method, request('dblreq').body.length], ['REGISTER', 0])
  const contacts = fields.contactsOf(request('cparam02'))
  assert.ok(Array.isArray(contacts))
  assert.deepEqual([contacts[0]?.params.size, contacts[0]?.uri.params.has('unknownparam')], [0, true])
})

test('mpart01: a binary part comes out whole', () => {
  const message = request('mpart01')
  const parts = parseMultipart(message.headers.get('Content-Type') ?? '', message.body)

  assert.deepEqual(
    parts?.map(({ contentType, body }) => [contentType.type, body.length]),
    [
      ['text/plain', 5],
      ['application/octet-stream', 342],
    ],
  )
})

test('longreq: 34 Vias and long values all read', () => {
  const message = request('longreq')

  assert.equal(fields.vias(message)?.length, 34)
  assert.equal(fields.toOf(message)?.uri.port, 6000)
})

test('unreason: a reason phrase in another script', () => {
  const message = read('unreason')

  assert.ok(message.kind === 'response')
  assert.match(message.reason, /^= 2\*\*3 \* 5\*\*2 но сто девяносто девять - простое$/)
})

test('what the layers above need to answer right', () => {
  assert.deepEqual(
    fields.vias(request('transports'))?.map(({ transport }) => transport),
    ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'],
  )
  assert.equal(fields.topVia(request('badbranch'))?.params.get('branch'), 'z9hG4bK', 'no magic cookie and more')
  assert.equal(fields.requestUriOf(request('novelsc'))?.scheme, 'soap.beep', '416')
  assert.equal(fields.toOf(request('unksm2'))?.uri.scheme, 'isbn', '400 or 404')
  assert.deepEqual(fields.optionTags(request('bext01'), 'Require').length, 2, '420')
  assert.equal(fields.contentTypeOf(request('invut'))?.type, 'application/unknownformat', '415')
  assert.equal(fields.vias(read('bcast'))?.length, 2, 'a response with more than one Via is not for us')
  assert.equal(fields.maxForwardsOf(request('zeromf')), 0)
  assert.equal(request('sdp01').headers.get('Accept'), 'text/nobodyKnowsThis', '406')
  const unknownParam = fields.contactsOf(request('cparam01'))
  assert.ok(Array.isArray(unknownParam))
  assert.equal(unknownParam[0]?.params.has('unknownparam'), true)
  const escapedRoute = fields.contactsOf(request('regescrt'))
  assert.ok(Array.isArray(escapedRoute))
  assert.equal(escapedRoute[0]?.uri.headers.get('Route'), '<sip:sip.example.com>')
})

test('IPv6 addresses lose their brackets, ports stay outside (RFC 5118 §4.4, §4.5)', () => {
  const uri = fields.requestUriOf(request('port-unambiguous'))

  assert.deepEqual([uri?.host, uri?.port], ['2001:db8::10', 5070])
  for (const name of ['ipv6-correct-abnf-2-colons', 'ipv6-bug-abnf-3-colons'])
    assert.equal(fields.requestUriOf(request(name))?.host, '2001:db8::192.0.2.1')
  const ambiguous = fields.requestUriOf(request('port-ambiguous'))
  assert.deepEqual([ambiguous?.host, ambiguous?.port], ['2001:db8::10:5070', undefined])
  assert.deepEqual(
    fields.vias(request('mult-ip-in-header'))?.map(({ host, port }) => [host, port]),
    [
      ['2001:db8::9:1', 6050],
      ['192.0.2.1', undefined],
      ['2001:db8::9:255', undefined],
    ],
  )
  assert.equal(fields.topVia(request('via-received-param-with-delim'))?.params.get('received'), '[2001:db8::9:255]')
})
