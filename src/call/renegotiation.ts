/**
 * An offer inside a call that switches streams on or off, fax or video: the other side is asked first.
 *
 *   leg  ── re-INVITE ─▶  here  ── re-INVITE ─▶  other leg
 *        ◀─ 200, 488 ──        ◀─ 200, 488 ──
 *
 * All other offers are answered by in-dialog.ts without the other side. T.38 comes this way: one side detects the fax
 * and turns audio to image (ITU-T T.38 annex D). RFC 3264 §8, RFC 3261 §14.
 */
import type { Logger } from '../core/logger.ts'
import { parseSdp } from '../sdp/parse.ts'
import type { SessionDescription } from '../sdp/types.ts'
import type { InDialogRequest } from '../sip/stack.types.ts'
import { sdpOf } from './description.ts'
import { CallError, callFailures } from './failures.ts'
import { type LegMedia, readDescription } from './leg-media.ts'
import { hasSideStreams, type Side, type SideStreams } from './side-streams.ts'
import type { PlacedLeg } from './transfer.ts'

export interface PassedOffer {
  readonly incoming: InDialogRequest
  readonly offer: string
  /** Who asks, and on which side it is. */
  readonly media: LegMedia
  readonly side: Side
  readonly other: PlacedLeg
  readonly streams: SideStreams
  readonly log: Logger
}

/**
 * The offer of a request, when it switches streams on or off.
 *
 * @param media Of who sent it.
 * @param streams Of the call, if it has any beside its audio.
 * @returns undefined when the leg can be answered by itself.
 */
export function offerToPassOn(
  { request }: InDialogRequest,
  media: LegMedia,
  streams: SideStreams | undefined,
  side: Side,
): string | undefined {
  const offer = request.method === 'INVITE' || request.method === 'UPDATE' ? sdpOf(request) : ''
  const parsed = parseSdp(offer)
  if (!parsed.ok) return undefined
  const description = media.usable(parsed.description)
  return (streams ? streams.changes(side, description) : hasSideStreams(description)) ? offer : undefined
}

/** Ask the other side, then answer. Never rejects. */
export async function passOfferOn(passed: PassedOffer): Promise<void> {
  const { incoming, offer, media, side, other, streams, log } = passed
  const before = streams.heard(side)
  try {
    const status = await askOther(passed, media.usable(readDescription(offer, 'call.bad-offer')))
    if (status === undefined) {
      incoming.respond(200, { contentType: 'application/sdp', body: media.answer(offer, other.media.wishes) })
      return
    }
    // What stood before stands on (RFC 3261 §14.1).
    streams.learn(side, before)
    incoming.respond(status)
  } catch (error) {
    if (!(error instanceof CallError)) log.error('an offer could not be passed on', { error: String(error) })
    streams.learn(side, before)
    incoming.respond(error instanceof CallError ? callFailures[error.code].sip : 500)
  }
}

/** @returns Undefined when the other side agrees, else what its refusal is to who asked. */
async function askOther(
  { side, other, streams }: PassedOffer,
  description: SessionDescription,
): Promise<number | undefined> {
  await streams.prepare(description)
  streams.learn(side, description)
  // It may have none of this, for it would not be encrypted as it must be: then there is nothing to ask.
  if (other.media.isUpToDate) return undefined
  const body = other.media.offer()
  const response = await other.dialog.request('INVITE', { contentType: 'application/sdp', body })
  if (response.status >= 300) {
    other.media.offerRefused()
    // Both asked at once: it is for the asker to wait (RFC 3261 §14.1). All else means: not this.
    return response.status === 491 ? 491 : 488
  }
  other.media.takeAnswer(sdpOf(response))
  return undefined
}
