/**
 * Hears one answered leg: its dialog, its media port, its silence.
 *
 *   Dialog, MediaPort  ── requests, ACK, digits, end ─▶  here  ── gone, refer, digit ─▶  Call
 *
 * Hold, refresh and digits are answered at once by in-dialog.ts; what concerns the whole call goes up.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { EndReason } from '../events/catalogue.ts'
import type { SipMessage, SipRequest } from '../sip/message/types.ts'
import type { Dialog, DialogEnd, InDialogRequest } from '../sip/stack.types.ts'
import { sdpOf } from './description.ts'
import { CallError, type CallFailure } from './failures.ts'
import { answerInDialog } from './in-dialog.ts'
import type { Leg } from './leg.ts'
import type { PressedDigit } from './leg-digits.ts'
import type { AudioWishes, LegMedia } from './leg-media.ts'
import { LegQuality } from './leg-quality.ts'
import { noKeys, reasonsIn } from './reason.ts'
import { SilenceWatch } from './silence-watch.ts'
import type { Teller } from './teller.ts'

export interface LegListener {
  readonly clock: Clock
  readonly log: Logger
  readonly teller: Teller
  readonly rtpTimeoutMs: number
  /** It hung up, vanished, or cannot be heard. @param reasons As its BYE gave them (RFC 3326). */
  gone(leg: Leg, why: EndReason, reasons: readonly string[]): void
  refer(leg: Leg, dialog: Dialog, incoming: InDialogRequest): void
  /** True when the other side is asked about this offer, and answers it. */
  passesOn(leg: Leg, incoming: InDialogRequest): boolean
  /** An offer of it was answered: it may have held the other side, or come back. */
  described(leg: Leg): void
  /** A digit was pressed, sent as RTP event, by INFO, or as a tone, which costs that all the phone says is decoded. */
  digit?(leg: Leg, digit: string): void
  /** An INFO for the other side, and the digit in it. */
  relay(leg: Leg, info: SipRequest, pressed: PressedDigit | undefined): void
  /** What the other side speaks, for an offer of this one. */
  wanted(): AudioWishes | undefined
  /** Its first answer to an offer of ours cannot be used. */
  failed(code: CallFailure): void
}

/** The leg is answered: from now on its dialog and port speak to this call, until `leg.unlisten`. */
export function listenToLeg(leg: Leg, dialog: Dialog, media: LegMedia, user: LegListener): void {
  const { clock, teller, rtpTimeoutMs } = user
  leg.dialog = dialog
  leg.state = 'answered'
  const onDigit = (digit: string, durationMs: number): void => {
    teller.legDigit(leg.id, digit, durationMs)
    user.digit?.(leg, digit)
  }
  const listeners = [
    dialog.on('ended', (end) => user.gone(leg, whyEnded(end), end.by === 'remote' ? reasonsIn(end.request) : [])),
    dialog.on('request', (incoming) => {
      if (incoming.request.method === 'REFER') user.refer(leg, dialog, incoming)
      else if (!user.passesOn(leg, incoming))
        answerInDialog(incoming, {
          media,
          log: user.log,
          onDescribed: () => user.described(leg),
          relay: (info, pressed) => user.relay(leg, info, pressed),
          wanted: () => user.wanted(),
        })
    }),
    dialog.on('ack', (ack) => {
      if (media.awaitsAnswer) takeAnswer(ack, leg, media, user)
    }),
    dialog.on('refreshed', (response) => takeAnswer(response, leg, media, user)),
  ]
  leg.unlisten = () => {
    for (const off of listeners) off()
  }
  // Who waits for digits is told of those that a phone sends as tones, too.
  if (user.digit) media.port.hearTones(true)
  media.port.on('digit', ({ digit, durationMs }) => onDigit(digit, durationMs))
  media.port.on('media-started', ({ source, codec }) => teller.legMediaStarted(leg.id, source, codec))
  const quality = (leg.quality ??= new LegQuality())
  media.port.on('quality', (heard) => teller.legQuality(leg.id, quality.hear(heard)))
  teller.legAnswered(leg)
  listeners.push(
    media.encryption.watch({
      clock,
      told: (encryption) => teller.legEncryption(leg.id, encryption),
      failed: (why) => {
        user.log.warn('a call is ended, for a DTLS handshake of it failed', { leg: leg.id, why })
        user.gone(leg, 'encryption-failed', [noKeys(why)])
      },
    }),
  )
  if (rtpTimeoutMs === 0) return
  leg.watch = new SilenceWatch({
    clock,
    port: media.port,
    dialog,
    rtpTimeoutMs,
    expectsPackets: () => media.expectsPackets,
    onVanished: () => user.gone(leg, 'media-timeout', []),
  })
}

/** The answer to an offer of ours, in an ACK (RFC 3261 §13.2.2.4, §14.2) or to a re-INVITE. */
function takeAnswer(message: SipMessage, leg: Leg, media: LegMedia, user: LegListener): void {
  const stands = media.codec !== undefined
  try {
    media.takeAnswer(sdpOf(message))
    user.described(leg)
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    if (stands) user.log.warn('an answer inside a call was not taken', { code: error.code })
    else user.failed(error.code)
  }
}

const whyEnded = ({ by }: DialogEnd): EndReason => (by === 'remote' || by === 'local' ? 'hangup' : 'media-timeout')
