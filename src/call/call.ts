/**
 * A call between two phones: a back-to-back user agent. Each leg is a dialog of its own with its own Call-ID, tags and
 * CSeq, and a media port of its own; the ports are bridged, and recorded when asked.
 *
 *   caller ── INVITE ─▶  Call  ── INVITE ─▶  device, device, …   (Fork)
 *          ◀─ 200 ─────        ◀─ 200 ─────
 *          ══ RTP ════  media session  ════ RTP ══
 *
 * A feature (pbx/) makes it, then dials or refuses. The call ends once, by whoever is first, and closes all it opened.
 * Missing: transfer (REFER), music on hold, PRACK.
 */
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import type { EndReason, LegRole, Party, TracedMessage } from '../events/catalogue.ts'
import type { MediaPort, MediaSession } from '../media/types.ts'
import type { SdpFormat } from '../sdp/types.ts'
import { maxForwardsOf } from '../sip/message/fields.ts'
import { sessionDescriptionOf } from '../sip/message/multipart.ts'
import type { SipMessage, SipRequest, SipResponse } from '../sip/message/types.ts'
import { parseUri, printUri } from '../sip/message/uri.ts'
import type { Dialog, DialogEnd, Flow, IncomingInvite } from '../sip/stack.types.ts'
import { CallError, type CallFailure, callFailures, refusals } from './failures.ts'
import { type Attempt, type Destination, Fork, type ForkOutcome } from './fork.ts'
import { answerInDialog } from './in-dialog.ts'
import { type Leg, liveLeg, mediaSummary, remoteOf } from './leg.ts'
import { LegMedia, usableFormats } from './leg-media.ts'
import type { LiveCall, LiveCallSnapshot } from './live-calls.ts'
import { supportedFormats } from './rtp-audio.ts'
import type { CallRecording, CallServices } from './services.ts'
import { SilenceWatch } from './silence-watch.ts'
import { Teller } from './teller.ts'

/** The last ACK, and the 487 of phones that were cancelled, come after the end. */
const traceLingerMs = 1_000

export interface DialOptions {
  readonly destinations: readonly Destination[]
  readonly ringMs: number
  readonly record: boolean
  /** Beginning of the names of the recording's files. */
  readonly recordingName: string
}

/** The caller's media, and the description it offered; undefined when it wants us to offer. */
interface CallerSide {
  readonly media: LegMedia
  readonly offer: string | undefined
}

type Answered = Extract<ForkOutcome, { answered: true }>

export class Call implements LiveCall {
  readonly id = newId()
  readonly from: Party
  readonly to: Party
  readonly #services: CallServices
  readonly #log: Logger
  readonly #teller: Teller
  readonly #invite: IncomingInvite
  readonly #session: MediaSession
  readonly #caller: Leg
  readonly #startedAtMs: number
  readonly #closed = Promise.withResolvers<void>()
  #callee: Leg | undefined
  #answeredAtMs: number | undefined
  #fork: Fork | undefined
  #recording: CallRecording | undefined
  /** The answer given to the caller with early media; the 200 repeats it (RFC 3261 §13.2.1). */
  #earlyAnswer: string | undefined
  #ended = false

  constructor(invite: IncomingInvite, parties: { readonly from: Party; readonly to: Party }, services: CallServices) {
    this.from = parties.from
    this.to = parties.to
    this.#services = services
    this.#log = services.log.child({ callId: this.id })
    this.#teller = new Teller(services.bus, services.clock, this.id)
    this.#invite = invite
    this.#startedAtMs = services.clock.wallMs()
    this.#session = services.media.openSession(this.id)
    this.#session.on('lost', () => void this.#fail('call.media-lost'))
    this.#caller = {
      id: newId(),
      role: 'caller',
      party: parties.from,
      sipCallId: invite.request.headers.get('Call-ID') ?? '',
      transport: invite.flow.transport,
      remote: remoteOf(invite.flow),
      state: 'calling',
    }
    services.live.add(this)
    this.#teller.started(this.from, this.to)
    this.#teller.legStarted(this.#caller)
    invite.cancelled.addEventListener('abort', () => void this.#finish('cancelled', 'caller'))
  }

  /** Resolves when the call is over and everything it used is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Refuse the call: the caller gets the status of that reason. */
  async refuse(reason: EndReason): Promise<void> {
    await this.#finish(reason)
  }

