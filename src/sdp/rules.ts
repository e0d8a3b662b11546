/**
 * Whether an answer fits its offer, and a new offer what stood before: RFC 3264 §6 and §8 as a check.
 *
 * Peers are taken as they come; this is for what we write ourselves, and for telling what a peer does wrong.
 */
import { directionOf, formatsOf, offersRtcpMux, sameFormat } from './media.ts'
import { answerDirection } from './offer-answer.ts'
import type { SdpMedia, SessionDescription } from './types.ts'

export type RuleBroken =
  | 'media-count' // another number of m-lines
  | 'media-type'
  | 'protocol'
  | 'revived' // accepted though the offer disables it
  | 'format' // none, or one that was not offered
  | 'direction' // sends what the other will not take, or takes what it will not send
  | 'rtcp-mux' // RFC 5761 §5.1.1: not offered
  | 'crypto' // RFC 4568 §5.1.2: not one of the offered
  | 'address' // no connection line
  | 'origin' // another session
  | 'version' // RFC 3264 §8: not counted up with a change

/** What is wrong with an answer; empty when nothing is. */
export function answerProblems(offer: SessionDescription, answer: SessionDescription): RuleBroken[] {
  if (offer.media.length !== answer.media.length) return ['media-count']
  return answer.media.flatMap((media, index) => {
    const offered = offer.media[index]
    return offered ? lineProblems({ offer, offered }, { answer, media }) : []
  })
}

function lineProblems(
  { offer, offered }: { readonly offer: SessionDescription; readonly offered: SdpMedia },
  { answer, media }: { readonly answer: SessionDescription; readonly media: SdpMedia },
): RuleBroken[] {
  const problems: RuleBroken[] = []
  if (media.type !== offered.type) problems.push('media-type')
  if (media.protocol !== offered.protocol) problems.push('protocol')
  if (media.port === 0) return problems
  if (offered.port === 0) problems.push('revived')
  if (!isOffered(offered, media)) problems.push('format')
  const direction = directionOf(answer, media)
  if (direction !== answerDirection(directionOf(offer, offered), direction)) problems.push('direction')
  if (offersRtcpMux(media) && !offersRtcpMux(offered)) problems.push('rtcp-mux')
  if (!cryptoTags(media).every((tag) => cryptoTags(offered).includes(tag))) problems.push('crypto')
  if (!media.connection && !answer.connection) problems.push('address')
  return problems
}

function isOffered(offered: SdpMedia, media: SdpMedia): boolean {
  if (!media.protocol.includes('RTP/')) return media.formats.length > 0
  const known = formatsOf(offered)
  const answered = formatsOf(media)
  return answered.length > 0 && answered.every((format) => known.some((each) => sameFormat(each, format)))
}

/** Tag and suite: `1 AES_CM_128_HMAC_SHA1_80`. */
const cryptoTags = ({ attributes }: SdpMedia): string[] =>
  attributes.flatMap(({ name, value }) => (name === 'crypto' ? (/^\d+\s+\w+/.exec(value ?? '')?.[0] ?? []) : []))

/** What is wrong with a description that changes one of the same side; empty when nothing is. */
export function reofferProblems(before: SessionDescription, next: SessionDescription): RuleBroken[] {
  const problems: RuleBroken[] = []
  if (next.media.length < before.media.length) problems.push('media-count')
  const [old, now] = [before.origin, next.origin]
  if (old.sessionId !== now.sessionId || old.username !== now.username) problems.push('origin')
  const same = JSON.stringify({ ...before, origin: 0 }) === JSON.stringify({ ...next, origin: 0 })
  const step = BigInt(now.sessionVersion) - BigInt(old.sessionVersion)
  // Counting up without need harms nobody.
  if (step < 0n || (step === 0n && !same)) problems.push('version')
  return problems
}
