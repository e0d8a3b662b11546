/**
 * What is fuzzed: a parser, inputs to begin with, and what must hold whatever it is given.
 *
 * Nothing may throw; what is accepted is printed so that it reads the same again; a stream is cut where the message ends.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseXml } from '../../src/core/xml.ts'
import { parseSdp } from '../../src/sdp/parse.ts'
import { printSdp } from '../../src/sdp/print.ts'
import type { SessionDescription } from '../../src/sdp/types.ts'
import { answerChallenge } from '../../src/sip/auth/digest-client.ts'
import { parseDigest } from '../../src/sip/auth/digest-text.ts'
import { createResponse } from '../../src/sip/message/build.ts'
import * as fields from '../../src/sip/message/fields.ts'
import { contentLength, findHeadEnd, skipBlankLines } from '../../src/sip/message/frame.ts'
import { grammars, type KnownHeader, readHeader } from '../../src/sip/message/header-values.ts'
import { leafParts, multipartLimits, parseMultipart } from '../../src/sip/message/multipart.ts'
import { parseNameAddr, printNameAddr } from '../../src/sip/message/name-addr.ts'
import { type ParseResult, parseMessage } from '../../src/sip/message/parse.ts'
import { printMessage } from '../../src/sip/message/print.ts'
import type { NameAddr, SipMessage, SipUri } from '../../src/sip/message/types.ts'
import { parseUri, printUri, sameUri } from '../../src/sip/message/uri.ts'
import { parseVia, printVia } from '../../src/sip/message/via.ts'
import { readDialogInfo } from '../../src/sip/packages/dialog-info.ts'
import { readMessageSummary } from '../../src/sip/packages/message-summary.ts'
import { readPidf } from '../../src/sip/packages/pidf.ts'
import { readReginfo } from '../../src/sip/packages/reginfo.ts'
import { inStream } from '../../src/sip/transport/framer.ts'
import { parseMetadata } from '../../src/siprec/metadata/document/read.ts'
import { mergeMetadata } from '../../src/siprec/metadata/merge.ts'
import { noMetadata } from '../../src/siprec/metadata/model.ts'
import { People } from '../../src/siprec/metadata/people.ts'
import type { RuleName } from './grammar.ts'

export interface FuzzTarget {
  readonly name: string
  /** How the grammar names its inputs. */
  readonly rule: RuleName
  readonly seeds: () => readonly Buffer[]
  /** @throws When something does not hold. */
  readonly check: (bytes: Buffer) => void
}

const data = join(import.meta.dirname, '../../test/data')

