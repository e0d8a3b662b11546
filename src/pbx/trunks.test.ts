import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestWith, trunkWith } from './test-support.ts'
import { dialledNumber, inboundExtension, numberCalled, outboundRoutes, trunkUri } from './trunks.ts'

const trunk = trunkWith({
  port: 5060,
  transport: 'udp',
  username: 'acme',
  password: 'hush-hush',
  sources: ['192.0.2.0/24'],
  inbound: { '+49301234': '101' },
  outbound: [
    { prefix: '0', strip: 1, add: '+49', from: [] },
    { prefix: '00', strip: 2, add: '+', from: ['101'] },
  ],
})

test('a number goes out by the longest prefix that allows the caller', () => {
  assert.equal(outboundRoutes([trunk], '030555', '102')[0]?.number, '+4930555')
  assert.equal(outboundRoutes([trunk], '0044123', '101')[0]?.number, '+44123')
})

test('the shorter prefix serves whom the longer one does not allow', () => {
  assert.equal(outboundRoutes([trunk], '0044123', '102')[0]?.number, '+49044123')
})

test('without a rule nothing goes out', () => {
  assert.deepEqual(outboundRoutes([trunk], '5551234', '101'), [])
  assert.deepEqual(outboundRoutes([], '030555', '101'), [])
})

test('what is no number never goes out, whatever it begins with', () => {
  for (const dialled of ['00@evil.example;x', '00;phone-context=x', '00 44', '00${EXTEN}', '0&PJSIP/1', '0sip:9', ''])
    assert.deepEqual(outboundRoutes([trunk], dialled, '101'), [], dialled)
})

test('a number dialled in finds its extension, another none', () => {
  assert.equal(inboundExtension(trunk, '+49301234'), '101')
  assert.equal(inboundExtension(trunk, '+4930'), undefined)
  assert.equal(inboundExtension(trunk, 'constructor'), undefined)
})

test('credentials are there only when both halves are', () => {
  assert.deepEqual(trunk.credentials, { username: 'acme', password: 'hush-hush' })
})

const uri = (more: Partial<typeof trunk>) => trunkUri({ host: 'sip.example', ...more }, '123')

test('what a trunk leaves out is left to DNS (RFC 3263 §4)', () => {
  assert.equal(uri({}), 'sip:123@sip.example')
  assert.equal(uri({ port: 5060, transport: 'udp' }), 'sip:123@sip.example:5060')
  assert.equal(uri({ transport: 'udp' }), 'sip:123@sip.example;transport=udp')
  assert.equal(uri({ port: 5071, transport: 'tls' }), 'sip:123@sip.example:5071;transport=tls')
})

test('a telephone number is dialled without separators and parameters, a user part as it stands (RFC 3966 §3)', () => {
  assert.equal(dialledNumber('tel:+49-30-555;ext=1'), '+4930555')
  assert.equal(dialledNumber('sip:+49(30)555;phone-context=x@pbx;user=phone'), '+4930555')
  assert.equal(dialledNumber('sip:%31%30%32@pbx'), '102')
  assert.equal(dialledNumber('sip:front-desk@pbx:5070;transport=tcp'), 'front-desk')
  assert.equal(dialledNumber('sip:pbx'), undefined)
})

test('several trunks with a rule for one prefix are tried in order; a shorter prefix would make another number of it', () => {
  const international = { prefix: '00', strip: 2, add: '+', from: [] }
  const first = trunkWith({ name: 'first', outbound: [international] })
  const second = trunkWith({ name: 'second', outbound: [{ ...international, add: '00' }] })
  const domestic = trunkWith({ name: 'domestic', outbound: [{ ...international, prefix: '0', add: '+49' }] })
  const routes = outboundRoutes([domestic, first, second], '0044123', '101')
  assert.deepEqual(
    routes.map(({ trunk: { name }, number }) => `${name} ${number}`),
    ['first +44123', 'second 0044123'],
  )
})

test('a carrier that calls the account we registered has the number in P-Called-Party-ID or To', () => {
  const registering = trunkWith({ register: true, username: 'acme', password: 'hush-hush' })
  const to = { To: '"Us" <sip:+49301234@carrier.example;user=phone>' }
  const called = (uri: string, headers: Record<string, string>, from = registering) =>
    numberCalled(from, requestWith('INVITE', uri, headers))
  assert.equal(called('sip:acme@192.0.2.1;line=x', to), '+49301234')
  assert.equal(called('sip:acme@192.0.2.1', { ...to, 'P-Called-Party-ID': '<tel:+49309>' }), '+49309')
  assert.equal(called('sip:+49305@192.0.2.1', to), '+49305')
  assert.equal(called('sip:acme@192.0.2.1', to, trunk), 'acme', 'only where we registered')
})
