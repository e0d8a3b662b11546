/**
 * A call between two phones: a back-to-back user agent. Each leg is a dialog of its own with its own Call-ID, tags and
 * CSeq, and a media port of its own; the ports are bridged, and recorded when asked.
 *
 *   caller ── INVITE ─▶  Call  ── INVITE ─▶  device, device, …   (Fork)
 *          ◀─ 200 ─────        ◀─ 200 ─────
 *          ══ RTP ════  media session  ════ RTP ══
 *
 * A feature (pbx/) makes it, then dials or refuses. The call ends once, by whoever is first, and closes all it opened.
 * A transfer (transfer-desk.ts) puts another leg in the place of one; the call goes on.
 */
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import type { EndReason, LegRole, Party, TracedMessage } from '../events/catalogue.ts'
import type { MediaPort } from '../media/types.ts'
import type { Replaces } from '../sip/dialog/refer.ts'
import { fromTag } from '../sip/message/fields.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Dialog, ExtraHeaders, Flow, IncomingInvite, InDialogRequest } from '../sip/stack.types.ts'
import { CallLegs } from './call-legs.ts'
import { CallMedia } from './call-media.ts'
import { CallerSide, readInvite } from './caller-side.ts'
import { firstOffer } from './codec-choice.ts'
import { type CodecRules, rulesFor } from './codec-rules.ts'
import { CallError, type CallFailure, callFailures, reasonFor, refusals } from './failures.ts'
import type { Fork } from './fork.ts'
import type { Attempt, Destination, ForkOutcome } from './fork.types.ts'
import { HoldMusic } from './hold-music.ts'
import { type Leg, legOf, mediaSummary, type Presenter, shown } from './leg.ts'
import type { SrtpMode } from './leg-crypto.ts'
import { handDigitOver, type PressedDigit } from './leg-digits.ts'
import { listenToLeg } from './leg-listener.ts'
import { LegMedia } from './leg-media.ts'
import { LegQuality } from './leg-quality.ts'
import type { LiveCall, LiveCallSnapshot } from './live-calls.ts'
import { isBrowser } from './party.ts'
import { reasonHeader, reasonsIn } from './reason.ts'
import type { RecordNotice } from './record-notice.ts'
import { type RingWish, ringDevices } from './ring-devices.ts'
import type { CallServices, RecordTo } from './services.ts'
import type { Side } from './side-streams.ts'
import { Teller } from './teller.ts'
import type { Onwards, PlacedLeg, RingOptions, TransferFact, TransferHost } from './transfer.ts'
import { isPlaced, TransferDesk } from './transfer-desk.ts'

/** The last ACK, and the 487 of phones that were cancelled, come after the end. */
const traceLingerMs = 1_000

export interface DialOptions {
  readonly destinations: readonly Destination[]
  readonly ringMs: number
  readonly record: boolean
  /** Recording servers elsewhere that it is sent to; none when left out. */
  readonly recordTo?: RecordTo
  /** Beginning of the names of the recording's files. */
  readonly recordingName: string
  /** Name of the trunk that it came in by. */
  readonly trunk?: string
  /** How the caller is told whom it speaks with; not at all when left out. */
  readonly present?: Presenter
  /** Where its parties may transfer it; nowhere when left out. */
  readonly onwards?: Onwards
  /** Whether the caller's audio is encrypted; as that of phones when left out. */
  readonly callerSrtp?: SrtpMode
  /** The caller's codecs, best first, as in `CodecRules`; those of phones when left out. */
  readonly callerCodecs?: readonly string[]
  /** What is done to the caller's voice; what is done to all when left out. */
  readonly callerVoice?: VoiceProcessing
}

/** What a Replaces may name in a call. */
export type Place =
  | { readonly state: 'ringing'; readonly fork: Fork }
  | { readonly state: 'talking'; readonly leg: Leg }
  | { readonly state: 'ended' }

type Answered = Extract<ForkOutcome, { answered: true }>

/** Hops of a call that a party of it sent on (RFC 3261 §8.1.1.6). */
const newMaxForwards = 70

