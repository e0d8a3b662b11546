/** Which codecs the sides of a call get, as lists of `name/rate@payload type`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCodec } from '../codec/codecs.ts'
import { formatsOf } from '../sdp/media.ts'
import type { SdpFormat } from '../sdp/types.ts'
import { agreedIn, carried, firstOffer, numbered, sameNumbers, toAnswer, toOffer } from './codec-choice.ts'
import { type CodecRules, isDecodable, usualRules } from './codec-rules.ts'

/** What phones write, by a word for each. */
const lines: Record<string, string> = {
  pcmu: '0',
  pcma: '8',
  g722: '9',
  g729: '18',
  cn: '13',
  opus: '96 opus/48000/2',
  evs: '97 EVS/16000',
  amr: '98 AMR-WB/16000',
  events: '101 telephone-event/8000',
  events48: '100 telephone-event/48000',
  red: '99 red/8000',
  l16: '11',
}

/** @param words Of `lines`; `word:text` has parameters. */
function formats(...words: readonly string[]): SdpFormat[] {
  const attributes = words.flatMap((word) => {
    const [name = '', fmtp] = word.split(':')
    const [payloadType, rtpmap] = (lines[name] ?? '').split(' ')
    return [
      ...(rtpmap ? [{ name: 'rtpmap', value: `${payloadType} ${rtpmap}` }] : []),
      ...(fmtp ? [{ name: 'fmtp', value: `${payloadType} ${fmtp}` }] : []),
    ]
  })
  const numbers = words.map((word) => (lines[word.split(':')[0] ?? ''] ?? '').split(' ')[0] ?? '')
  return formatsOf({ type: 'audio', port: 4000, protocol: 'RTP/AVP', formats: numbers, attributes, otherLines: [] })
}

/** The same with another payload type. */
function at(payloadType: number, word: string): SdpFormat[] {
  const [format] = formats(word)
  assert.ok(format)
  return [{ ...format, payloadType }]
}

const shown = (list: readonly SdpFormat[]): string =>
  list.map(({ encoding, clockRateHz, payloadType }) => `${encoding}/${clockRateHz / 1000}@${payloadType}`).join(' ')

const strict: CodecRules = { ...usualRules, codecs: ['PCMA', 'PCMU'] }
const relayOnly: CodecRules = { ...usualRules, transcode: false }

test('who asks us to offer gets our codecs in our order, with digits at each clock rate', () => {
  assert.equal(
    shown(firstOffer(usualRules)),
    'opus/48@111 G722/8@9 PCMA/8@8 PCMU/8@0 telephone-event/8@101 telephone-event/48@110',
  )
  assert.equal(shown(firstOffer(strict)), 'PCMA/8@8 PCMU/8@0 telephone-event/8@101')
  assert.equal(
    firstOffer({ ...usualRules, opus: { bitsPerSecond: 32_000, complexity: 5, fec: false, dtx: true } })[0]?.fmtp,
    'minptime=10;maxaveragebitrate=32000;usedtx=1',
  )
})

test('the callee is offered what the caller offers, in its order, then what can be converted for it', () => {
  assert.equal(
    shown(toOffer(formats('pcmu', 'g729', 'events'), usualRules)),
    'PCMU/8@0 G729/8@18 opus/48@111 G722/8@9 PCMA/8@8 telephone-event/8@101 telephone-event/48@110',
  )
  assert.equal(shown(toOffer(formats('opus', 'pcma', 'events'), strict)), 'PCMA/8@8 PCMU/8@0 telephone-event/8@101')
})

test('nothing is added that could not be converted, and nothing at all where that is switched off', () => {
  assert.equal(shown(toOffer(formats('g729', 'evs'), usualRules)), 'G729/8@18 EVS/16@97')
  assert.equal(shown(toOffer(formats('pcmu', 'events'), relayOnly)), 'PCMU/8@0 telephone-event/8@101')
  assert.equal(shown(toOffer(formats('pcmu'), relayOnly)), 'PCMU/8@0')
  assert.equal(shown(toOffer(formats('g729', 'opus'), strict)), 'PCMA/8@8 PCMU/8@0 telephone-event/8@101')
  assert.equal(shown(toOffer(formats('g729'), strict)), '')
})

test('what is added takes payload types that are free, and a dialog keeps those it had (RFC 3264 §8.3.2)', () => {
  const evsAt111 = at(111, 'evs')
  assert.equal(
    shown(toOffer([...formats('pcmu'), ...evsAt111], usualRules)),
    'PCMU/8@0 EVS/16@111 opus/48@96 G722/8@9 PCMA/8@8 telephone-event/8@101 telephone-event/48@110',
  )
  const before = [...at(96, 'amr'), ...formats('pcmu')]
  assert.equal(shown(toOffer(formats('opus', 'pcmu'), relayOnly, before)), 'opus/48@97 PCMU/8@0')
  const opusAt120 = at(120, 'opus')
  assert.equal(shown(toOffer(formats('opus', 'pcmu'), relayOnly, opusAt120)), 'opus/48@120 PCMU/8@0')
})

