/**
 * Which codecs the two sides of a call get: RFC 3264 for one who stands between them.
 *
 *   caller's offer ─▶ carried ─▶ toOffer ─▶ callee's answer ─▶ toAnswer ─▶ caller's answer
 *
 * Both sides shall speak one codec, so that packets go across untouched: the callee is offered what the caller offers, in
 * the caller's order, and the caller is answered with what the callee took. Only where that leads to nothing is sound
 * converted: our own codecs stand behind the caller's in the offer, and a caller that has none of what the callee took
 * is answered with the first of its codecs that we can make. Telephone-events are agreed to with each side by itself,
 * where the other one can be sent tones. Pure; formats in, formats out.
 */
import { answeredFmtp, sameParameters } from '../sdp/fmtp.ts'
import { isComfortNoise, isTelephoneEvent, sameFormat, telephoneEvent } from '../sdp/media.ts'
import { besideAudio } from '../sdp/offer-answer.ts'
import type { SdpFormat } from '../sdp/types.ts'
import { allows, type CodecRules, isCompanion, isDecodable, ownFormats, sameCodec } from './codec-rules.ts'

const isSpeech = (format: SdpFormat): boolean => !isCompanion(format)

/** What of a description a call can carry under these rules, in its order; empty when none of it is speech. */
export function carried(formats: readonly SdpFormat[], rules: CodecRules): SdpFormat[] {
  const all = formats.filter((format) => allows(rules, format))
  return all.some(isSpeech) ? all : []
}

/** What we offer when nobody has said anything: to devices for a caller without an offer. */
export function firstOffer(rules: CodecRules): SdpFormat[] {
  const own = ownFormats(rules)
  return numbered([...own, ...eventsBeside(own)], [])
}

/** Digits at each clock rate of these codecs (RFC 4733 §2.1). */
function eventsBeside(formats: readonly SdpFormat[]): SdpFormat[] {
  const rates = new Set(formats.filter(isSpeech).map(({ clockRateHz }) => clockRateHz))
  return [8_000, 48_000].flatMap((clockRateHz) => {
    if (!rates.has(clockRateHz)) return []
    return [{ ...telephoneEvent, clockRateHz, payloadType: clockRateHz === 8_000 ? telephoneEvent.payloadType : 110 }]
  })
}

/**
 * What a leg is offered: what the other side wants, then what we can convert for it.
 *
 * @param wanted The other side's formats, best first.
 * @param declared What stood for which payload type in this dialog before: that does not change (RFC 3264 §8.3.2).
 * @returns Empty when these rules allow nothing of it.
 */
export function toOffer(
  wanted: readonly SdpFormat[],
  rules: CodecRules,
  declared: readonly SdpFormat[] = [],
): SdpFormat[] {
  const theirs = wanted.filter((format) => allows(rules, format))
  const convertible = rules.transcode && wanted.some(isDecodable)
  const more = convertible ? ownFormats(rules).filter((own) => !theirs.some((format) => sameCodec(format, own))) : []
  const speech = [...theirs.filter(isSpeech), ...more]
  if (speech.length === 0) return []
  // Whoever agrees to events sends digits as that, and is sent so those that the other side tells by INFO.
  const events = convertible ? eventsBeside(speech) : []
  const beside = theirs.filter(isCompanion)
  const added = events.filter((event) => !beside.some((format) => sameCodec(format, event)))
  return numbered([...speech, ...beside, ...added], declared)
}

/**
 * What an offer is answered with, by the offerer's payload types.
 *
 * @param wanted What the other side took, best first.
 * @returns Empty when the two sides cannot be brought together.
 */
export function toAnswer(offered: readonly SdpFormat[], wanted: readonly SdpFormat[], rules: CodecRules): SdpFormat[] {
  const theirs = carried(offered, rules)
  const common = pairs(wanted.filter(isSpeech), theirs).map(([ours, format]) => answered(format, ours))
  const speech = common.length > 0 ? common : converted(theirs, wanted, rules)
  if (speech.length === 0) return []
  // What the other side does not take as events it hears as tones.
  const known = rules.transcode && wanted.some(isDecodable) ? [...wanted, ...eventsBeside(theirs)] : wanted
  return [...speech, ...companions(theirs, known, speech)]
}

