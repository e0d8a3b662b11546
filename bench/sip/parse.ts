/**
 * What a SIP message costs: microseconds to read, print and answer, and to check its credentials; other parsers beside.
 *
 *   npm run bench -- sip-parse --seconds 1 --peers FOLDER
 *
 * The best of five rounds each: the least disturbed one is the nearest to what the code costs.
 */
import { parseArgs } from 'node:util'
import { systemClock } from '../../src/core/clock.ts'
import { formatsOf, pcma, pcmu, telephoneEvent } from '../../src/sdp/media.ts'
import { answerOffer, commonFormats } from '../../src/sdp/offer-answer.ts'
import { parseSdp } from '../../src/sdp/parse.ts'
import { printSdp } from '../../src/sdp/print.ts'
import { DigestVerifier, digestHashes } from '../../src/sip/auth/digest.ts'
import { answerChallenge } from '../../src/sip/auth/digest-client.ts'
import { createResponse } from '../../src/sip/message/build.ts'
import { contactsOf, cseqOf, fromTag, requestUriOf, topVia, toTag } from '../../src/sip/message/fields.ts'
import { contentLength, findHeadEnd } from '../../src/sip/message/frame.ts'
import { parseMessage } from '../../src/sip/message/parse.ts'
import { printMessage } from '../../src/sip/message/print.ts'
import type { SipMessage } from '../../src/sip/message/types.ts'
import { bye, inviteFromPhone, inviteUri, offer, okFromCarrier, registerFromPhone } from './messages.ts'
import { loadPeers } from './peers.ts'

const { values } = parseArgs({
  options: {
    /** Each line. */
    seconds: { type: 'string', default: '1' },
    /** Where `npm install sip sip.js` was run. */
    peers: { type: 'string', default: '.' },
  },
})
const secondsPerLine = Number(values.seconds)
const rounds = 5

const users = { '101': digestHashes('101', 'patchbay', 'correct horse') }
const verifier = new DigestVerifier({ realm: 'patchbay', clock: systemClock, nonceLifeMs: 3_600_000 })
const challenges = verifier.challenges()
const credentials = { username: '101', password: 'correct horse' }
const authorization = (nonceCount: number, method = 'INVITE', uri = inviteUri) =>
  answerChallenge({ challenges, method, uri, credentials, nonceCount }) ?? ''

const invite = inviteFromPhone(authorization(1))
const messages: readonly [what: string, bytes: Buffer][] = [
  ['INVITE of a phone', invite],
  ['200 of a carrier', okFromCarrier],
  ['REGISTER', registerFromPhone(authorization(1, 'REGISTER', 'sip:pbx.example.com'))],
  ['BYE', bye],
]

/** Microseconds of this thread's CPU a call, the best round. */
function measure(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const until = performance.now() + (secondsPerLine * 1_000) / rounds
    const before = process.threadCpuUsage()
    let calls = 0
    for (; performance.now() < until; calls += 100) for (let i = 0; i < 100; i++) work()
    const { user, system } = process.threadCpuUsage(before)
    best = Math.min(best, (user + system) / calls)
  }
  return best
}

const microseconds = (work: () => unknown): string => measure(work).toFixed(1)

function read(bytes: Buffer): SipMessage {
  const result = parseMessage(bytes)
  if (!result.ok) throw new Error(`a message of this bench is malformed: ${result.problem.code}`)
  return result.message
}

function readFields(bytes: Buffer): unknown {
  const message = read(bytes)
  const uri = message.kind === 'request' ? requestUriOf(message)?.host : undefined
  return [topVia, fromTag, toTag, cseqOf, contactsOf].map((field) => field(message)).concat(uri)
}

function answerSdp() {
  const read = parseSdp(offer)
  if (!read.ok) throw new Error('the offer of this bench is malformed')
  const answer = answerOffer(read.description, {
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

const peers = await loadPeers(values.peers)
console.log(`node ${process.version}; µs each, best of ${rounds} rounds`)
if (peers.length < 2) console.log('for all parsers: npm install sip sip.js in a folder, and --peers FOLDER')

console.log(
  `\n| message | bytes | parse | with fields read | print | ${peers.map(({ name }) => `${name}: parse | print`).join(' | ')} |`,
)
console.log(`|---|${'---:|'.repeat(4 + 2 * peers.length)}`)
for (const [what, bytes] of messages) {
  const message = read(bytes)
  const others = peers.flatMap(({ parse, print }) => {
    const parsed = parse(bytes) as never
    return [microseconds(() => parse(bytes)), print ? microseconds(() => print(parsed)) : '–']
  })
  const cells = [
    what,
    bytes.length,
    microseconds(() => read(bytes)),
    microseconds(() => readFields(bytes)),
    microseconds(() => printMessage(message)),
    ...others,
  ]
  console.log(`| ${cells.join(' | ')} |`)
}

const request = read(invite)
if (request.kind !== 'request') throw new Error('an INVITE is a request')
let nonceCount = 1
const hashesOf = (name: string) => (name === '101' ? users[name] : undefined)
const steps: readonly [what: string, work: () => unknown][] = [
  ['frame the INVITE on a stream', () => contentLength(invite.subarray(0, findHeadEnd(invite, 0)))],
  ['make and print 100 Trying', () => printMessage(createResponse(request, 100))],
  ['read the offer, make and print the answer', answerSdp],
  ['make two challenges', () => verifier.challenges()],
  [
    'sign and check credentials (SHA-256)',
    () => verifier.verify({ header: authorization(++nonceCount), method: 'INVITE', requestUri: inviteUri, hashesOf }),
  ],
]
console.log('\n| work | µs |\n|---|---:|')
for (const [what, work] of steps) console.log(`| ${what} | ${microseconds(work)} |`)
