/** The rules of RFC 3264 as a check: what breaks them is found, and nothing that we write does, whatever is offered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionOf, directionOf, formatsOf, pcma, pcmu, telephoneEvent } from './media.ts'
import { answerDirection, answerOffer, commonFormats } from './offer-answer.ts'
import { parseSdp } from './parse.ts'
import { printSdp } from './print.ts'
import { answeringLine, isRelayable, refusedLine, relayedLine } from './relay.ts'
import { answerProblems, reofferProblems } from './rules.ts'
import type { Direction, SessionDescription } from './types.ts'

function read(...lines: string[]): SessionDescription {
  const result = parseSdp(['v=0', ...lines, ''].join('\r\n'))
  assert.ok(result.ok, result.ok ? '' : result.problem.text)
  return result.description
}

const described = (version: number, ...lines: string[]) =>
  read(`o=- 7 ${version} IN IP4 192.0.2.1`, 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...lines)

test('an answer that does not fit its offer is found out', () => {
  const offer = described(
    1,
    'm=audio 4000 RTP/AVP 0 96',
    'a=rtpmap:96 opus/48000/2',
    'a=sendonly',
    'm=video 0 RTP/AVP 31',
  )
  const table = [
    [['m=audio 5000 RTP/AVP 0', 'a=recvonly', 'm=video 0 RTP/AVP 31'], []],
    [['m=audio 0 RTP/AVP 0', 'm=video 0 RTP/AVP 31'], []],
    [['m=audio 5000 RTP/AVP 0', 'a=recvonly'], ['media-count']],
    [
      ['m=video 5000 RTP/AVP 31', 'a=inactive', 'm=video 0 RTP/AVP 31'],
      ['media-type', 'format'],
    ],
    [['m=audio 5000 RTP/SAVP 0', 'a=recvonly', 'm=video 0 RTP/AVP 31'], ['protocol']],
    [['m=audio 5000 RTP/AVP 0', 'a=recvonly', 'm=video 5002 RTP/AVP 31', 'a=inactive'], ['revived']],
    [['m=audio 5000 RTP/AVP 8', 'a=recvonly', 'm=video 0 RTP/AVP 31'], ['format']],
    [['m=audio 5000 RTP/AVP 0', 'm=video 0 RTP/AVP 31'], ['direction']],
    [['m=audio 5000 RTP/AVP 0', 'a=recvonly', 'a=rtcp-mux', 'm=video 0 RTP/AVP 31'], ['rtcp-mux']],
    [['m=audio 5000 RTP/AVP 0', 'a=recvonly', 'a=crypto:1 X inline:a', 'm=video 0 RTP/AVP 31'], ['crypto']],
  ] as const
  for (const [lines, expected] of table)
    assert.deepEqual(answerProblems(offer, described(1, ...lines)), expected, lines.join())
  const nowhere = read(
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    'm=audio 5000 RTP/AVP 0',
    'a=recvonly',
    'm=video 0 RTP/AVP 31',
  )
  assert.deepEqual(answerProblems(offer, nowhere), ['address'])
})

test('a new offer keeps its m-lines and its session, and counts its version up when it changes (RFC 3264 §8)', () => {
  const before = described(3, 'm=audio 4000 RTP/AVP 0', 'm=video 0 RTP/AVP 31')
  assert.deepEqual(reofferProblems(before, before), [])
  assert.deepEqual(
    reofferProblems(before, described(4, 'm=audio 4002 RTP/AVP 0', 'm=video 0 RTP/AVP 31', 'm=image 1 udptl t38')),
    [],
  )
  assert.deepEqual(reofferProblems(before, described(3, 'm=audio 4002 RTP/AVP 0', 'm=video 0 RTP/AVP 31')), ['version'])
  assert.deepEqual(reofferProblems(before, described(4, 'm=audio 4000 RTP/AVP 0')), ['media-count'])
  const other = read(
    'o=- 8 4 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    'm=audio 1 RTP/AVP 0',
    'm=video 0 RTP/AVP 31',
  )
  assert.deepEqual(reofferProblems(before, other), ['origin'])
})

/** The same numbers for the same seed (Park and Miller). */
function dice(seed: number) {
  let state = seed
  const below = (n: number): number => (state = (state * 48_271) % 2_147_483_647) % n
  return { below, pick: <Item>(items: readonly [Item, ...Item[]]): Item => items[below(items.length)] ?? items[0] }
}

