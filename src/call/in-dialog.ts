/**
 * What a party asks inside its dialog, before the answer or after it: hold, resume, a session refresh, digits by INFO.
 *
 * Answered here and now, without asking the other side: each leg has a port of its own, so its description can change
 * while the other's stays. The stack adds Contact and Allow.
 */
import type { Logger } from '../core/logger.ts'
import { MediaError } from '../media/failures.ts'
import { sessionDescriptionOf } from '../sip/message/multipart.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { InDialogRequest } from '../sip/stack.types.ts'
import { CallError, callFailures } from './failures.ts'
import { digitIn, isDigitInfo, type PressedDigit } from './leg-digits.ts'
import type { AudioWishes, LegMedia } from './leg-media.ts'

export interface InDialogOptions {
  readonly media: LegMedia
  readonly log: Logger
  /** An INFO for the other side: a digit that came in no other way, or something else that only an INFO can tell. */
  readonly relay: (info: SipRequest, pressed: PressedDigit | undefined) => void
  /** What the other side speaks; what was agreed before when it is not known. */
  readonly wanted?: () => AudioWishes | undefined
  /** An offer of theirs was answered. */
  readonly onDescribed?: () => void
}

export function answerInDialog(incoming: InDialogRequest, options: InDialogOptions): void {
  switch (incoming.request.method) {
    case 'INVITE':
    case 'UPDATE':
    case 'PRACK':
      return answerOfferAgain(incoming, options)
    case 'INFO':
      return answerInfo(incoming, options)
    case 'OPTIONS':
      return incoming.respond(200, { headers: { Accept: 'application/sdp' } })
    default:
      return incoming.respond(405)
  }
}

function answerOfferAgain(incoming: InDialogRequest, { media, log, onDescribed, wanted }: InDialogOptions): void {
  const { method } = incoming.request
  const offered = sessionDescriptionOf(incoming.request)
  if (offered === undefined) {
    // A refresh without a description: an INVITE asks us for an offer, an UPDATE asks for nothing (RFC 3261 §14.2, 3311 §5.2).
    if (method !== 'INVITE') return incoming.respond(200)
    return incoming.respond(200, { contentType: 'application/sdp', body: media.offer() })
  }
  if (offered === 'none') return incoming.respond(415, { headers: { Accept: 'application/sdp' } })
  try {
    const answer = media.answer(offered.sdp, wanted?.())
    onDescribed?.()
    incoming.respond(200, { contentType: 'application/sdp', body: answer })
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    log.warn('an offer inside a call was refused', { code: error.code })
    incoming.respond(callFailures[error.code].sip)
  }
}

/** Digits are told by the port, as all others are. */
function answerInfo(incoming: InDialogRequest, { media, relay }: InDialogOptions): void {
  const { headers, body } = incoming.request
  // RFC 6086 §4.2.2: a package we did not name in a Recv-Info; we name none.
  if (headers.has('Info-Package')) return incoming.respond(469, { headers: { 'Recv-Info': '' } })
  if (body.length === 0) return incoming.respond(200)
  if (!isDigitInfo(incoming.request)) {
    return incoming.respond(415, { headers: { Accept: 'application/dtmf-relay, application/dtmf' } })
  }
  incoming.respond(200)
  const pressed = digitIn(incoming.request)
  if (!pressed) return relay(incoming.request, undefined)
  media.port.takeDigit(pressed.digit, pressed.durationMs).then(
    (isNew) => {
      if (isNew) relay(incoming.request, pressed)
    },
    (error: unknown) => {
      if (!(error instanceof MediaError)) throw error // else the call ends with its worker
    },
  )
}
