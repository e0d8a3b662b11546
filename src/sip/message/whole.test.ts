/** A message that nobody changes is printed whole, and reading takes time in proportion to its length. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type KnownHeader, readHeader } from './header-values.ts'
import { Headers } from './headers.ts'
import { leafParts, parseMultipart } from './multipart.ts'
import { parseMessage } from './parse.ts'
import { printMessage } from './print.ts'
import type { SipMessage } from './types.ts'
import { parseUri, printUri } from './uri.ts'

const data = join(import.meta.dirname, '../../../test/data')
const inFolder = (folder: string, ending: string): Buffer[] =>
  readdirSync(join(data, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(join(data, folder, name)))
const fuzz = gunzipSync(readFileSync(join(data, 'fuzz/cases.jsonl.gz')))
  .toString()
  .trim()
  .split('\n')
  .map((line) => Buffer.from((JSON.parse(line) as { msg: string }).msg, 'base64'))
const corpus = [...inFolder('rfc4475', '.dat'), ...inFolder('rfc5118', '.dat'), ...inFolder('siprec', '.sip'), ...fuzz]

const parsed = corpus.flatMap((bytes) => {
  const result = parseMessage(bytes)
  return result.ok ? [{ bytes, message: result.message }] : []
})

const content = (message: SipMessage) => ({
  start: message.kind === 'request' ? [message.method, message.uri] : [message.status, message.reason],
  headers: Array.from(message.headers.entries()).filter(([name]) => !/^(?:content-length|l)$/i.test(name)),
  body: Buffer.from(message.body).toString('latin1'),
})

/** One line a header, one blank after the colon: what RFC 3261 §7.3.1 lets a proxy normalise is normal already. */
const normal = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .replace(/^[\r\n]+/, '')
    .replace(/^[\s\S]*?(?:\r?\n\r?\n|$)/, (head) =>
      head
        .replaceAll(/\r?\n/g, '\r\n')
        .replaceAll(/[ \t]*\r\n[ \t]+/g, ' ')
        .replaceAll(/^([^\s:]+)[ \t]*:[ \t]*(.*?)[ \t]*$/gm, '$1: $2'),
    )

test('each message of the corpora is printed with every header, parameter and octet it came with', () => {
  assert.ok(parsed.length > 300, `${parsed.length} of ${corpus.length}`)
  let same = 0
  for (const { bytes, message } of parsed) {
    const printed = printMessage(message)
    const again = parseMessage(printed)
    assert.ok(again.ok)
    assert.deepEqual(content(again.message), content(message))
    assert.deepEqual(printMessage(again.message), printed)
    if (message.headers.has('Content-Length') && printed.toString('latin1') === normal(bytes)) same++
  }
  // The rest has no Content-Length, more bytes than it says, or blank-only continuations.
  assert.ok(same > parsed.length * 0.9, `${same} of ${parsed.length} are the same octet by octet`)
})

/** How much longer ten times the input takes: 10 when time is linear, 100 when it is quadratic. */
function growth(run: (size: number) => void): number {
  const best = (size: number): number => {
    run(size)
    const times = Array.from({ length: 5 }, () => {
      const start = process.hrtime.bigint()
      run(size)
      return Number(process.hrtime.bigint() - start)
    })
    return Math.min(...times)
  }
  return best(40_000) / best(4_000)
}

const head = [
  'INVITE sip:a@b SIP/2.0',
  'Via: SIP/2.0/UDP host;branch=z9hG4bK1',
  'From: <sip:j@host>;tag=1',
  'To: <sip:a@b>',
  'Call-ID: 1',
  'CSeq: 1 INVITE',
].join('\r\n')
const message = (more: string) => Buffer.from(`${head}\r\n${more}\r\n\r\n`)
const repeated = (piece: string, size: number) => piece.repeat(Math.ceil(size / piece.length))
const lines = (line: string, size: number) => message(repeated(`${line}\r\n`, size).slice(0, -2))

const readers: Record<string, (size: number) => unknown> = {
  'header lines': (size) => parseMessage(lines(`X-Own: ${'a'.repeat(300)}`, size)),
  'folded lines': (size) => parseMessage(message(`Subject: a${repeated('\r\n ', size)}b`)),
  'blank lines first': (size) => parseMessage(Buffer.concat([Buffer.alloc(size, '\r\n'), message('X: y')])),
  'a body without line ends': (size) => parseMessage(message(`Content-Type: a/b\r\n\r\n${'x'.repeat(size)}`)),
  'bare line feeds': (size) => parseMessage(Buffer.from(`${head}\n${repeated('a: b\n', size)}`)),
  'octets that are not UTF-8': (size) => parseMessage(Buffer.concat([message('X: y'), Buffer.alloc(size, 0xff)])),
  'octets that are not UTF-8, in the head': (size) =>
    parseMessage(Buffer.concat([Buffer.from(`${head}\r\nX: `), Buffer.alloc(size, 0xff), Buffer.from('\r\n\r\n')])),
  'an escaped URI': (size) => parseUri(`sip:${repeated('%61', size)}@host`),
  'a URI of parameters': (size) => parseUri(`sip:host;${repeated('a;b=c;', size)}d`),
  'a URI of headers': (size) => parseUri(`sip:host?${repeated('a=b&', size)}`),
  'a URI printed': (size) =>
    printUri({ scheme: 'sip', user: '%'.repeat(size), host: 'h', params: new Map(), headers: new Map() }),
  'nested parts': (size) => parseMultipart('multipart/mixed;boundary=x', Buffer.from(repeated('--x\r\n\r\n', size))),
  'dashes in a part': (size) =>
    parseMultipart('multipart/mixed;boundary=x', Buffer.from(`--x\r\n\r\n${repeated('--x-', size)}`)),
  'lines of a part that are no headers': (size) =>
    leafParts(parseMultipart('multipart/mixed;boundary=x', Buffer.from(`--x\r\n${repeated(' a\r\n', size)}`)) ?? []),
}

const values: readonly (readonly [KnownHeader, piece: string])[] = [
  ['P-Asserted-Identity', '<sip:a@b>,'],
  ['P-Asserted-Identity', '"'],
  ['P-Asserted-Identity', '\\"'],
  ['P-Asserted-Identity', '<'],
  ['P-Asserted-Identity', ' '],
  ['Diversion', ';'],
  ['History-Info', '<sip:a@b>;index=1.1,'],
  ['Event', ';a=b'],
  ['Event', '; '],
  ['Warning', '399 a "b", '],
  ['Retry-After', '1 ('],
  ['Retry-After', '1 '],
  ['Accept', 'a / b,'],
  ['Accept', ' /'],
  ['Privacy', 'id;'],
  ['RAck', '1 '],
  ['User-to-User', '"a";'],
  ['Authentication-Info', 'a="b",'],
]

for (const [name, piece] of values)
  readers[`${name} of ${JSON.stringify(piece)}`] = (size) =>
    readHeader(new Headers([[name, repeated(piece, size)]]), name)

for (const [what, run] of Object.entries(readers))
  test(`reading time is linear: ${what}`, () => {
    // A machine that does other things at the same time gets a second and a third chance; quadratic code never has one.
    const ratios: number[] = []
    do ratios.push(growth(run))
    while (Math.min(...ratios) > 35 && ratios.length < 3)
    assert.ok(Math.min(...ratios) <= 35, `ten times the input took ${ratios.map(Math.round).join(', ')} times as long`)
  })
