/**
 * The caller's side of a call until the answer: its INVITE, what it offered, the ringing and early media it gets.
 *
 *   Call  ── ring, answer ─▶  here  ── 180, 183, 200 ─▶  IncomingInvite
 */
import type { Logger } from '../core/logger.ts'
import { maxForwardsOf } from '../sip/message/fields.ts'
import { sessionDescriptionOf } from '../sip/message/multipart.ts'
import type { Dialog, ExtraHeaders, IncomingInvite } from '../sip/stack.types.ts'
import { firstOffer } from './codec-choice.ts'
import type { CodecRules } from './codec-rules.ts'
import { CallError } from './failures.ts'
import { answerInDialog, type InDialogOptions } from './in-dialog.ts'
import type { PressedDigit } from './leg-digits.ts'
import { type AudioWishes, type LegMedia, usableAudio } from './leg-media.ts'

/** What an INVITE asks for. */
export interface Asked {
  /** Undefined when the caller wants us to offer: its answer comes with the ACK. */
  readonly offer: string | undefined
  /** What the devices are offered. */
  readonly wanted: AudioWishes
  /** Hops the call may still take (RFC 3261 §8.1.1.6). */
  readonly maxForwards: number
}

/**
 * @param codecs What the caller may speak.
 * @throws {CallError} `call.too-many-hops`, `call.unknown-body`, `call.bad-offer` or `call.no-common-codec`.
 */
export function readInvite({ request }: IncomingInvite, codecs: CodecRules): Asked {
  // RFC 7332 §3: a call that comes back to us again and again ends, as it would at a proxy.
  const maxForwards = maxForwardsOf(request) ?? 70
  if (maxForwards === 0) throw new CallError('call.too-many-hops')
  const offered = sessionDescriptionOf(request)
  if (offered === 'none') throw new CallError('call.unknown-body')
  const wanted = offered === undefined ? { formats: firstOffer(codecs) } : usableAudio(offered.sdp, codecs)
  if (wanted.formats.length === 0) throw new CallError('call.no-common-codec')
  return { offer: offered?.sdp, wanted, maxForwards: Math.min(maxForwards, 70) - 1 }
}

/**
 * The description for a 200 to an INVITE that joins a call: the answer to its offer, or an offer.
 * @throws {CallError} `call.unknown-body`, `call.bad-offer` or `call.no-common-codec`.
 */
export function answerTo({ request }: IncomingInvite, media: LegMedia, wanted?: AudioWishes): string {
  const offered = sessionDescriptionOf(request)
  if (offered === 'none') throw new CallError('call.unknown-body')
  return offered === undefined ? media.offer(wanted) : media.answer(offered.sdp, wanted)
}

export class CallerSide {
  readonly media: LegMedia
  readonly #invite: IncomingInvite
  readonly #offer: string | undefined
  /** The answer given with early media; the 200 repeats it (RFC 3261 §13.2.1). */
  #earlyAnswer: string | undefined
  /** The caller made another offer since, and that was answered too. */
  #renegotiated = false
  #ringing = false

  constructor(invite: IncomingInvite, offer: string | undefined, media: LegMedia) {
    this.#invite = invite
    this.#offer = offer
    this.media = media
  }

  /** True while nothing stands in the way of early media: the caller made an offer, and it has not been answered. */
  get takesEarlyMedia(): boolean {
    return this.#offer !== undefined && this.#earlyAnswer === undefined
  }

  /** True once the caller hears what comes before the answer. */
  get hearsEarlyMedia(): boolean {
    return this.#earlyAnswer !== undefined
  }

  /** What the caller asks before the answer (RFC 3311), and the digits it presses. */
  listen(log: Logger, onDigit: (pressed: PressedDigit) => void, relay: InDialogOptions['relay']): () => void {
    const onDescribed = () => {
      this.#renegotiated = true
    }
    const unheard = this.media.port.on('digit', onDigit)
    const unasked = this.#invite.dialog.on('request', (incoming) =>
      answerInDialog(incoming, { media: this.media, log, relay, onDescribed }),
    )
    return () => {
      unheard()
      unasked()
    }
  }

  /** The first time only. @param headers Who rings. */
  ring(headers: ExtraHeaders): void {
    if (!this.#ringing && !this.hearsEarlyMedia) this.#invite.ring(180, { headers })
    this.#ringing = true
  }

  /**
   * An announcement, or a ring tone from far away: answer the caller's offer now.
   *
   * @param bridge Lets the caller hear it.
   * @param headers Who is there.
   * @throws {CallError} `call.no-common-codec`
   */
  passEarlyMedia(wanted: AudioWishes, bridge: () => void, headers: ExtraHeaders): void {
    if (this.#offer === undefined) return
    const answer = this.media.answer(this.#offer, wanted)
    bridge()
    this.#earlyAnswer = answer
    this.#invite.ring(183, { headers, contentType: 'application/sdp', body: answer })
  }

  /**
   * The description for the 200; none when a further exchange has taken the place of the first.
   * @throws {CallError} `call.no-common-codec`
   */
  describe(wanted: AudioWishes): string | undefined {
    if (this.#renegotiated) return undefined
    if (this.#earlyAnswer !== undefined) {
      // The answer came from elsewhere than the early media, in another codec: the caller has its own by now.
      if (!this.media.carries(wanted)) throw new CallError('call.no-common-codec')
      return this.#earlyAnswer
    }
    return this.#offer === undefined ? this.media.offer(wanted) : this.media.answer(this.#offer, wanted)
  }

  /** @param headers Who answered. */
  answer(description: string | undefined, headers: ExtraHeaders): Dialog {
    const described = description === undefined ? {} : { contentType: 'application/sdp', body: description }
    return this.#invite.answer({ headers, ...described })
  }
}
