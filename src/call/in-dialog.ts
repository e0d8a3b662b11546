/**
 * What a party asks inside its dialog, before the answer or after it: hold, resume, a session refresh, digits by INFO.
 *
 * Answered here and now, without asking the other side: each leg has a port of its own, so its description can change
 * while the other's stays. The stack adds Contact and Allow.
 */
import type { Logger } from '../core/logger.ts'
import { contentTypeOf } from '../sip/message/fields.ts'
import { sessionDescriptionOf } from '../sip/message/multipart.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { InDialogRequest } from '../sip/stack.types.ts'
import { CallError, callFailures } from './failures.ts'
import type { AudioWishes, LegMedia } from './leg-media.ts'

export interface InDialogOptions {
  readonly media: LegMedia
  readonly log: Logger
  /** A digit came by SIP INFO. */
  readonly onDigit: (digit: string, durationMs: number) => void
  /** Digits by INFO also go to the other side, as they came. */
  readonly relay?: (info: SipRequest) => void
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

/** `Signal=5\r\nDuration=160` (application/dtmf-relay), or a bare digit (application/dtmf): what phones send in INFO. */
function answerInfo(incoming: InDialogRequest, { onDigit, relay }: InDialogOptions): void {
  const { headers, body } = incoming.request
  // RFC 6086 §4.2.2: a package we did not name in a Recv-Info; we name none.
  if (headers.has('Info-Package')) return incoming.respond(469, { headers: { 'Recv-Info': '' } })
  const type = contentTypeOf(incoming.request)?.type
  if (body.length === 0) return incoming.respond(200)
  if (type !== 'application/dtmf-relay' && type !== 'application/dtmf') {
    return incoming.respond(415, { headers: { Accept: 'application/dtmf-relay, application/dtmf' } })
  }
  incoming.respond(200)
  relay?.(incoming.request)
  const text = Buffer.from(body).toString('latin1')
  const digit = /(?:^|Signal\s*=\s*)([0-9A-D*#])\s*(?:$|\r|\n)/i.exec(text)?.[1]
  const duration = /Duration\s*=\s*(\d{1,5})/i.exec(text)?.[1]
  if (digit) onDigit(digit.toUpperCase(), Number(duration ?? 160))
}
