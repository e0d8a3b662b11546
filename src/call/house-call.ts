/**
 * A call that the server answers itself: an echo, a conference; one leg, and nobody is rung.
 *
 *   caller ── INVITE ─▶  HouseCall  ── answer() ─▶ a feature (pbx/) plays, listens, mixes at its port
 *          ◀─ 200 ─────                     ◀─ digits, closed
 *
 * The feature makes it, answers or refuses, and ends it when it is done. It ends once, by whoever is first.
 * Not recorded; cannot be transferred; video and fax are refused.
 */
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import type { EndReason, LegRole, Party, TracedMessage } from '../events/catalogue.ts'
import type { MediaPort, MediaSession } from '../media/types.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import { answerTo, readInvite } from './caller-side.ts'
import { rulesFor } from './codec-rules.ts'
import { CallError, type CallFailure, callFailures, reasonFor, refusals } from './failures.ts'
import { type Leg, legOf, liveLeg, mediaSummary, type Presenter } from './leg.ts'
import type { SrtpMode } from './leg-crypto.ts'
import { listenToLeg } from './leg-listener.ts'
import { LegMedia } from './leg-media.ts'
import { LegQuality } from './leg-quality.ts'
import type { LiveCall, LiveCallSnapshot } from './live-calls.ts'
import { isBrowser } from './party.ts'
import { reasonHeader } from './reason.ts'
import type { CallServices } from './services.ts'
import { Teller } from './teller.ts'

/** The last ACK comes after the end. */
const traceLingerMs = 1_000

export interface HouseCallOptions {
  readonly from: Party
  readonly to: Party
  /** How the caller is told whom it speaks with. */
  readonly present?: Presenter
  /** Whether the caller's audio is encrypted; as that of phones when left out. */
  readonly srtp?: SrtpMode
  /** The caller's codecs; those of phones when left out. */
  readonly codecs?: readonly string[]
}

export class HouseCall implements LiveCall {
  readonly id = newId()
  readonly from: Party
  readonly to: Party
  readonly log: Logger
  /** A digit was pressed, whichever way the phone sends them. */
  onDigit: (digit: string) => void = () => {}
  readonly #services: CallServices
  readonly #options: HouseCallOptions
  readonly #invite: IncomingInvite
  readonly #teller: Teller
  readonly #leg: Leg
  readonly #startedAtMs: number
  readonly #closed = Promise.withResolvers<void>()
  #answeredAtMs: number | undefined
  /** Why it ends, for its BYE. */
  #reasons: readonly string[] = []
  #ended = false

  constructor(invite: IncomingInvite, options: HouseCallOptions, services: CallServices) {
    const { from, to, present } = options
    this.#options = options
    this.from = from
    this.to = to
    this.#services = services
    this.#invite = invite
    this.log = services.log.child({ callId: this.id })
    this.#teller = new Teller(services.bus, services.clock, this.id)
    this.#startedAtMs = services.clock.wallMs()
    this.#leg = { ...legOf(invite, 'caller', from), state: 'calling', present }
    services.live.add(this)
    this.#teller.started(from, to)
    this.#teller.legStarted(this.#leg)
    invite.cancelled.addEventListener('abort', () => void this.finish('cancelled', 'caller'))
  }

  /** Resolves when the call is over and everything it used is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  get ended(): boolean {
    return this.#ended
  }

  /**
   * Answer it, with a port of this session.
   * @returns Undefined when it could not be answered, or is over already; its caller has been told.
   */
  async answer(session: MediaSession): Promise<MediaPort | undefined> {
    try {
      return await this.#answer(session)
    } catch (error) {
      if (error instanceof CallError) await this.#fail(error.code)
      else {
        this.log.error('a call could not be answered', { error: String(error) })
        await this.finish('failed')
      }
      return undefined
    }
  }

