/**
 * What a SIP message costs: microseconds to read, print and answer a typical INVITE, and to check its credentials.
 *
 *   node bench/sip-parse.ts [seconds per line, 1 unless given]
 *
 * The best of five rounds each: the least disturbed one is the nearest to what the code costs.
 */
import { systemClock } from '../src/core/clock.ts'
import { formatsOf, pcma, pcmu, telephoneEvent } from '../src/sdp/media.ts'
import { answerOffer, commonFormats } from '../src/sdp/offer-answer.ts'
import { parseSdp } from '../src/sdp/parse.ts'
import { printSdp } from '../src/sdp/print.ts'
import { DigestVerifier, digestHashes } from '../src/sip/auth/digest.ts'
import { answerChallenge } from '../src/sip/auth/digest-client.ts'
import { createResponse } from '../src/sip/message/build.ts'
import { contactsOf, cseqOf, fromTag, requestUriOf, topVia, toTag } from '../src/sip/message/fields.ts'
import { contentLength, findHeadEnd } from '../src/sip/message/frame.ts'
import { parseMessage } from '../src/sip/message/parse.ts'
import { printMessage } from '../src/sip/message/print.ts'

const secondsPerLine = Number(process.argv[2] ?? 1)
const rounds = 5

const sdp = [
  'v=0',
  'o=- 3976401021 3976401021 IN IP4 192.0.2.15',
  's=call',
  'c=IN IP4 192.0.2.15',
  't=0 0',
  'm=audio 49170 RTP/AVP 9 0 8 101',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n')

const uri = 'sip:102@pbx.example.com'
const users = { '101': digestHashes('101', 'patchbay', 'correct horse') }
const verifier = new DigestVerifier({ realm: 'patchbay', clock: systemClock, nonceLifeMs: 3_600_000 })
const challenges = verifier.challenges()
const credentials = { username: '101', password: 'correct horse' }
const authorization = (nonceCount: number) =>
  answerChallenge({ challenges, method: 'INVITE', uri, credentials, nonceCount }) ?? ''

const invite = Buffer.from(
  [
    `INVITE ${uri} SIP/2.0`,
    'Via: SIP/2.0/UDP 192.0.2.15:5062;rport;branch=z9hG4bK6f2cd1a90b7e44d1',
    'Max-Forwards: 70',
    'From: "Alice Liddell" <sip:101@pbx.example.com>;tag=9fxced76sl',
    'To: <sip:102@pbx.example.com>',
    'Call-ID: 3848276298220188511@192.0.2.15',
    'CSeq: 4711 INVITE',
    'Contact: <sip:101@192.0.2.15:5062;transport=udp>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"',
    'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, REFER, NOTIFY, MESSAGE',
    'Supported: replaces, timer, gruu, outbound, path',
    `Authorization: ${authorization(1)}`,
    'User-Agent: Softphone 4.2 (Linux)',
    'Content-Type: application/sdp',
    `Content-Length: ${sdp.length}`,
    '',
    sdp,
  ].join('\r\n'),
)

/** Microseconds a call, the best round. */
function measure(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const until = performance.now() + (secondsPerLine * 1_000) / rounds
    const started = performance.now()
    let calls = 0
    let now = started
    for (; now < until; now = performance.now()) {
      for (let i = 0; i < 100; i++) work()
      calls += 100
    }
    best = Math.min(best, ((now - started) * 1_000) / calls)
  }
  return best
}

function read() {
  const result = parseMessage(invite)
  if (!result.ok || result.message.kind !== 'request') throw new Error('the INVITE of this bench is malformed')
  return result.message
}

function readFields() {
  const message = read()
  return [topVia, fromTag, toTag, cseqOf, contactsOf].map((field) => field(message)).concat(requestUriOf(message)?.host)
}

function answerSdp() {
  const offer = parseSdp(sdp)
  if (!offer.ok) throw new Error('the offer of this bench is malformed')
  const answer = answerOffer(offer.description, {
    address: '192.0.2.1',
    sessionId: '1',
    version: 1,
    accept: (media) => ({
      port: 40_000,
      formats: commonFormats(formatsOf(media), [pcmu, pcma, telephoneEvent]),
      direction: 'sendrecv',
    }),
  })
  return printSdp(answer)
}

const message = read()
let nonceCount = 1
const hashesOf = (name: string) => (name === '101' ? users[name] : undefined)

const lines: readonly [what: string, work: () => unknown][] = [
  ['frame it on a stream', () => contentLength(invite.subarray(0, findHeadEnd(invite, 0)))],
  ['parse', read],
  ['parse, read Via, tags, CSeq, Contact, URI', readFields],
  ['print', () => printMessage(message)],
  ['make and print 100 Trying', () => printMessage(createResponse(message, 100))],
  ['read the offer, make and print the answer', answerSdp],
  ['make two challenges', () => verifier.challenges()],
  [
    'sign and check credentials (SHA-256)',
    () => verifier.verify({ header: authorization(++nonceCount), method: 'INVITE', requestUri: uri, hashesOf }),
  ],
]

console.log(`INVITE of ${invite.length} bytes, node ${process.version}\n`)
console.log('| work | µs | per second |\n|---|---:|---:|')
for (const [what, work] of lines) {
  const microseconds = measure(work)
  console.log(`| ${what} | ${microseconds.toFixed(1)} | ${Math.round(1e6 / microseconds).toLocaleString('en')} |`)
}
