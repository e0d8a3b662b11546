import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialledNumber, inboundExtension, outboundRoute, readTrunk, trunkUri } from './trunks.ts'

const trunk = readTrunk({
  name: 'carrier',
  host: 'sip.example',
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
  assert.equal(outboundRoute([trunk], '030555', '102')?.number, '+4930555')
  assert.equal(outboundRoute([trunk], '0044123', '101')?.number, '+44123')
})

test('the shorter prefix serves whom the longer one does not allow', () => {
  assert.equal(outboundRoute([trunk], '0044123', '102')?.number, '+49044123')
})

test('without a rule nothing goes out', () => {
  assert.equal(outboundRoute([trunk], '5551234', '101'), undefined)
  assert.equal(outboundRoute([], '030555', '101'), undefined)
})

test('what is no number never goes out, whatever it begins with', () => {
  for (const dialled of ['00@evil.example;x', '00;phone-context=x', '00 44', '00${EXTEN}', '0&PJSIP/1', '0sip:9', ''])
    assert.equal(outboundRoute([trunk], dialled, '101'), undefined, dialled)
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