export class Call implements LiveCall, TransferHost {
  readonly id = newId()
  readonly from: Party
  readonly to: Party
  readonly #services: CallServices
  readonly log: Logger
  readonly #teller: Teller
  readonly #invite: IncomingInvite
  readonly #media: CallMedia
  readonly #startedAtMs: number
  readonly #closed = Promise.withResolvers<void>()
  readonly #legs: CallLegs
  readonly #holdMusic: HoldMusic
  #transfers: TransferDesk | undefined
  /** Who is heard before the answer. */
  #announcing: LegMedia | undefined
  /** A leg whose place is about to be taken by one of another call. */
  #spared: Leg | undefined
  #options: DialOptions | undefined
  #answeredAtMs: number | undefined
  /** What the side that ended it said of it. */
  #reasons: readonly string[] = []
  #ended = false

  constructor(invite: IncomingInvite, parties: { readonly from: Party; readonly to: Party }, services: CallServices) {
    this.from = parties.from
    this.to = parties.to
    this.#services = services
    this.log = services.log.child({ callId: this.id })
    this.#teller = new Teller(services.bus, services.clock, this.id)
    this.#invite = invite
    this.#startedAtMs = services.clock.wallMs()
    this.#media = new CallMedia(this.id, services, this.log, () => void this.#fail('call.media-lost'))
    this.#legs = new CallLegs({ ...legOf(invite, 'caller', parties.from), state: 'calling' })
    this.#holdMusic = new HoldMusic(services.holdMusic ?? [], this.log)
    services.live.add(this)
    this.#teller.started(this.from, this.to)
    this.#teller.legStarted(this.#legs.caller)
    invite.cancelled.addEventListener('abort', () => {
      const { cancelledBy } = invite
      void this.#finishFor(cancelledBy ? reasonsIn(cancelledBy) : [], 'cancelled', 'caller')
    })
  }

  /** Resolves when the call is over and everything it used is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Refuse the call: the caller gets the status of that reason. */
  async refuse(reason: EndReason): Promise<void> {
    await this.finish(reason)
  }

