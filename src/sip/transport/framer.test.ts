/** RFC 3261 §18.3, RFC 5626 §4.4.1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
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