  /** Ring these devices and connect the first that answers; else the call ends with the reason why not. */
  async dial(options: DialOptions): Promise<void> {
    if (this.#ended) return
    try {
      await this.#ring(options)
    } catch (error) {
      if (error instanceof CallError) return this.#fail(error.code)
      this.#log.error('a call could not be set up', { error: String(error) })
      await this.#finish('failed')
    }
  }

  async #ring(options: DialOptions): Promise<void> {
    const { stack, clock, advertisedIp } = this.#services
    // RFC 7332 §3: a call that comes back to us again and again ends, as it would at a proxy.
    const maxForwards = maxForwardsOf(this.#invite.request) ?? 70
    if (maxForwards === 0) throw new CallError('call.too-many-hops')
    const offer = this.#callerOffer()
    const formats = offer === undefined ? supportedFormats : usableFormats(offer)
    if (formats.length === 0) throw new CallError('call.no-common-codec')
    const media = new LegMedia(await this.#openPort(options.record), advertisedIp(this.#invite.flow))
    this.#caller.media = media
    const caller: CallerSide = { media, offer }
    const calleePort = await this.#openPort(options.record)
    if (this.#ended) return
    const fork = new Fork({
      stack,
      clock,
      teller: this.#teller,
      destinations: options.destinations,
      ringMs: options.ringMs,
      maxForwards: Math.min(maxForwards, 70) - 1,
      from: ({ target }) => this.#fromHeader(target.flow),
      offer: ({ target }) => offerTo(calleePort, advertisedIp(target.flow), formats),
      onProvisional: (attempt, response) => this.#provisional(attempt, response, caller),
    })
    this.#fork = fork
    const outcome = await fork.outcome
    if (!outcome.answered) return this.#finish(outcome.reason)
    if (this.#ended) return outcome.dialog.bye()
    this.#connect(outcome, caller, options)
  }

  /** The caller's description; undefined when it wants us to offer (its answer comes with the ACK). */
  #callerOffer(): string | undefined {
    const { request } = this.#invite
    const offered = sessionDescriptionOf(request)
    if (offered === 'none') throw new CallError('call.unknown-body')
    return offered?.sdp
  }

  async #openPort(recordedLater: boolean): Promise<MediaPort> {
    try {
      return await this.#session.openPort({ recordedLater })
    } catch (error) {
      throw new CallError('call.media-exhausted', { cause: error })
    }
  }

  #fromHeader(flow: Flow | undefined): string {
    const user = this.from.extension ?? parseUri(this.from.uri)?.user ?? 'anonymous'
    const host = this.#services.advertisedIp(flow)
    const name = this.from.name === undefined ? '' : `"${this.from.name.replace(/["\\]/g, '\\$&')}" `
    return `${name}<${printUri({ scheme: 'sip', user, host, params: new Map(), headers: new Map() })}>`
  }

  /** Ringing is passed on; a description with it is early media: an announcement, a ring tone from far away. */
  #provisional({ leg, media }: Attempt, response: SipResponse, { media: caller, offer }: CallerSide): void {
    if (this.#ended) return
    this.#teller.ringing(leg.id)
    const firstMedia = sdpOf(response) !== '' && offer !== undefined && this.#earlyAnswer === undefined
    if (firstMedia) this.#passEarlyMedia(media, response, caller, offer)
    if (this.#caller.state === 'calling' && this.#earlyAnswer === undefined) this.#invite.ring(180)
    this.#caller.state = 'ringing'
  }

  #passEarlyMedia(media: LegMedia, response: SipResponse, caller: LegMedia, offer: string): void {
    try {
      media.takeAnswer(sdpOf(response))
      const answer = caller.answer(offer, media.formats)
      this.#session.bridge(caller.port, media.port)
      this.#earlyAnswer = answer
      this.#invite.ring(183, { contentType: 'application/sdp', body: answer })
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      this.#log.warn('early media could not be passed on', { code: error.code })
    }
  }

  #connect({ attempt, dialog, response }: Answered, { media: caller, offer }: CallerSide, options: DialOptions): void {
    const { leg: callee, media } = attempt
    this.#callee = callee
    callee.media = media
    this.#listen(callee, dialog, media)
    media.takeAnswer(sdpOf(response))
    const body =
      this.#earlyAnswer ?? (offer === undefined ? caller.offer(media.formats) : caller.answer(offer, media.formats))
    // Ports that will be recorded keep what came last, so that no packet that overtook the answer is missing.
    if (options.record) this.#record(options.recordingName, [this.#caller, callee])
    if (this.#earlyAnswer === undefined) this.#session.bridge(caller.port, media.port)
    const callerDialog = this.#invite.answer({ contentType: 'application/sdp', body })
    this.#answeredAtMs = this.#services.clock.wallMs()
    this.#teller.answered(callee.id)
    this.#listen(this.#caller, callerDialog, caller)
  }

  /** An INVITE without an offer was answered with ours: the peer's answer is in the ACK (RFC 3261 §13.2.2.4, §14.2). */
  #takeAnswer(ack: SipRequest, media: LegMedia): void {
    if (!media.awaitsAnswer) return
    const stands = media.codec !== undefined
    try {
      media.takeAnswer(sdpOf(ack))
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      if (stands) this.#log.warn('an answer in an ACK was not taken', { code: error.code })
      else void this.#fail(error.code)
    }
  }

