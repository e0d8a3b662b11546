/**
 * Transfer of a call by one of its parties: blind, or to somebody it has spoken with.
 *
 *   by's phone  ── REFER ─▶  Transfer  ── ring, replace, leave ─▶  Call (TransferHost)
 *               ◀─ NOTIFY ─
 *
 * Blind: the one who stays keeps its leg; new devices are rung, and who answers takes the transferer's place. When
 * nobody does, the transferer has the call still, or is rung again when it had hung up. Attended: the leg of who stays
 * moves into the other call. Media of a call live on one worker thread, so the phone is given a port of the other call
 * by a re-INVITE. RFC 3515, 3891, 5589.
 * Missing: ringback or music while the target rings.
 */
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import type { EndReason, LegRole, Party } from '../events/catalogue.ts'
import type { MediaPort } from '../media/types.ts'
import type { ReferProgress, Replaces } from '../sip/dialog/refer.ts'
import type { SipUri } from '../sip/message/types.ts'
import type { Dialog, Flow } from '../sip/stack.types.ts'
import { sdpOf } from './description.ts'
import { CallError, refusals } from './failures.ts'
import type { Fork } from './fork.ts'
import type { Attempt, Destination } from './fork.types.ts'
import { type Leg, shown } from './leg.ts'
import { LegMedia } from './leg-media.ts'
import type { RecordTo } from './services.ts'

/** Where a number leads. */
export interface Route {
  readonly destinations: readonly Destination[]
  readonly ringMs: number
  /** Calls there are recorded. */
  readonly record: boolean
  /** Recording servers elsewhere that they are sent to. */
  readonly recordTo?: RecordTo
}

/** Finds the way of a transferred call; implemented by pbx/. */
export interface Onwards {
  /** The number that a URI asks for. */
  numberIn(uri: SipUri): string | undefined
  /** @param by The extension that asks. @param hidden It had asked for privacy (RFC 3323). */
  route(number: string, by: string, hidden: boolean): Route | EndReason
}

/** A leg that has been answered. */
export type PlacedLeg = Leg & { readonly dialog: Dialog; readonly media: LegMedia }

export interface RingOptions {
  readonly route: Route
  readonly port: MediaPort
  readonly role: LegRole
  readonly from: Party
  readonly referredBy: Party
  readonly onRinging: () => void
}

/** What a transfer does to a call. */
export interface TransferHost {
  readonly id: string
  readonly log: Logger
  readonly ended: boolean
  readonly to: Party
  /** One of its legs is being replaced. */
  readonly transferring: boolean
  readonly recorded: boolean
  /** Where it is sent to be recorded. */
  readonly sentTo: RecordTo
  advertisedIp(flow: Flow): string
  openPort(record: boolean): Promise<MediaPort>
  /** The leg that a Replaces names. */
  legAt(replaces: Replaces): Leg | undefined
  otherThan(leg: Leg): Leg | undefined
  /** False once somebody else took its place. */
  holds(leg: Leg): boolean
  /** Ring for who stays. The call cancels it when it ends. */
  ring(options: RingOptions): Fork
  /** `next` takes the place of `leg`, and hears who stays. */
  replace(leg: Leg, next: PlacedLeg, why: TransferFact): void
  /** This leg is no longer part of the call: BYE unless it has moved to another call. */
  leave(leg: Leg, how: 'bye' | 'moved'): Promise<void>
  /** The end of this leg is not the end of the call, until another leg or none is named. */
  spare(leg: Leg | undefined): void
  finish(reason: EndReason, by?: LegRole): Promise<void>
}

export interface TransferFact {
  readonly kind: 'blind' | 'attended' | 'recall' | 'replaced'
  /** Start a recording when there is none. */
  readonly record: boolean
  /** Send it to be recorded there when it is sent nowhere. */
  readonly recordTo?: RecordTo
  /** The call that was left for this one. */
  readonly fromCallId?: string
}

export interface TransferOptions {
  readonly host: TransferHost
  readonly onwards: Onwards
  readonly progress: ReferProgress
  /** Who asked, and its extension. */
  readonly by: Leg
  readonly extension: string
  readonly stays: PlacedLeg
}

export class Transfer {
  readonly by: Leg
  readonly #options: TransferOptions

  constructor(options: TransferOptions) {
    this.#options = options
    this.by = options.by
  }

  async blind(number: string): Promise<void> {
    const { onwards, progress, extension, host } = this.#options
    const route = onwards.route(number, extension, this.by.party.private ?? false)
    const reached =
      typeof route === 'string' ? route : await this.#ring(route, 'blind', () => void progress.report(180))
    if (reached !== 'connected') return this.#failed(reached)
    await progress.report(200)
    await host.leave(this.by, 'bye')
  }

