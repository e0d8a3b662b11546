import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseSdp, sdpLimits } from './parse.ts'
import { printSdp } from './print.ts'

interface Case {
  readonly name: string
  readonly offer: string
  readonly answer?: string
  readonly then?: { readonly offer: string; readonly answer: string }
}

const file = join(import.meta.dirname, '../../test/data/sdp/cases.json')
const cases = JSON.parse(readFileSync(file, 'utf8')) as readonly Case[]

function read(text: string | Uint8Array) {
  const result = parseSdp(text)
  assert.ok(result.ok, result.ok ? '' : `${result.problem.code} in line ${result.problem.line}`)
  return result.description
}

function problem(text: string) {
  const result = parseSdp(text)
  assert.ok(!result.ok)
  return [result.problem.code, result.problem.line]
}

for (const { name, offer, answer, then } of cases) {
  test(`${name} is printed as it was read`, () => {
    for (const text of [offer, answer, then?.offer, then?.answer].filter((each) => each !== undefined)) {
      const crlf = text.includes('\r\n') ? text : text.replaceAll('\n', '\r\n')
      assert.equal(printSdp(read(text)), crlf)
      assert.equal(printSdp(read(Buffer.from(text))), crlf)
    }
  })
}

const head = ['v=0', 'o=- 1 2 IN IP4 192.0.2.1', 's=-']
const sdp = (...lines: string[]) => [...head, ...lines, ''].join('\r\n')

test('what clients leave out or add at the end does not matter', () => {
  const description = read(`\r\nv=0\r\no=x  1 2 IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0 8 \r\na=sendonly\r\n\r\n`)

  assert.equal(description.name, '-')
  assert.equal(description.connection, undefined)
  assert.deepEqual(description.media[0]?.formats, ['0', '8'])
})

test('lines we do not know are kept where they stood: session or stream', () => {
  const description = read(sdp('i=a', 'b=AS:64', 't=0 0', 'm=audio 4000 RTP/AVP 0', 'i=b', 'b=TIAS:1', 'k=clear:x'))

  assert.deepEqual(description.otherLines, ['i=a', 'b=AS:64', 't=0 0'])
  assert.deepEqual(description.media[0]?.otherLines, ['i=b', 'b=TIAS:1', 'k=clear:x'])
})

test('attributes are flags or name and value, the value whole', () => {
  const description = read(sdp('a=sendrecv', 'a=crypto:1 X inline:a|2^20|1:4', 'a=empty:'))

  assert.deepEqual(description.attributes, [
    { name: 'sendrecv' },
    { name: 'crypto', value: '1 X inline:a|2^20|1:4' },
    { name: 'empty', value: '' },
  ])
})

test('of several c= lines of a stream the first counts and all are kept', () => {
  const text = sdp('t=0 0', 'm=video 5000 RTP/AVP 31', 'c=IN IP4 233.252.0.1/127', 'c=IN IP4 233.252.0.2/127')
  const description = read(text)

  assert.equal(description.media[0]?.connection?.address, '233.252.0.1/127')
  assert.equal(printSdp(description), text)
})

test('a description that cannot be read says which line is wrong', () => {
  assert.deepEqual(problem(''), ['sdp.version', 1])
  assert.deepEqual(problem('o=- 1 1 IN IP4 1.2.3.4\r\nv=0\r\n'), ['sdp.version', 1])
  assert.deepEqual(problem('v=1\r\n'), ['sdp.version', 1])
  assert.deepEqual(problem('v=0\r\ns=-\r\n'), ['sdp.origin', 2])
  assert.deepEqual(problem('v=0\r\no=- 1 1 IN IP4\r\n'), ['sdp.origin', 2])
  assert.deepEqual(problem(sdp('hello')), ['sdp.line', 4])
  assert.deepEqual(problem(sdp('c=IN IP4')), ['sdp.connection', 4])
  assert.deepEqual(problem(sdp('c=IN IP5 x')), ['sdp.connection', 4])
  assert.deepEqual(problem(sdp('m=audio 65536 RTP/AVP 0')), ['sdp.media', 4])
  assert.deepEqual(problem(sdp('m=audio -1 RTP/AVP 0')), ['sdp.media', 4])
  assert.deepEqual(problem(sdp('m=audio 1 RTP/AVP')), ['sdp.media', 4])
  assert.deepEqual(problem(sdp('t=0 0', 'm=audio 1x RTP/AVP 0')), ['sdp.media', 5])
})

test('lines and streams are bounded', () => {
  assert.equal(problem(sdp(...Array.from({ length: sdpLimits.lines }, () => 'a=x')))[0], 'sdp.too-large')
  const streams = Array.from({ length: sdpLimits.media + 1 }, () => 'm=audio 1 RTP/AVP 0')
  assert.equal(problem(sdp(...streams))[0], 'sdp.too-large')
})