test('the caller is answered with what the callee took, in its order, by its own payload types', () => {
  const offer = formats('opus', 'g722', 'pcma', 'pcmu', 'cn', 'events', 'events48')
  const took = (list: readonly SdpFormat[]) => shown(toAnswer(offer, list, usualRules))
  const opusAt111 = at(111, 'opus')
  assert.equal(took([...opusAt111, ...formats('events48')]), 'opus/48@96 telephone-event/48@100')
  assert.equal(took(formats('pcmu', 'pcma', 'events')), 'PCMU/8@0 PCMA/8@8 telephone-event/8@101')
  assert.equal(took(formats('pcmu', 'cn')), 'PCMU/8@0 CN/8@13 telephone-event/8@101')
})

test('each side is asked for digits as events, when the other one can be sent tones of ours', () => {
  const offer = formats('pcmu', 'opus', 'g729', 'events')
  assert.equal(shown(toAnswer(offer, formats('pcmu'), usualRules)), 'PCMU/8@0 telephone-event/8@101')
  assert.equal(shown(toAnswer(offer, formats('opus'), usualRules)), 'opus/48@96 telephone-event/8@101')
  assert.equal(shown(toAnswer(offer, formats('g729'), usualRules)), 'G729/8@18')
  assert.equal(shown(toAnswer(offer, formats('pcmu'), relayOnly)), 'PCMU/8@0')
  assert.equal(shown(toAnswer(formats('pcmu'), formats('pcmu', 'events'), usualRules)), 'PCMU/8@0')
})

test('a caller that has nothing of what the callee took is answered with its first that can be made', () => {
  const wanted = formats('opus', 'events48')
  assert.equal(
    shown(toAnswer(formats('g729', 'pcma', 'pcmu', 'events'), wanted, usualRules)),
    'PCMA/8@8 telephone-event/8@101',
  )
  assert.equal(shown(toAnswer(formats('g729', 'evs'), wanted, usualRules)), '')
  assert.equal(shown(toAnswer(formats('pcma'), wanted, relayOnly)), '')
  assert.equal(shown(toAnswer(formats('pcma'), formats('g729'), usualRules)), '')
})

test('what is not decoded passes between two sides that both have it, with the parameters of the callee', () => {
  const answer = toAnswer(formats('g729', 'amr:octet-align=1'), formats('g729:annexb=no'), usualRules)
  assert.equal(shown(answer), 'G729/8@18')
  assert.equal(answer[0]?.fmtp, 'annexb=no')
  const modes = toAnswer(formats('amr:octet-align=1'), formats('amr:octet-align=1;mode-set=0,2'), usualRules)
  assert.equal(modes[0]?.fmtp, 'octet-align=1;mode-set=0,2')
  assert.equal(shown(toAnswer(formats('amr:octet-align=1'), formats('amr'), usualRules)), '')
})

test('of opus each side hears what the other one likes, or what we like when it is converted (RFC 7587 §7.1)', () => {
  const offer = formats('opus:stereo=1;maxaveragebitrate=64000', 'pcmu')
  assert.equal(toOffer(offer, usualRules)[0]?.fmtp, 'stereo=1;maxaveragebitrate=64000')
  assert.equal(toAnswer(offer, formats('opus:cbr=1'), usualRules)[0]?.fmtp, 'cbr=1')
  assert.equal(toAnswer(formats('opus:stereo=1'), formats('pcmu'), usualRules)[0]?.fmtp, 'minptime=10;useinbandfec=1')
})

test('what is said to be converted is what src/codec decodes', () => {
  const names = ['pcmu', 'pcma', 'g722', 'opus', 'l16', 'g729', 'evs', 'amr', 'cn', 'events']
  for (const format of names.flatMap((name) => formats(name)))
    assert.equal(
      isDecodable(format),
      findCodec(format.encoding, format.clockRateHz, format.channels) !== undefined,
      format.encoding,
    )
})

test('payloads that name other payload types, and formats without a name, are not carried', () => {
  assert.equal(shown(carried(formats('red', 'pcmu', 'events'), usualRules)), 'PCMU/8@0 telephone-event/8@101')
  assert.equal(shown(carried(formats('red', 'events'), usualRules)), '')
  assert.equal(shown(carried([{ payloadType: 96, encoding: '', clockRateHz: 0, channels: 1 }], usualRules)), '')
})

test('digits are taken at another clock rate than the speech where there are no better', () => {
  const opusAlone = formats('opus', 'events')
  assert.equal(shown(toAnswer(opusAlone, formats('opus', 'events48'), usualRules)), 'opus/48@96 telephone-event/8@101')
  assert.equal(shown(agreedIn(opusAlone, firstOffer(usualRules))), 'opus/48@96 telephone-event/8@101')
  assert.equal(
    shown(agreedIn(formats('pcmu', 'events48', 'events'), firstOffer(usualRules))),
    'PCMU/8@0 telephone-event/8@101',
  )
})

test('who offers one codec twice, as phones of mobile networks do, gets each once', () => {
  const twice = [...at(96, 'evs:br=5.9-24.4'), ...at(97, 'evs:br=13.2')]
  const atCallee = [...at(110, 'evs:br=13.2'), ...at(111, 'evs:br=5.9-24.4')]
  assert.equal(shown(toAnswer(twice, atCallee, usualRules)), 'EVS/16@97 EVS/16@96')
  assert.equal(shown(sameNumbers(twice, atCallee)), 'EVS/16@111 EVS/16@110')
  assert.equal(shown(numbered(twice, atCallee)), 'EVS/16@111 EVS/16@110')
  assert.equal(shown(toAnswer(at(96, 'evs'), atCallee, usualRules)), 'EVS/16@96')
})
