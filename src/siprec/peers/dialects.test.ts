import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRequest } from '../test-support.ts'
import { deviationsOf, refusedIn } from './dialects.ts'

function invite(headers: readonly string[], body = 'v=0\r\n', type = 'application/sdp') {
  const lines = [
    'INVITE sip:r@x SIP/2.0',
    'Via: SIP/2.0/UDP x;branch=z9hG4bK1',
    'From: <sip:a@x>;tag=1',
    'To: <sip:r@x>',
  ]
  const typed = body === '' ? [] : [`Content-Type: ${type}`]
  const more = ['Call-ID: 1', 'CSeq: 1 INVITE', ...headers, ...typed, `Content-Length: ${Buffer.byteLength(body)}`]
  return readRequest(Buffer.from(`${[...lines, ...more].join('\r\n')}\r\n\r\n${body}`))
}

const parts =
  '--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<recording/>\r\n--b--\r\n'
const mixed = 'multipart/mixed;boundary=b'

test('a client that requires siprec and has +sip.src behind its Contact conforms (RFC 7866 §6.2)', () => {
  assert.deepEqual(deviationsOf(invite(['Require: siprec', 'Contact: <sip:a@x>;+sip.src'])), [])
  assert.deepEqual(
    deviationsOf(invite(['Require: 100rel, SIPREC', 'Contact: "A" <sip:a@x;lr>;q=1;+sip.src'], parts, mixed)),
    [],
  )
})

test('what clients of the field leave out or write elsewhere has a name, which their dialect may let pass', () => {
  const audioCodes = invite(['Require: siprec', 'Contact: <sip:a@x>;src'])
  const avaya = invite(['Require: siprec', 'Contact: <sip:a@x;+sip.src>'])
  const metaswitch = invite(['Require: siprec', 'Contact: <sip:a@x;+sip.src'])
  for (const request of [audioCodes, avaya, metaswitch]) assert.deepEqual(deviationsOf(request), ['no-feature-tag'])
  const broadWorks = invite(['Contact: <sip:a@x>;src'], parts, mixed)
  assert.deepEqual(deviationsOf(broadWorks), ['no-require', 'no-feature-tag'])
  assert.deepEqual(refusedIn('rfc', broadWorks), ['no-require', 'no-feature-tag'])
  assert.deepEqual(refusedIn('lenient', broadWorks), [])
})

test('a call without any sign of SIPREC, and one without an offer, are recorded for a peer all of whose calls are', () => {
  const networkRecording = invite(['Contact: <sip:a@x>', 'X-Cisco-Recording-Participant: sip:a@x;media-index="0"'])
  assert.deepEqual(refusedIn('lenient', networkRecording), ['plain-call'])
  const builtInBridge = invite(['Contact: <sip:a@x>;isFocus'], '')
  assert.deepEqual(deviationsOf(builtInBridge), ['no-require', 'no-feature-tag', 'offerless', 'plain-call'])
  assert.deepEqual(refusedIn('network', networkRecording), [])
  assert.deepEqual(refusedIn('network', builtInBridge), [])
  assert.deepEqual(refusedIn('rfc', invite(['Require: siprec', 'Contact: <sip:a@x>;+sip.src'], '')), ['offerless'])
})