const inFolder = (folder: string, ending: string): Buffer[] =>
  readdirSync(join(data, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(join(data, folder, name)))

/** Malformed messages of an older fuzzer. */
export const fuzzCorpus = (): Buffer[] =>
  gunzipSync(readFileSync(join(data, 'fuzz/cases.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
    .map((line) => Buffer.from((JSON.parse(line) as { msg: string }).msg, 'base64'))

/** Valid messages and damaged ones: the torture messages hold about every corner of the grammar. */
export const tortureMessages = (): Buffer[] => [...inFolder('rfc4475', '.dat'), ...inFolder('rfc5118', '.dat')]
const recordingMessages = (): Buffer[] => [...inFolder('siprec', '.sip'), ...inFolder('siprec/vendors', '.sip')]
const messages = (): Buffer[] => [...tortureMessages(), ...recordingMessages()]
const bodies = (ending: string): Buffer[] => inFolder('event-bodies', ending)

/** Of the messages: the values of all headers. */
const headerValues = (): Buffer[] =>
  messages().flatMap((bytes) => {
    const result = parseMessage(bytes)
    return result.ok ? Array.from(result.message.headers.entries(), ([, value]) => Buffer.from(value)) : []
  })

const messageParts = (): Buffer[] =>
  messages().flatMap((bytes) => {
    const result = parseMessage(bytes)
    return result.ok ? [Buffer.from(result.message.body)] : []
  })

const leaves = (type: RegExp): Buffer[] =>
  recordingMessages().flatMap((bytes) => {
    const result = parseMessage(bytes)
    if (!result.ok) return []
    const parts = parseMultipart(result.message.headers.get('Content-Type') ?? '', result.message.body) ?? []
    return leafParts(parts).flatMap(({ contentType, body }) => (type.test(contentType.type) ? [Buffer.from(body)] : []))
  })

export const targets: readonly FuzzTarget[] = [
  {
    name: 'message',
    rule: 'message',
    seeds: () => [...messages(), ...fuzzCorpus()],
    check: (bytes) => void checkMessage(bytes),
  },
  { name: 'stream', rule: 'message', seeds: messages, check: checkStream },
  { name: 'uri', rule: 'uri', seeds: () => [Buffer.from('sip:alice@example.com')], check: checkUri },
  { name: 'name-addr', rule: 'nameaddrs', seeds: headerValues, check: checkNameAddr },
  { name: 'via', rule: 'viavalue', seeds: headerValues, check: checkVia },
  { name: 'headers', rule: 'header', seeds: headerValues, check: checkHeaders },
  { name: 'digest', rule: 'digest', seeds: headerValues, check: checkDigest },
  { name: 'multipart', rule: 'multipart', seeds: messageParts, check: checkMultipart },
  { name: 'sdp', rule: 'sdp', seeds: () => [...leaves(/sdp/), ...messageParts()], check: checkSdp },
  { name: 'metadata', rule: 'xml', seeds: () => [...leaves(/xml/), ...bodies('.xml')], check: checkMetadata },
  { name: 'event-bodies', rule: 'xml', seeds: () => [...bodies('.xml'), ...bodies('.txt')], check: checkEventBodies },
]

/** Everything that the platform does with a message before it knows who sent it. */
export function checkMessage(bytes: Uint8Array): ParseResult {
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
  for (const name of Object.keys(grammars)) readHeader(message.headers, name as KnownHeader)
  for (const value of message.headers.all('Authorization')) parseDigest(value)
  parseMultipart(message.headers.get('Content-Type') ?? '', message.body)
  checkSdp(message.body)
}

const entries = (message: SipMessage) =>
  Array.from(message.headers.entries()).filter(([name]) => !/^(?:l|content-length)$/i.test(name))

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

/** What a stream is cut into does not depend on how it arrives. */
function checkStream(bytes: Buffer): void {
  const whole = cut([bytes])
  const middle = bytes.length >> 1
  assert.deepEqual(cut([bytes.subarray(0, middle), bytes.subarray(middle)]), whole)
  if (bytes.length > 4_000) return
  assert.deepEqual(cut(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))), whole)
}

function cut(chunks: readonly Buffer[]): string[] {
  const seen: string[] = []
  const framer = inStream({
    message: (message) => seen.push(`message ${message.toString('latin1')}`),
    ping: () => seen.push('ping'),
    failed: (problem) => seen.push(problem),
  })
  for (const chunk of chunks) framer.push(Buffer.from(chunk))
  return seen
}

/** As held, but for how it was written. */
const parts = ({ scheme, user, password, host, port, params, headers }: SipUri) => ({
  scheme,
  user,
  password,
  host,
  port,
  params: [...params],
  headers: [...headers],
})

function checkUri(bytes: Buffer): void {
  const uri = parseUri(bytes.toString())
  if (!uri) return
  const again = parseUri(printUri(uri))
  assert.ok(again, `${printUri(uri)} is printed readably`)
  assert.deepEqual(parts(again), parts(uri))
  assert.equal(sameUri(uri, uri), true)
}

const named = ({ displayName, uri, params }: NameAddr) => ({ displayName, uri: parts(uri), params: [...params] })

function checkNameAddr(bytes: Buffer): void {
  const value = parseNameAddr(bytes.toString())
  if (!value) return
  const again = parseNameAddr(printNameAddr(value))
  assert.ok(again, `${printNameAddr(value)} is printed readably`)
  assert.deepEqual(named(again), named(value))
}

function checkVia(bytes: Buffer): void {
  const via = parseVia(bytes.toString())
  if (!via) return
  const again = parseVia(printVia(via))
  assert.ok(again, `${printVia(via)} is printed readably`)
  assert.deepEqual(again, via)
}

/** Each grammar reads any value and says what it is, or that it is none. */
function checkHeaders(bytes: Buffer): void {
  const text = bytes.toString()
  for (const { parse } of Object.values(grammars)) parse(text)
  fields.parseContentType(text)
}

function checkDigest(bytes: Buffer): void {
  const text = bytes.toString()
  parseDigest(text)
  const credentials = { username: 'a', password: 'b' }
  const answer = answerChallenge({
    challenges: [text],
    method: 'X',
    uri: 'sip:a',
    credentials,
    nonceCount: 1,
    cnonce: 'c',
  })
  assert.ok(answer === undefined || parseDigest(answer), 'our answer to it is readable')
}

function checkMultipart(bytes: Buffer): void {
  const found = parseMultipart('multipart/mixed;boundary=b', bytes)
  if (!found) return
  const all = leafParts(found)
  assert.ok(all.length <= multipartLimits.parts)
  const content = all.filter(({ headers }) => !headers.has('Content-Transfer-Encoding'))
  assert.ok(content.reduce((sum, { body }) => sum + body.length, 0) <= bytes.length)
}

function checkSdp(bytes: Uint8Array): void {
  const result = parseSdp(bytes)
  if (!result.ok) return
  const printed = printSdp(result.description)
  const again = parseSdp(printed)
  assert.ok(again.ok, `${printed} is printed readably`)
  // Lines that nobody reads are put into the order of the grammar (RFC 8866 §9); once printed nothing moves any more.
  assert.deepEqual(sorted(again.description), sorted(result.description))
  assert.equal(printSdp(again.description), printed)
}

const sorted = (description: SessionDescription) => ({
  ...description,
  otherLines: description.otherLines.toSorted(),
  media: description.media.map((media) => Object.assign({}, media, { otherLines: media.otherLines.toSorted() })),
})

function checkMetadata(bytes: Buffer): void {
  parseXml(bytes)
  const document = parseMetadata(bytes)
  mergeMetadata(mergeMetadata(noMetadata, document), document)
  const people = new People()
  people.merge(document)
  people.on([{ legId: 'x', label: '1' }, { legId: 'y' }], 0)
  const saved = JSON.stringify(people.save())
  assert.deepEqual(new People(undefined, JSON.parse(saved) as ReturnType<People['save']>).sessions, people.sessions)
  for (const { id } of document.participants.values()) assert.equal(typeof id, 'string')
}

function checkEventBodies(bytes: Buffer): void {
  readPidf(bytes)
  readDialogInfo(bytes)
  readReginfo(bytes)
  readMessageSummary(bytes)
}
