/**
 * Hostile bytes: the fuzz corpus, damage from a fixed seed to typical requests, and inputs made to cost time.
 *
 * Nothing may throw, what is accepted must print and read back the same, and the stream framer must cut where the
 * parser thinks the message ends.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { seededRandom } from '../src/net/memory-network.ts'
import { parseSdp } from '../src/sdp/parse.ts'
import { printSdp } from '../src/sdp/print.ts'
import { parseDigest } from '../src/sip/auth/digest-text.ts'
import { createResponse } from '../src/sip/message/build.ts'
import * as fields from '../src/sip/message/fields.ts'
import { contentLength, findHeadEnd, limits, skipBlankLines } from '../src/sip/message/frame.ts'
import { parseMultipart } from '../src/sip/message/multipart.ts'
import { parseNameAddr, printNameAddr } from '../src/sip/message/name-addr.ts'
import { type ParseResult, parseMessage } from '../src/sip/message/parse.ts'
import { printMessage } from '../src/sip/message/print.ts'
import type { SipMessage } from '../src/sip/message/types.ts'

const data = join(import.meta.dirname, 'data')

/** Choices that a seed decides, so that a failure repeats. */
function generator(seed: number) {
  const next = seededRandom(seed)
  const below = (end: number) => Math.floor(next() * end)
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item
  return { below, pick }
}

/** Everything that the platform does with a message before it knows who sent it. */
function handle(bytes: Uint8Array): ParseResult {
  const result = parseMessage(bytes)
  const message = result.ok ? result.message : result.problem.partial
  if (!message) return result
  readAll(message)
  if (message.kind === 'request') printMessage(createResponse(message, 400, { toTag: 'x' }))
  if (result.ok) checkAccepted(bytes, result.message)
  return result
}

function readAll(message: SipMessage): void {
  fields.vias(message)
  fields.fromTag(message)
  fields.toTag(message)
  fields.callIdOf(message)
  fields.expiresOf(message)
  fields.optionTags(message, 'Require')
  if (message.kind === 'request') fields.requestUriOf(message)
  const contacts = fields.contactsOf(message)
  if (Array.isArray(contacts)) for (const contact of contacts) assert.ok(parseNameAddr(printNameAddr(contact)))
  for (const value of message.headers.all('Authorization')) parseDigest(value)
  parseMultipart(message.headers.get('Content-Type') ?? '', message.body)
  const sdp = parseSdp(message.body)
  if (sdp.ok) assert.ok(parseSdp(printSdp(sdp.description)).ok)
}

const entries = (message: SipMessage) =>
  Array.from(message.headers.entries()).filter(([name]) => !/^(l|content-length)$/i.test(name))

function checkAccepted(bytes: Uint8Array, message: SipMessage): void {
  const again = parseMessage(printMessage(message))
  assert.ok(again.ok, 'what was read is printed readably')
  assert.deepEqual(entries(again.message), entries(message))
  assert.deepEqual(Buffer.from(again.message.body), Buffer.from(message.body))
  const start = skipBlankLines(bytes, 0)
  const headEnd = findHeadEnd(bytes, start)
  const length = contentLength(bytes.subarray(start, headEnd))
  assert.equal(length === 'absent' ? bytes.length - headEnd : length, message.body.length)
}