  async #answer(session: MediaSession): Promise<MediaPort | undefined> {
    const { advertisedIp, mediaIps, srtp, codecs, clock } = this.#services
    const rules = rulesFor(codecs, this.#options.codecs)
    const { offer } = readInvite(this.#invite, rules)
    const port = await session.openPort().catch((cause: unknown) => {
      throw new CallError('call.media-exhausted', { cause })
    })
    const host = advertisedIp(this.#invite.flow)
    const media = new LegMedia(port, host, {
      srtp: this.#options.srtp ?? srtp,
      browser: isBrowser(this.#invite),
      alsoAt: mediaIps,
      codecs: rules,
    })
    this.#leg.media = media
    if (this.#ended) {
      await port.close()
      return undefined
    }
    if (offer !== undefined) media.mustSuit(offer)
    const body = answerTo(this.#invite, media)
    const headers = this.#leg.present?.(this.to, host) ?? {}
    const dialog = this.#invite.answer({ headers, contentType: 'application/sdp', body })
    this.#answeredAtMs = clock.wallMs()
    this.#teller.answered(this.#leg.id)
    listenToLeg(this.#leg, dialog, media, {
      clock,
      log: this.log,
      teller: this.#teller,
      rtpTimeoutMs: this.#services.rtpTimeoutMs,
      gone: (_leg, why, reasons) => {
        this.#reasons = reasons
        void this.finish(why, 'caller')
      },
      refer: (_leg, _dialog, incoming) => incoming.respond(403),
      passesOn: () => false,
      described: () => {},
      digit: (_leg, digit) => this.onDigit(digit),
      relay: () => {},
      wanted: () => undefined,
      failed: (code) => void this.#fail(code),
    })
    return port
  }

  /** The caller gets the status of that reason. */
  async refuse(reason: EndReason): Promise<void> {
    await this.finish(reason)
  }

  async #fail(code: CallFailure): Promise<void> {
    const { text, sip } = callFailures[code]
    this.log.warn('a call failed', { code, text })
    await this.finish(reasonFor(code), undefined, sip)
  }

  end(reason: EndReason): Promise<void> {
    return this.finish(reason)
  }

  /** Ends the call once; later reasons change nothing. Resolves when all is closed. */
  async finish(reason: EndReason, by?: LegRole, status?: number): Promise<void> {
    if (this.#ended) return this.#closed.promise
    this.#ended = true
    const leg = this.#leg
    const sipStatus = this.#answeredAtMs === undefined ? (status ?? refusals[reason].status) : undefined
    // After a CANCEL the stack has sent the 487 already.
    if (sipStatus !== undefined && reason !== 'cancelled') this.#reject(sipStatus)
    leg.watch?.stop()
    leg.unlisten?.()
    const goodbye = leg.dialog?.bye(reasonHeader(this.#reasons))
    const stats = await leg.media?.port.close().catch(() => undefined)
    leg.state = 'ended'
    const quality = leg.quality ?? new LegQuality()
    this.#teller.legEnded(leg.id, stats ? { media: mediaSummary(stats, quality) } : {})
    this.#teller.ended(reason, sipStatus, by)
    this.#services.live.remove(this.id)
    await goodbye
    const tell = (): void => this.#teller.traced(this.messages())
    if (reason === 'shutdown') tell()
    else this.#services.clock.after(traceLingerMs, tell)
    this.#closed.resolve()
  }

  #reject(status: number): void {
    this.#invite.reject(status, status === 415 ? { headers: { Accept: 'application/sdp' } } : {})
  }

  snapshot(): LiveCallSnapshot {
    return {
      id: this.id,
      kind: 'pbx',
      from: this.from,
      to: this.to,
      startedAtMs: this.#startedAtMs,
      ...(this.#answeredAtMs !== undefined && { answeredAtMs: this.#answeredAtMs }),
      recording: false,
      legs: [liveLeg(this.#leg)],
    }
  }

  messages(): readonly TracedMessage[] {
    return this.#services.messages([this.#leg.sipCallId])
  }
}
