/** RFC 3261 §18.3, RFC 5626 §4.4.1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../net/memory-network.ts'
import { limits } from '../message/frame.ts'
import { Framer } from './framer.ts'

const message = (body: string, head = '') =>
  `MESSAGE sip:a@x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

function framer() {
  const seen: string[] = []
  const it = new Framer({
    message: (bytes) => seen.push(bytes.toString()),
    ping: () => seen.push('ping'),
    failed: (problem, head) => seen.push(head ? `${problem} with head` : problem),
  })
  return { seen, push: (text: string | Buffer) => it.push(Buffer.from(text)), it }
}

const first = message('hello\r\n\r\nworld')
const second = message('', 'l-no: 5\r\n')
const third = message('ü')

test('messages arrive whole wherever the stream is cut in two', () => {
  const stream = Buffer.from(`${first}\r\n\r\n${second}${third}`)
  for (let at = 0; at <= stream.length; at++) {
    const { seen, push, it } = framer()
    push(stream.subarray(0, at))
    push(stream.subarray(at))
    assert.deepEqual(seen, [first, 'ping', second, third], `cut at ${at}`)
    assert.equal(it.unfinished, false)
  }
})

test('messages arrive whole byte by byte', () => {
  const { seen, push } = framer()
  for (const byte of Buffer.from(first + third + second)) push(Buffer.of(byte))
  assert.deepEqual(seen, [first, third, second])
})

test('messages stay what they were when later chunks come', () => {
  const kept: Buffer[] = []
  const it = new Framer({ message: (bytes) => kept.push(bytes), ping: () => {}, failed: () => {} })
  const stream = Buffer.from(first.repeat(5))
  for (let at = 0; at < stream.length; at += 17) it.push(Buffer.from(stream.subarray(at, at + 17)))
  assert.deepEqual(kept.map(String), Array(5).fill(first))
})

test('two line ends are a ping, also in pieces; single ones are not', () => {
  const { seen, push } = framer()
  push('\r\n')
  push(first)
  push('\r')
  push('\n\r')
  assert.deepEqual(seen, [first])
  push('\n')
  assert.deepEqual(seen, [first, 'ping'])
})

test('without a usable Content-Length the stream is lost (RFC 3261 §18.3)', () => {
  for (const line of ['', 'Content-Length: x\r\n', 'Content-Length: 1\r\nl: 1\r\n']) {
    const { seen, push } = framer()
    push(`OPTIONS sip:a SIP/2.0\r\nVia: v\r\n${line}\r\n`)
    push(first)
    assert.deepEqual(seen, ['content-length with head'])
  }
})

test('a head without an end and a body without measure are refused at the bound', () => {
  const endless = framer()
  for (let n = 0; n <= limits.messageBytes / 1_024 + 1; n++) endless.push('x'.repeat(1_024))
  assert.deepEqual(endless.seen, ['too-large'])
  const huge = framer()
  huge.push('OPTIONS sip:a SIP/2.0\r\nContent-Length: 999999999\r\n\r\n')
  assert.deepEqual(huge.seen, ['too-large with head'])
})

test('any split of any bytes gives what the whole gives: messages, pings, and where it fails', () => {
  const random = seededRandom(3)
  const below = (bound: number): number => Math.floor(random() * bound)
  const parts = [first, second, third, '\r\n', '\r\n\r\n', '\n', '\r', message('x'.repeat(3_000)), message('\r\n\r\n')]
  const results = new Set<string>()
  for (let round = 0; round < 2_000; round++) {
    const stream = Buffer.from(Array.from({ length: 1 + below(8) }, () => parts[below(parts.length)]).join(''))
    // Every other stream is broken somewhere.
    if (round % 2 === 1) stream[below(stream.length)] = [0x0a, 0x0d, 0x3a, 0x39, 0x20, 0x00][below(6)] ?? 0
    const whole = framer()
    whole.push(stream)
    const cut = framer()
    const most = 1 + below(round % 3 === 0 ? 3 : 400)
    for (let at = 0; at < stream.length; ) {
      const next = at + 1 + below(most)
      cut.push(stream.subarray(at, next))
      at = next
    }
    assert.deepEqual(cut.seen, whole.seen, `round ${round}`)
    assert.equal(cut.it.unfinished, whole.it.unfinished, `round ${round}`)
    results.add(whole.seen.at(-1)?.slice(0, 20) ?? '')
  }
  assert.ok(results.has('ping') && results.has('content-length with ') && results.size >= 4)
})
