/**
 * Video after a transfer: it goes on with who came, or is over for who stayed.
 *
 *   Call (replace)  ── who stays, who came ─▶  here  ── re-INVITE ─▶  who came, then who stays
 *
 * Who came was asked about audio alone. It is offered what the one who stays sends, whose ports are as they were, and
 * that one then hears what became of it. RFC 3264 §8.
 */
import type { Logger } from '../core/logger.ts'
import { sdpOf } from './description.ts'
import { CallError } from './failures.ts'
import { otherSide, type Side, type SideStreams } from './side-streams.ts'
import type { PlacedLeg } from './transfer.ts'

export interface CarriedStreams {
  readonly streams: SideStreams
  readonly stays: PlacedLeg
  /** The side of who stays. */
  readonly side: Side
  readonly next: PlacedLeg
  /** False once the call has ended, or somebody else came. */
  readonly stands: () => boolean
  readonly log: Logger
}

/** @returns Whether the streams go on; they are closed unless so. Never rejects. */
export async function carryStreams({ streams, stays, side, next, stands, log }: CarriedStreams): Promise<boolean> {
  const [wasOn, theirs] = [streams.relaysTo(side), otherSide(side)]
  streams.forget(theirs)
  next.media.joinStreams({ of: streams, side: theirs })
  try {
    // Who comes may have none of it, for it would not be encrypted as it must be: then there is nothing to ask.
    const asks = wasOn && next.media.canOfferStreams && !next.media.isUpToDate
    const goesOn = asks && (await takes(next)) && streams.relaysTo(theirs)
    if (!goesOn) {
      streams.close()
      for (const { media } of [stays, next]) media.leaveStreams()
    }
    if (wasOn && stands()) await takes(stays)
    return goesOn
  } catch (error) {
    log.error('video could not be carried on', { error: String(error) })
    return false
  }
}

/** Offer what there is now; a refusal leaves the leg as it was. */
async function takes({ dialog, media }: PlacedLeg): Promise<boolean> {
  const response = await dialog.request('INVITE', { contentType: 'application/sdp', body: media.offer() })
  try {
    if (response.status < 300) media.takeAnswer(sdpOf(response))
    else media.offerRefused()
    return response.status < 300
  } catch (error) {
    if (error instanceof CallError) return false
    throw error
  }
}