  /** Ring these devices and connect the first that answers; else the call ends with the reason why not. */
  async dial(options: DialOptions): Promise<void> {
    if (this.#ended) return
    this.#options = options
    this.#legs.caller.present = options.present
    const otherCalls = () =>
      this.#services.live.list().flatMap((call) => (call instanceof Call && call !== this ? [call] : []))
    this.#transfers = new TransferDesk({ host: this, onwards: options.onwards, otherCalls })
    try {
      await this.#ring(options)
    } catch (error) {
      if (error instanceof CallError) return this.#fail(error.code)
      this.log.error('a call could not be set up', { error: String(error) })
      await this.finish('failed')
    }
  }

  async #ring(options: DialOptions): Promise<void> {
    const { destinations, ringMs, record, recordingName, callerSrtp, callerCodecs, callerVoice } = options
    const { advertisedIp, srtp, mediaIps } = this.#services
    const codecs = this.codecsFor(callerCodecs)
    const { offer, wanted, maxForwards } = readInvite(this.#invite, codecs)
    const [callerPort, port] = await Promise.all([this.openPort(record), this.openPort(record)])
    const media = new LegMedia(callerPort, advertisedIp(this.#invite.flow), {
      srtp: callerSrtp ?? srtp,
      browser: isBrowser(this.#invite),
      alsoAt: mediaIps,
      codecs,
      ...(callerVoice && { voice: callerVoice }),
    })
    if (offer !== undefined) media.mustSuit(offer)
    await this.#media.streams.open(offer, media)
    this.#legs.caller.media = media
    const caller = new CallerSide(this.#invite, offer, media)
    const { id } = this.#legs.caller
    this.#legs.caller.unlisten = caller.listen(
      this.log,
      ({ digit, durationMs }) => this.#teller.legDigit(id, digit, durationMs),
      (info, pressed) => void handDigitOver(pressed, info, this.#legs.callee ?? { media: this.#announcing }, this.log),
    )
    if (this.#ended) return
    const fork = this.#fork({
      port,
      wanted,
      beside: this.#media.streams.at('callee'),
      from: this.from,
      destinations,
      ringMs,
      maxForwards,
      onProvisional: (attempt, described) => this.#provisional(attempt, described, caller),
    })
    const outcome = await fork.outcome
    if (!outcome.answered) return this.#finishFor(outcome.reasons, outcome.reason)
    if (this.#ended) return outcome.dialog.bye()
    this.#connect(outcome, caller, record ? recordingName : undefined)
  }

  #fork(wish: RingWish): Fork {
    const fork = ringDevices({ services: this.#services, log: this.log, teller: this.#teller }, wish)
    this.#legs.rings(fork)
    return fork
  }

  #passesOn(leg: Leg, incoming: InDialogRequest): boolean {
    const other = this.otherThan(leg)
    if (!isPlaced(leg) || !isPlaced(other) || !this.holds(leg)) return false
    return this.#media.streams.passesOn(incoming, this.#sideOf(leg), leg, other)
  }

  openPort(recordedLater: boolean): Promise<MediaPort> {
    return this.#media.openPort(recordedLater)
  }

  /**
   * Who rings or answers, for the caller (RFC 3325 §9.1). It keeps the number it dialled for somebody private, and for
   * somebody outside who says nothing of himself.
   */
  #introduceToCaller(leg: Leg): ExtraHeaders {
    const who = leg.party.extension === undefined ? leg.shownAs : shown(leg)
    const { present } = this.#legs.caller
    return present && who && !who.private ? present(who, this.advertisedIp(this.#invite.flow)) : {}
  }

  /** Ringing is passed on; a description with it is early media: an announcement, a ring tone from far away. */
  #provisional(attempt: Attempt, described: string, caller: CallerSide): void {
    if (this.#ended) return
    if (described !== '' && caller.takesEarlyMedia) this.#passEarlyMedia(attempt, described, caller)
    caller.ring(this.#introduceToCaller(attempt.leg))
    this.#legs.caller.state = 'ringing'
  }

  #passEarlyMedia({ leg, media }: Attempt, described: string, caller: CallerSide): void {
    try {
      media.takeAnswer(described)
      this.#announcing = media
      const bridge = () => this.#media.bridge(caller.media.port, media.port)
      caller.passEarlyMedia(media.wishes, bridge, this.#introduceToCaller(leg))
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      this.log.warn('early media could not be passed on', { code: error.code })
    }
  }

  /** @param recordAs Name of the recording, if one is made. */
  #connect({ attempt, dialog, sdp }: Answered, caller: CallerSide, recordAs: string | undefined): void {
    const { leg: callee, media, earlyAnswer = '', renegotiated = false } = attempt
    this.#legs.callee = callee
    callee.media = media
    // Whatever comes of the descriptions, it is hung up with the call.
    callee.dialog = dialog
    const description = this.#media.together(() => {
      media.takeFinal(sdp, earlyAnswer, renegotiated)
      this.#changed()
      if (recordAs !== undefined) this.notice.here('on')
      const told = caller.describe(media.wishes)
      if (recordAs !== undefined) this.#media.record(recordAs, [this.#legs.caller, callee], this.#options?.trunk)
      if (!caller.hearsEarlyMedia) this.#media.bridge(caller.media.port, media.port)
      return told
    })
    this.#listen(callee, dialog, media)
    this.#legs.caller.unlisten?.()
    const callerDialog = caller.answer(description, this.#introduceToCaller(callee))
    this.#answeredAtMs = this.#services.clock.wallMs()
    this.#teller.answered(callee.id)
    this.#listen(this.#legs.caller, callerDialog, caller.media)
    this.sendTo(this.#options?.recordTo ?? [])
    this.notice.update()
  }

  get notice(): RecordNotice {
    return this.#media.notice
  }

  /** Where the call is sent to be recorded, by servers elsewhere. */
  get sentTo(): RecordTo {
    return this.#media.sentTo
  }

  /** Have it recorded there, and nowhere else any more. @returns False when nobody has answered yet, or it is over. */
  sendTo(servers: RecordTo): boolean {
    const { caller, callee } = this.#legs
    if (this.#ended || !callee?.dialog) return false
    if (servers.length > 0 || this.#media.sentTo.length > 0) this.#media.send(servers, [caller, callee])
    return true
  }

  #changed(): void {
    const { caller, callee } = this.#legs
    this.#media.changed(callee ? [caller, callee] : [caller])
  }

  #listen(leg: Leg, dialog: Dialog, media: LegMedia): void {
    const { clock, rtpTimeoutMs } = this.#services
    listenToLeg(leg, dialog, media, {
      clock,
      rtpTimeoutMs,
      log: this.log,
      teller: this.#teller,
      gone: (gone, why, reasons) => this.#gone(gone, why, reasons),
      passesOn: (by, incoming) => this.#passesOn(by, incoming),
      refer: (by, of, incoming) => this.#transfers?.refer(by, of, incoming),
      described: (by) => {
        this.#holdMusic.update(by, this.otherThan(by))
        this.#changed()
      },
      relay: (from, info, pressed) => this.#relay(from, info, pressed),
      wanted: () => this.#legs.otherThan(leg)?.media?.wishes,
      failed: (code) => void this.#fail(code),
    })
  }

  #relay(from: Leg, info: SipRequest, pressed: PressedDigit | undefined): void {
    const other = this.otherThan(from)
    if (other) void handDigitOver(pressed, info, other, this.log)
  }

  /** A leg is over, and the call with it; but a transferer may go before its transfer is done. */
  #gone(leg: Leg, why: EndReason, reasons: readonly string[]): void {
    leg.state = 'ended'
    if (this.#transfers?.by === leg || this.#spared === leg) void this.leave(leg, 'bye')
    else void this.#finishFor(reasons, why, leg.role)
  }

  legAt({ callId, tags }: Replaces): Leg | undefined {
    const { caller, callee } = this.#legs
    const isNamed = (leg: Leg, theirTag: string | undefined): boolean =>
      leg.sipCallId === callId && theirTag !== undefined && tags.includes(theirTag)
    if (isNamed(caller, caller.dialog ? caller.dialog.id.remoteTag : fromTag(this.#invite.request))) return caller
    return callee && isNamed(callee, callee.dialog?.id.remoteTag) ? callee : undefined
  }

  /** The place that an INVITE with Replaces asks for (RFC 3891 §3). Who watches a call knows it by our own id. */
  placeAt(replaces: Replaces): Place | undefined {
    const leg = this.#legs.named(replaces)
    if (leg) return { state: 'talking', leg }
    const { ringing } = this.#legs
    if (ringing && (replaces.callId === this.id || ringing.ringingAs(replaces)))
      return { state: 'ringing', fork: ringing }
    return this.#legs.leftAs(replaces) && { state: 'ended' }
  }

  spare(leg: Leg | undefined): void {
    const before = this.#spared
    this.#spared = leg
    // It went, and nobody took its place.
    if (before && this.#legs.isVacant(before)) void this.finish('hangup', before.role)
  }

  holds(leg: Leg): boolean {
    return this.#legs.holds(leg)
  }

  get ended(): boolean {
    return this.#ended
  }

  get transferring(): boolean {
    return this.#transfers?.by !== undefined
  }

  get recorded(): boolean {
    return this.#media.recorded
  }

  /** Of phones. */
  get srtp(): SrtpMode {
    return this.#services.srtp
  }

  /** @param own Of a leg that has codecs of its own. */
  codecsFor(own?: readonly string[]): CodecRules {
    return rulesFor(this.#services.codecs, own)
  }

  get mediaIps(): (() => readonly string[]) | undefined {
    return this.#services.mediaIps
  }

  advertisedIp(flow: Flow): string {
    return this.#services.advertisedIp(flow)
  }

  otherThan(leg: Leg): Leg | undefined {
    return this.#legs.otherThan(leg)
  }

  ring({ route, port, role, from, referredBy, onRinging }: RingOptions): Fork {
    const { destinations, ringMs } = route
    const stays = this.#legs.on(role === 'caller' ? 'callee' : 'caller')
    return this.#fork({
      port,
      wanted: stays?.media?.wishes ?? { formats: firstOffer(this.codecsFor()) },
      from,
      destinations,
      ringMs,
      maxForwards: newMaxForwards,
      role,
      ...(!referredBy.private && { referredBy }),
      onProvisional: onRinging,
    })
  }

  replace(leg: Leg, next: PlacedLeg, { kind, record, recordTo = [], fromCallId }: TransferFact): void {
    const stays = this.otherThan(leg)
    this.#legs.replace(leg, next)
    leg.media?.leaveStreams()
    if (fromCallId !== undefined || kind === 'replaced') this.#teller.legStarted(next)
    if (this.recorded) this.#media.recordInstead(leg, next)
    else if (record && stays && this.#options)
      this.#media.record(this.#options.recordingName, [stays, next], this.#options.trunk)
    if (this.sentTo.length === 0 && recordTo.length > 0) this.sendTo(recordTo)
    if (stays?.media) this.#media.bridge(stays.media.port, next.media.port)
    this.#holdMusic.stop(leg)
    this.#holdMusic.update(next, stays)
    if (stays) this.#holdMusic.update(stays, next)
    if (stays) this.#tellConnected(stays, next)
    this.#teller.transferred(leg.id, next.id, kind, fromCallId)
    this.#listen(next, next.dialog, next.media)
    this.#changed()
    const stand = (): boolean => !this.#ended && this.holds(next) && stays !== undefined && this.holds(stays)
    if (isPlaced(stays)) this.#media.streams.carryOn(stays, this.#sideOf(stays), next, stand)
  }

  /** Whoever stays speaks with somebody else now. */
  #tellConnected({ present, dialog }: Leg, next: Leg): void {
    if (!present || !dialog) return
    const headers = present(shown(next), this.advertisedIp(dialog.flow))
    if (Object.keys(headers).length > 0) void dialog.tell(headers)
  }

  #sideOf(leg: Leg): Side {
    return leg === this.#legs.caller ? 'caller' : 'callee'
  }

  async leave(leg: Leg, how: 'bye' | 'moved'): Promise<void> {
    if (!this.#legs.leave(leg)) return
    leg.unlisten?.()
    leg.watch?.stop()
    this.#media.endTrack(leg)
    this.#holdMusic.stop(leg)
    if (how === 'bye') void leg.dialog?.bye()
    await this.#endLeg(leg)
  }

  async #endLeg(leg: Leg): Promise<void> {
    const stats = await leg.media?.port.close().catch(() => undefined)
    leg.state = 'ended'
    this.#teller.legEnded(leg.id, stats ? { media: mediaSummary(stats, leg.quality ?? new LegQuality()) } : {})
  }

  async #fail(code: CallFailure): Promise<void> {
    const { text, sip } = callFailures[code]
    this.log.warn('a call failed', { code, text })
    await this.finish(reasonFor(code), undefined, sip)
  }

  end(reason: EndReason): Promise<void> {
    return this.finish(reason)
  }

  /** With what one side said of it, to be told to the other (RFC 3326). */
  #finishFor(reasons: readonly string[], reason: EndReason, by?: LegRole): Promise<void> {
    if (!this.#ended) this.#reasons = reasons
    return this.finish(reason, by)
  }

  /** Ends the call once; later reasons change nothing. Resolves when all is closed. */
  async finish(reason: EndReason, by?: LegRole, status?: number): Promise<void> {
    if (this.#ended) return this.#closed.promise
    this.#ended = true
    const answered = this.#answeredAtMs !== undefined
    const sipStatus = answered ? undefined : (status ?? refusals[reason].status)
    // After a CANCEL the stack has sent the 487 already.
    if (sipStatus !== undefined && reason !== 'cancelled')
      this.#reject(sipStatus, status ? undefined : refusals[reason].reason)
    for (const fork of this.#legs.forks) fork.cancel(reason === 'transferred' ? reason : 'cancelled', this.#reasons)
    const present = [this.#legs.caller, this.#legs.callee, this.#transfers?.by].filter((leg) => leg !== undefined)
    const legs = present.filter((leg) => this.#legs.leave(leg))
    for (const { watch } of legs) watch?.stop()
    const goodbyes = legs.map(({ dialog }) => dialog?.bye(reasonHeader(this.#reasons)))
    this.#media.stopRecording()
    await Promise.all(legs.map((leg) => this.#endLeg(leg)))
    this.#teller.ended(reason, sipStatus, by)
    this.#services.live.remove(this.id)
    await Promise.allSettled([...goodbyes, this.#media.close()])
    this.#tellTrace(reason === 'shutdown' ? 0 : traceLingerMs)
    this.#closed.resolve()
  }

  #tellTrace(afterMs: number): void {
    const tell = () => this.#teller.traced(this.messages())
    if (afterMs === 0) tell()
    else this.#services.clock.after(afterMs, tell)
  }

  #reject(status: number, reason: string | undefined): void {
    const why = reasonHeader(this.#reasons)
    // RFC 3261 §21.4.13: what would have been read.
    const headers = { ...why.headers, ...(status === 415 && { Accept: 'application/sdp' }) }
    this.#invite.reject(status, { headers, ...(reason !== undefined && { reason }) })
  }

  snapshot(): LiveCallSnapshot {
    return {
      id: this.id,
      kind: 'pbx',
      from: this.from,
      to: this.to,
      startedAtMs: this.#startedAtMs,
      ...(this.#answeredAtMs !== undefined && { answeredAtMs: this.#answeredAtMs }),
      recording: this.recorded,
      legs: this.#legs.live(),
    }
  }

  messages(): readonly TracedMessage[] {
    return this.#services.messages(this.#legs.sipCallIds)
  }
}