/** What an answer takes of our offer, as the answer says it; empty when none of it is speech. */
export const agreedIn = (answer: readonly SdpFormat[], offered: readonly SdpFormat[]): SdpFormat[] =>
  besideAudio(answer.filter((format) => has(offered, format)))

/** The same formats as we declared them, in the order of the answer. */
export const sameNumbers = (answer: readonly SdpFormat[], offered: readonly SdpFormat[]): SdpFormat[] =>
  pairs(answer, offered).map(([, format]) => format)

/** For each of the formats its like among the others, each of them once: some offer one codec twice (EVS, AMR). */
function pairs(formats: readonly SdpFormat[], others: readonly SdpFormat[]): [SdpFormat, SdpFormat][] {
  const left = [...others]
  return formats.flatMap((format): [SdpFormat, SdpFormat][] => {
    const alike = left.filter((each) => sameFormat(each, format))
    const like = alike.find(({ fmtp }) => fmtp === format.fmtp) ?? alike[0]
    if (!like) return []
    left.splice(left.indexOf(like), 1)
    return [[format, like]]
  })
}

/** Nothing in common: the first that can be made out of what the other side speaks. */
function converted(theirs: readonly SdpFormat[], wanted: readonly SdpFormat[], rules: CodecRules): SdpFormat[] {
  if (!rules.transcode || !wanted.some(isDecodable)) return []
  const format = theirs.find(isDecodable)
  const ours = format && ownFormats(rules).find((own) => sameCodec(own, format))
  return format ? [ours ? answered(format, ours) : format] : []
}

/** Digits, at the clock rate of what is spoken where it can be, and comfort noise where the other side has it too. */
function companions(
  theirs: readonly SdpFormat[],
  wanted: readonly SdpFormat[],
  speech: readonly SdpFormat[],
): SdpFormat[] {
  const isBeside = ({ clockRateHz }: SdpFormat): boolean => speech.some((format) => format.clockRateHz === clockRateHz)
  const noise = theirs.filter((format) => isComfortNoise(format) && isBeside(format) && has(wanted, format))
  const ofTheirs = theirs.filter(isTelephoneEvent)
  const atRate = ofTheirs.filter(isBeside)
  // Some phones offer digits at 8 kHz alone, whatever they speak.
  const events = (atRate.length > 0 ? atRate : ofTheirs.slice(0, 1)).flatMap((format) => {
    const ours = wanted.find((event) => isTelephoneEvent(event) && sameParameters(event, format))
    return ours ? [answered(format, ours)] : []
  })
  return [...noise, ...events]
}

const has = (formats: readonly SdpFormat[], format: SdpFormat): boolean =>
  formats.some((each) => sameFormat(each, format))

/** The offerer's number and spelling, with the parameters of an answer. */
function answered({ payloadType, encoding, clockRateHz, channels, ...offered }: SdpFormat, ours: SdpFormat): SdpFormat {
  const bare = { payloadType, encoding, clockRateHz, channels }
  const fmtp = answeredFmtp({ ...bare, ...offered }, ours)
  return fmtp === undefined ? bare : { ...bare, fmtp }
}

/** RFC 3551 §3: dynamic payload types. */
const dynamic = Array.from({ length: 32 }, (_, index) => 96 + index)

/** Gives each format a payload type of its own: the one it had in this dialog, else its own, else a free dynamic one. */
export function numbered(formats: readonly SdpFormat[], declared: readonly SdpFormat[]): SdpFormat[] {
  const taken = new Map(declared.map((format) => [format.payloadType, format]))
  const before = new Map(pairs(formats, declared))
  return formats.flatMap((format) => {
    const free = [format.payloadType, ...dynamic].find((number) => !taken.has(number))
    const payloadType = before.get(format)?.payloadType ?? free
    // More formats than there are numbers: nobody means that.
    if (payloadType === undefined) return []
    const placed = { ...format, payloadType }
    taken.set(payloadType, placed)
    return [placed]
  })
}