  #record(name: string, legs: readonly Leg[]): void {
    const tracks = legs.flatMap(({ media, id, role, party }) =>
      media ? [{ port: media.port, legId: id, role, party }] : [],
    )
    this.#recording = this.#services.recorder.start({ callId: this.id, name, tracks })
  }

  /** From now on the leg's dialog and port speak to this call. */
  #listen(leg: Leg, dialog: Dialog, media: LegMedia): void {
    const { clock, rtpTimeoutMs } = this.#services
    leg.dialog = dialog
    leg.state = 'answered'
    const onDigit = (digit: string, durationMs: number): void => this.#teller.legDigit(leg.id, digit, durationMs)
    dialog.on('ended', (end) => {
      leg.state = 'ended'
      void this.#finish(whyEnded(end), leg.role)
    })
    dialog.on('request', (incoming) => answerInDialog(incoming, { media, log: this.#log, onDigit }))
    dialog.on('ack', (ack) => this.#takeAnswer(ack, media))
    media.port.on('digit', ({ digit, durationMs }) => onDigit(digit, durationMs))
    media.port.on('media-started', ({ source, codec }) => this.#teller.legMediaStarted(leg.id, source, codec))
    this.#teller.legAnswered(leg)
    if (rtpTimeoutMs === 0) return
    leg.watch = new SilenceWatch({
      clock,
      port: media.port,
      dialog,
      rtpTimeoutMs,
      expectsPackets: () => media.expectsPackets,
      onVanished: () => void this.#finish('media-timeout', leg.role),
    })
  }

  async #fail(code: CallFailure): Promise<void> {
    const { text, sip } = callFailures[code]
    this.#log.warn('a call failed', { code, text })
    await this.#finish(code === 'call.no-common-codec' ? 'no-common-codec' : 'failed', undefined, sip)
  }

  end(reason: EndReason): Promise<void> {
    return this.#finish(reason)
  }

  /** Ends the call once; later reasons change nothing. Resolves when all is closed. */
  async #finish(reason: EndReason, by?: LegRole, status?: number): Promise<void> {
    if (this.#ended) return this.#closed.promise
    this.#ended = true
    const answered = this.#answeredAtMs !== undefined
    const sipStatus = answered ? undefined : (status ?? refusals[reason].status)
    // After a CANCEL the stack has sent the 487 already.
    if (sipStatus !== undefined && reason !== 'cancelled')
      this.#reject(sipStatus, status ? undefined : refusals[reason].reason)
    this.#fork?.cancel('cancelled')
    const legs = this.#callee ? [this.#caller, this.#callee] : [this.#caller]
    for (const { watch } of legs) watch?.stop()
    const goodbyes = legs.map(({ dialog }) => dialog?.bye())
    const stored = this.#recording?.stop()
    for (const leg of legs) {
      const stats = await leg.media?.port.close().catch(() => undefined)
      leg.state = 'ended'
      this.#teller.legEnded(leg.id, stats ? { media: mediaSummary(stats) } : {})
    }
    this.#teller.ended(reason, sipStatus, by)
    this.#services.live.remove(this.id)
    await Promise.allSettled([...goodbyes, stored, this.#session.close()])
    this.#tellTrace(reason === 'shutdown' ? 0 : traceLingerMs)
    this.#closed.resolve()
  }

  #tellTrace(afterMs: number): void {
    const tell = () => this.#teller.traced(this.messages())
    if (afterMs === 0) tell()
    else this.#services.clock.after(afterMs, tell)
  }

  #reject(status: number, reason: string | undefined): void {
    this.#invite.reject(status, reason === undefined ? {} : { reason })
  }

  /** The caller, then the callee, or all devices that ring. */
  get #legs(): readonly Leg[] {
    return [this.#caller, ...(this.#callee ? [this.#callee] : (this.#fork?.legs ?? []))]
  }

  snapshot(): LiveCallSnapshot {
    return {
      id: this.id,
      kind: 'pbx',
      from: this.from,
      to: this.to,
      startedAtMs: this.#startedAtMs,
      ...(this.#answeredAtMs !== undefined && { answeredAtMs: this.#answeredAtMs }),
      recording: this.#recording !== undefined,
      legs: this.#legs.map(liveLeg),
    }
  }

  messages(): readonly TracedMessage[] {
    const attempts = this.#fork?.legs ?? []
    return this.#services.messages([this.#caller, ...attempts].map(({ sipCallId }) => sipCallId))
  }
}

/** An answer without a description is one that cannot be read. */
function sdpOf(message: SipMessage): string {
  const described = sessionDescriptionOf(message)
  return typeof described === 'object' ? described.sdp : ''
}

/** Each device gets a description of its own over the one port that all of them share until one answers. */
function offerTo(port: MediaPort, ip: string, formats: readonly SdpFormat[]): { media: LegMedia; sdp: string } {
  const media = new LegMedia(port, ip)
  return { media, sdp: media.offer(formats) }
}

const whyEnded = ({ by }: DialogEnd): EndReason => (by === 'remote' || by === 'local' ? 'hangup' : 'media-timeout')