test('the fuzz corpus is read or refused, and never throws', () => {
  const lines = gunzipSync(readFileSync(join(data, 'fuzz/cases.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
  const counts = { ok: 0, answered: 0, dropped: 0 }
  for (const line of lines) {
    const { msg } = JSON.parse(line) as { msg: string }
    const result = handle(Buffer.from(msg, 'base64'))
    if (result.ok) counts.ok++
    else if (result.problem.partial) counts.answered++
    else counts.dropped++
  }

  assert.equal(counts.ok + counts.answered + counts.dropped, 600)
  assert.ok(counts.ok > 100 && counts.answered > 50 && counts.dropped > 20, JSON.stringify(counts))
})

/** Pieces of the grammar, put where they do not belong. */
const signs = ['\r\n', '\n', '\r', '\r\n\r\n', ' ', '\t', '\r\n ', '\0', ...Array.from(':;,="\\<>@?%[]/*')]
const words = [
  '%00',
  '%FF',
  ';;',
  '[::1]',
  '-1',
  '0',
  '4294967296',
  '99999999999999999999',
  'SIP/2.0',
  'sip:',
  '--foobar',
]
const headerLines = ['Via: SIP/2.0/UDP x;branch=z9hG4bKx\r\n', 'l: 0\r\n', 'Contact: *\r\n', 'Content-Length: 5\r\n']
const letters = ['é', '\u{1F600}', '\uFEFF', '\u00A0', '\u2028', 'x'.repeat(300)]
const pieces = [...signs, ...words, ...headerLines, ...letters].map((piece) => Buffer.from(piece))

/** Valid messages to damage: the torture messages hold about every corner of the grammar. */
const seeds = ['rfc4475', 'rfc5118']
  .flatMap((folder) => readdirSync(join(data, folder)).map((file) => join(data, folder, file)))
  .filter((path) => path.endsWith('.dat'))
  .map((path) => readFileSync(path))

test('3,000 damaged messages from one seed neither throw nor read two ways', () => {
  const { below, pick } = generator(20_260_101)
  for (let round = 0; round < 3_000; round++) {
    let bytes = pick(seeds)
    for (let damage = below(6); damage >= 0; damage--) {
      const at = below(bytes.length + 1)
      const until = Math.min(bytes.length, at + below(pick([2, 20, 200])))
      const [before, cut, after] = [bytes.subarray(0, at), bytes.subarray(at, until), bytes.subarray(until)]
      const insert = pick([pick(pieces), Buffer.from([below(256)]), cut, Buffer.concat([cut, cut]), Buffer.alloc(0)])
      bytes = Buffer.concat([before, insert, after])
    }
    try {
      handle(bytes)
    } catch (cause) {
      throw new Error(`round ${round}: ${bytes.toString('base64')}`, { cause })
    }
  }
})

test('random bytes are refused', () => {
  const { below } = generator(7)
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(Array.from({ length: below(400) }, () => below(256)))
    assert.equal(handle(bytes).ok, false)
  }
})

test('64 KiB made to cost time costs less than a second of CPU', () => {
  const head =
    'INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@b>\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n'
  const room = limits.messageBytes - head.length - 100
  const line = (name: string, piece: string) => {
    const value = piece.repeat(Math.floor((limits.lineChars - 200) / piece.length))
    return `${name}: ${value}\r\n`.repeat(Math.floor(room / (limits.lineChars - 100)))
  }
  const fill = (piece: string) => piece.repeat(Math.floor(room / piece.length))
  const hostile: [string, string][] = [
    ['spaces in the start line', `INVITE ${' '.repeat(limits.lineChars - 100)}x\r\n${head}`],
    ['empty folds', `${head}Subject:\r\n${fill(' \r\n')}\r\n`],
    ['line feeds in blanks', `${head}${fill('X: \r\n\t')}\r\n`],
    ['commas', `${head}${line('Contact', ',')}\r\n`],
    ['semicolons', `${head}${line('Contact', ';a=b')}\r\n`],
    ['quotes', `${head}${line('Contact', '"\\" ')}\r\n`],
    ['open brackets', `${head}${line('Contact', '<sip:a@b')}\r\n`],
    ['percents', `${head}${line('Contact', '<sip:%41%FF@b>,')}\r\n`],
    ['blanks in a Via', `${head}${line('Via', 'SIP  /  2.0  /  ')}\r\n`],
    ['routes', `${head}${line('Route', '<sip:a;lr>,')}\r\n`],
    ['tokens', `${head}${line('Require', 'a,')}\r\n`],
    ['digest', `${head}${line('Authorization', 'Digest a="\\"", ')}\r\n`],
    ['dashes', `${head}Content-Type: multipart/mixed;boundary=----\r\n\r\n${fill('-')}`],
    ['boundaries', `${head}Content-Type: multipart/mixed;boundary=b\r\n\r\n${fill('--b\r\n')}`],
    [
      'nested boundaries',
      `${head}Content-Type: multipart/mixed;boundary=b\r\n\r\n${fill('--b\r\nc: multipart/mixed;boundary=b\r\n\r\n')}`,
    ],
    ['SDP attributes', `${head}\r\nv=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n${fill('a=rtpmap:0 x/8000\r\n')}`],
    ['SDP streams', `${head}\r\nv=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n${fill('m=audio 1 RTP/AVP 0\r\n')}`],
    ['SDP formats', `${head}\r\nv=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP${fill(' 0')}\r\n`],
  ]

  for (const [what, text] of hostile) {
    assert.ok(text.length <= limits.messageBytes && text.length > 8_000, `${what}: ${text.length}`)
    const before = process.cpuUsage()
    handle(Buffer.from(text))
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 1_000_000, `${what}: ${(user + system) / 1_000} ms`)
  }
})