  /** Join the other end of the transferer's second call. */
  async attended(there: TransferHost, second: Leg): Promise<void> {
    const { host, progress, stays } = this.#options
    const far = there.otherThan(second)
    if (!far?.media) return this.#failed('failed')
    const port = await portOf(there, host.recorded)
    if (!port) return this.#failed('failed')
    const media = new LegMedia(port, there.advertisedIp(stays.dialog.flow), { before: stays.media })
    // The transferer may let go of the second call before it hears that the transfer is done.
    there.spare(second)
    const moved = await this.#move(media, far)
    // Meanwhile that call may have ended, or its place been promised to somebody else.
    const isFree = !there.ended && !there.transferring && there.holds(second)
    if (moved !== true || !isFree || host.ended) {
      void port.close()
      there.spare(undefined)
      // Its far end hung up meanwhile: the phone goes back to its port here.
      if (moved === true && !host.ended) await this.#move(stays.media, this.by)
      return this.#failed(moved === true ? 'unreachable' : moved)
    }
    const { dialog, party, sipCallId, transport, remote, present, shownAs, recordAware = false } = stays
    const next = {
      id: newId(),
      role: second.role,
      party,
      sipCallId,
      transport,
      remote,
      present,
      shownAs,
      recordAware,
      state: 'answered',
      media,
      dialog,
    } as const
    void host.leave(stays, 'moved')
    there.replace(
      second,
      { ...next },
      { kind: 'attended', record: host.recorded, recordTo: host.sentTo, fromCallId: host.id },
    )
    there.spare(undefined)
    void there.leave(second, 'bye')
    await progress.report(200)
    await host.finish('transferred', this.by.role)
  }

  /** Offer the phone of who stays a port of the other call. @param to Whom it speaks with then. */
  async #move(media: LegMedia, to: Leg): Promise<true | EndReason> {
    const { host, stays } = this.#options
    const { dialog, present } = stays
    const headers = present?.(shown(to), host.advertisedIp(dialog.flow)) ?? {}
    const body = media.offer(to.media?.wishes)
    const response = await dialog.request('INVITE', { headers, contentType: 'application/sdp', body })
    if (response.status >= 300) return response.status === 488 ? 'no-common-codec' : 'failed'
    try {
      media.takeAnswer(sdpOf(response))
      return true
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      return 'no-common-codec'
    }
  }

  async #failed(reason: EndReason): Promise<void> {
    const { host, progress } = this.#options
    host.log.info('a transfer did not come about', { reason })
    const { status, reason: text } = refusals[reason]
    void progress.report(status, text)
    if (host.ended || !host.holds(this.by) || this.by.dialog?.state === 'confirmed') return
    await this.#recall(reason)
  }

  /** The transferer has hung up: ring it again rather than lose the call. */
  async #recall(reason: EndReason): Promise<void> {
    const { host, onwards, extension } = this.#options
    const route = onwards.route(extension, extension, false)
    if (typeof route !== 'string' && (await this.#ring(route, 'recall', () => {})) === 'connected') return
    await host.finish(reason)
  }

  async #ring(route: Route, kind: TransferFact['kind'], onRinging: () => void): Promise<'connected' | EndReason> {
    const { host, stays } = this.#options
    const { by } = this
    const record = route.record || host.recorded
    const port = await portOf(host, record)
    if (!port || host.ended) return 'failed'
    const fork = host.ring({ route, port, role: by.role, from: shown(stays), referredBy: by.party, onRinging })
    const outcome = await fork.outcome
    if (outcome.answered) {
      const { attempt, dialog, sdp } = outcome
      if (takesFinal(attempt, sdp) && !host.ended && host.holds(by)) {
        const next = Object.assign(attempt.leg, { dialog, media: attempt.media })
        host.replace(by, next, { kind, record, ...(route.recordTo && { recordTo: route.recordTo }) })
        return 'connected'
      }
      void dialog.bye()
      attempt.leg.media = attempt.media
      await host.leave(attempt.leg, 'bye')
      return 'no-common-codec'
    }
    void port.close()
    return outcome.reason
  }
}

async function portOf(host: TransferHost, record: boolean): Promise<MediaPort | undefined> {
  try {
    return await host.openPort(record)
  } catch (error) {
    if (error instanceof CallError) return undefined
    throw error
  }
}

function takesFinal({ media, earlyAnswer = '', renegotiated = false }: Attempt, answer: string): boolean {
  try {
    media.takeFinal(answer, earlyAnswer, renegotiated)
    return true
  } catch (error) {
    if (error instanceof CallError) return false
    throw error
  }
}
