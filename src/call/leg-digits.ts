/**
 * Digits that one party told by SIP INFO, on their way to the other party, in the one way that suits it.
 *
 *   it agreed to telephone-event ─▶ its port sends events (RFC 4733)
 *   else it takes INFO           ─▶ INFO, as it came
 *   else                         ─▶ its port sends tones
 *
 * Telephone-event goes first, also to who has INFO in its Allow: that was agreed for digits in offer and answer, while an
 * Allow says nothing of what is understood in an INFO (RFC 6086 §1), and many answer it with 200 and do nothing.
 */
import type { Logger } from '../core/logger.ts'
import { MediaError } from '../media/failures.ts'
import { contentTypeOf } from '../sip/message/fields.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Dialog } from '../sip/stack.types.ts'
import type { LegMedia } from './leg-media.ts'

export interface PressedDigit {
  readonly digit: string
  readonly durationMs: number
}

/** Who is to get digits; without a dialog while it has not answered. */
export interface DigitTaker {
  readonly media?: LegMedia | undefined
  readonly dialog?: Dialog | undefined
  /** It would not have an INFO of ours. */
  refusesInfo?: boolean
}

/** When the phone does not say how long the key was down. */
const usualMs = 160
/** What receivers need (ITU-T Q.24), and what an event can hold. */
const [leastMs, mostMs] = [40, 8_000]
/** Numbers of events for digits, as some phones write them (RFC 4733 §3.2). */
const byNumber: Readonly<Record<string, string>> = { 10: '*', 11: '#', 12: 'A', 13: 'B', 14: 'C', 15: 'D' }

/** Whether the INFO tells a digit: `Signal=5\r\nDuration=160` (application/dtmf-relay), or a bare one (application/dtmf). */
export function isDigitInfo(info: SipRequest): boolean {
  const type = contentTypeOf(info)?.type
  return type === 'application/dtmf-relay' || type === 'application/dtmf'
}

/** Undefined for a hook flash, and for what cannot be read. */
export function digitIn({ body }: SipRequest): PressedDigit | undefined {
  const text = Buffer.from(body).toString('latin1')
  const signal = /(?:^|Signal\s*=)\s*([0-9A-D*#]|1[0-5])\s*(?:$|\r|\n)/i.exec(text)?.[1]
  if (signal === undefined) return undefined
  const durationMs = Number(/Duration\s*=\s*(\d{1,5})/i.exec(text)?.[1] ?? 0) || usualMs
  return { digit: byNumber[signal] ?? signal.toUpperCase(), durationMs }
}

/** Never rejects. @param pressed Undefined for what only an INFO can carry, a hook flash. */
export async function handDigitOver(
  pressed: PressedDigit | undefined,
  info: SipRequest,
  to: DigitTaker,
  log: Logger,
): Promise<void> {
  const byMedia = () => sendByMedia(pressed, to)
  const byInfo = () => sendByInfo(info, to)
  const ways = to.media?.takesEvents ? [byMedia, byInfo] : [byInfo, byMedia]
  for (const way of ways) if (await way()) return
  log.info('a digit could not be handed over: the other party takes neither events nor INFO, nor tones')
}

async function sendByMedia(pressed: PressedDigit | undefined, { media }: DigitTaker): Promise<boolean> {
  if (!pressed || !media) return false
  const toneMs = Math.min(mostMs, Math.max(leastMs, pressed.durationMs))
  try {
    await media.port.sendDigits(pressed.digit, { toneMs })
    return true
  } catch (error) {
    if (!(error instanceof MediaError)) throw error
    return error.code !== 'media.no-digits' // else the call is over
  }
}

async function sendByInfo({ headers, body }: SipRequest, to: DigitTaker): Promise<boolean> {
  const contentType = headers.get('Content-Type')
  if (!to.dialog || to.refusesInfo || to.dialog.takesInfo === false || contentType === undefined) return false
  const { status } = await to.dialog.request('INFO', { body, contentType })
  to.refusesInfo = status >= 300
  return status < 300
}