const rtpmaps = [
  '0',
  '8',
  '9',
  '18',
  '96 opus/48000/2',
  '97 AMR/8000',
  '101 telephone-event/8000',
  '102 telephone-event/48000',
  '99',
] as const
const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive', ''] as const

function randomOffer(seed: number): SessionDescription {
  const { below, pick } = dice(seed)
  const lines = [`o=x 1 ${below(9)} IN IP4 192.0.2.9`, 's=-']
  if (below(4) > 0) lines.push('c=IN IP4 192.0.2.9')
  if (below(3) > 0) lines.push('t=0 0')
  const session = pick(directions)
  if (session) lines.push(`a=${session}`)
  for (let media = below(6); media > 0; media--) {
    const formats = Array.from({ length: 1 + below(5) }, () => pick(rtpmaps))
    const numbers = formats.map((format) => format.split(' ')[0])
    lines.push(
      `m=${pick(['audio', 'audio', 'video', 'image', 'application'])} ${pick([0, 4000, 65_534])} ${pick(['RTP/AVP', 'RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'udptl'])} ${numbers.join(' ')}`,
    )
    if (below(3) === 0) lines.push('c=IN IP4 0.0.0.0')
    for (const format of formats) if (format.includes(' ')) lines.push(`a=rtpmap:${format}`)
    if (below(3) === 0) lines.push(`a=fmtp:97 octet-align=${below(2)}`, `a=fmtp:101 ${below(12)}-${below(30)}`)
    if (below(4) === 0) lines.push('a=rtcp-mux', 'a=crypto:1 X inline:k', `a=mid:${media}`)
    const own = pick(directions)
    if (own) lines.push(`a=${own}`)
  }
  return read(...lines)
}

const amr = { payloadType: 97, encoding: 'AMR', clockRateHz: 8_000, channels: 1 }

test('whatever is offered, our answer has an m-line for each and breaks no rule (2,000 seeds)', () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const { pick } = dice(seed + 1_000_000)
    const offer = randomOffer(seed)
    const wanted: Direction = pick(['sendrecv', 'sendonly', 'recvonly', 'inactive'])
    const answer = answerOffer(offer, {
      address: '192.0.2.1',
      sessionId: '7',
      version: 1,
      accept(media, index) {
        const formats = commonFormats(formatsOf(media), [pcmu, pcma, telephoneEvent, amr])
        if (formats.length === 0 || !connectionOf(offer, media)) return undefined
        return { port: 20_000 + 2 * index, formats, direction: answerDirection(directionOf(offer, media), wanted) }
      },
    })
    assert.deepEqual(answerProblems(offer, answer), [], `seed ${seed}:\n${printSdp(offer)}\n${printSdp(answer)}`)
    for (const description of [offer, answer]) {
      const text = printSdp(description)
      assert.equal(printSdp(read(...text.split('\r\n').slice(1, -1))), text, `seed ${seed}`)
    }
  }
})

test('whatever is offered, what goes to another side and comes back breaks no rule either (1,000 seeds)', () => {
  for (let seed = 1; seed <= 1_000; seed++) {
    const offer = randomOffer(seed)
    const { pick } = dice(seed + 2_000_000)
    const across = offer.media.map((media) =>
      isRelayable(media) ? relayedLine(offer, media, 5_000) : refusedLine(media),
    )
    const passedOn = { ...offer, attributes: [], media: across }
    const theirs: SessionDescription = {
      ...passedOn,
      connection: { addressType: 'IP4', address: '192.0.2.7' },
      media: across.map((media) => {
        const wanted = { ...media, attributes: [...media.attributes, { name: pick(directions) || 'sendrecv' }] }
        return media.port === 0 || pick([0, 1, 2]) === 0
          ? refusedLine(media)
          : answeringLine(wanted, directionOf(passedOn, media))
      }),
    }
    assert.deepEqual(answerProblems(passedOn, theirs), [], `seed ${seed}`)
    const answer = answerOffer(offer, {
      address: '192.0.2.1',
      sessionId: '7',
      version: 1,
      accept(media, index) {
        const line = theirs.media[index]
        return line && line.port !== 0
          ? answeringLine(relayedLine(theirs, line, 6_000), directionOf(offer, media))
          : undefined
      },
    })
    assert.deepEqual(answerProblems(offer, answer), [], `seed ${seed}:\n${printSdp(offer)}\n${printSdp(answer)}`)
  }
})
