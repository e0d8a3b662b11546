/**
 * An INVITE with Replaces: who sends it takes the place of somebody in a call. RFC 3891.
 *
 *   pbx/  ── INVITE, who it is from ─▶  here  ── pickUp ───▶  Fork   a call that rings elsewhere
 *                                         └──── takeOver ─▶  Call   a leg of a call that stands
 *
 * Who may is decided by pbx/. What is not allowed, or names nothing, changes nothing.
 */
import { readReplaces } from '../sip/dialog/refer.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import { Call, type Place } from './call.ts'
import { answerTo } from './caller-side.ts'
import { CallError, callFailures } from './failures.ts'
import type { PickedUpBy } from './fork.types.ts'
import { type Leg, legOf, shown } from './leg.ts'
import { type AudioWishes, LegMedia } from './leg-media.ts'
import type { LiveCalls } from './live-calls.ts'
import { isBrowser } from './party.ts'
import type { PlacedLeg } from './transfer.ts'

export interface Taker extends PickedUpBy {
  readonly mayTake: (place: Exclude<Place, { readonly state: 'ended' }>) => boolean
}

export async function takePlace(invite: IncomingInvite, taker: Taker, live: LiveCalls): Promise<void> {
  const { headers } = invite.request
  const values = headers.all('Replaces')
  const replaces = values.length === 1 ? readReplaces(values[0] ?? '') : undefined
  // §3, §4: one of it, and not together with Join.
  if (!replaces || headers.has('Join')) return invite.reject(400)
  for (const call of live.list()) {
    const place = call instanceof Call ? call.placeAt(replaces) : undefined
    if (!(call instanceof Call) || !place) continue
    if (place.state === 'ended') return invite.reject(603)
    if (place.state === 'talking' && replaces.earlyOnly) return invite.reject(486)
    if (!taker.mayTake(place)) return invite.reject(403)
    if (call.transferring && place.state === 'talking') return invite.reject(491)
    return enter(call, place, invite, taker)
  }
  invite.reject(481)
}

/**
 * Who called takes the place of this leg; the other side hears no more of it than a new voice.
 *
 * @throws {CallError} When its offer cannot be answered; everything stays as it was.
 */
async function takeOver(
  call: Call,
  leg: Leg,
  invite: IncomingInvite,
  { party, present, srtp, codecs }: Taker,
): Promise<void> {
  const port = await call.openPort(call.recorded)
  // Meanwhile another one was faster, somebody hung up, or is being transferred; from here on nothing waits.
  const gone = call.ended || leg.state === 'ended' || !call.holds(leg)
  if (gone || call.transferring || invite.cancelled.aborted) {
    await port.close()
    return invite.reject(gone ? 603 : 491)
  }
  const host = call.advertisedIp(invite.flow)
  const media = new LegMedia(port, host, {
    srtp: srtp ?? call.srtp,
    codecs: call.codecsFor(codecs),
    browser: isBrowser(invite),
    alsoAt: call.mediaIps,
  })
  const other = call.otherThan(leg)
  const body = answerOrClose(invite, media, other?.media?.wishes)
  const headers = (other && present?.(shown(other), host)) ?? {}
  const dialog = invite.answer({ headers, contentType: 'application/sdp', body })
  const next: PlacedLeg = { ...legOf(invite, leg.role, party), present, state: 'answered', media, dialog }
  call.replace(leg, next, { kind: 'replaced', record: call.recorded })
  await call.leave(leg, 'bye')
}

function answerOrClose(invite: IncomingInvite, media: LegMedia, wanted: AudioWishes | undefined): string {
  try {
    return answerTo(invite, media, wanted)
  } catch (error) {
    void media.port.close()
    throw error
  }
}

async function enter(call: Call, place: Place, invite: IncomingInvite, taker: Taker): Promise<void> {
  try {
    if (place.state === 'ringing') place.fork.pickUp(invite, taker)
    else if (place.state === 'talking') await takeOver(call, place.leg, invite, taker)
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    invite.reject(callFailures[error.code].sip)
  }
}
