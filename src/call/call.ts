/**
 * A call between two phones: a back-to-back user agent. Each leg is a dialog of its own with its own Call-ID, tags and
 * CSeq, and a media port of its own; the ports are bridged, and recorded when asked.
 *
 *   caller ── INVITE ─▶  Call  ── INVITE ─▶  device, device, …   (Fork)
 *          ◀─ 200 ─────        ◀─ 200 ─────
 *          ══ RTP ════  media session  ════ RTP ══
 *
 * A feature (pbx/) accepts it, then dials or refuses. The call ends once, by whoever is first, and closes all it opened.
 * Missing: transfer (REFER), music on hold, PRACK.
 */
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import type { EndReason, LegRole, Party, TracedMessage } from '../events/catalogue.ts'
import type { MediaPort, MediaSession } from '../media/types.ts'
import { contentTypeOf } from '../sip/message/fields.ts'
import type { SipResponse } from '../sip/message/types.ts'
import type { Dialog, Flow, IncomingInvite } from '../sip/stack.types.ts'
import { CallError, type CallFailure, callFailures, refusals } from './failures.ts'
import { type Attempt, type Destination, Fork } from './fork.ts'
import { answerInDialog } from './in-dialog.ts'
import { LegMedia, supportedFormats, usableFormats } from './leg-media.ts'
import type { LiveCall, LiveCallSnapshot, LiveLeg } from './live-calls.ts'
import type { CallRecording, CallServices } from './services.ts'
import { SilenceWatch } from './silence-watch.ts'

export interface DialOptions {
  readonly destinations: readonly Destination[]
  readonly ringMs: number
  readonly record: boolean
  /** Beginning of the names of the recording's files. */
  readonly recordingName: string
}

interface Leg {
  readonly id: string
  readonly role: LegRole
  readonly party: Party
  readonly sipCallId: string
  readonly flow: Flow | undefined
  state: LiveLeg['state']
  media?: LegMedia
  dialog?: Dialog
  watch?: SilenceWatch
}

export class Call implements LiveCall {
  readonly id = newId()
  readonly from: Party
  readonly to: Party
  readonly #services: CallServices
  readonly #log: Logger
  readonly #invite: IncomingInvite
  readonly #session: MediaSession
  readonly #caller: Leg
  readonly #legs: Leg[] = []
  readonly #sipCallIds = new Set<string>()
  readonly #startedAtMs: number
  readonly #closed = Promise.withResolvers<void>()
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
    this.#invite = invite
    this.#startedAtMs = services.clock.wallMs()
    this.#session = services.media.openSession(this.id)
    this.#session.on('lost', () => void this.end('failed'))
    const sipCallId = invite.request.headers.get('Call-ID') ?? ''
    this.#caller = { id: newId(), role: 'caller', party: parties.from, sipCallId, flow: invite.flow, state: 'calling' }
    this.#legs.push(this.#caller)
    this.#sipCallIds.add(sipCallId)
    services.live.add(this)
    this.#tellStarted()
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
      return this.#finish('failed')
    }
  }

  async #ring(options: DialOptions): Promise<void> {
    const offer = this.#callerOffer()
    const formats = offer === undefined ? supportedFormats : usableFormats(offer)
    if (formats.length === 0) throw new CallError('call.no-common-codec')
    this.#caller.media = new LegMedia(await this.#openPort(), this.#services.advertisedIp(this.#invite.flow))
    const calleePort = await this.#openPort()
    if (this.#ended) return
    const media = new Map<string, LegMedia>()
    const mediaFor = (destination: Destination): LegMedia =>
      new LegMedia(calleePort, this.#services.advertisedIp(destination.target.flow))
    const offered = new Map<Destination, LegMedia>()
    this.#fork = new Fork(this.#services, {
      callId: this.id,
      destinations: options.destinations,
      ringMs: options.ringMs,
      from: ({ target }) => this.#fromHeader(target.flow),
      offer: (destination) => {
        const leg = mediaFor(destination)
        offered.set(destination, leg)
        return leg.offer(formats)
      },
      onProvisional: (attempt, response) => {
        const legMedia = offered.get(attempt.destination)
        if (legMedia) media.set(attempt.legId, legMedia)
        this.#provisional(attempt, response, legMedia, offer)
      },
    })
    for (const sipCallId of this.#fork.sipCallIds) this.#sipCallIds.add(sipCallId)
    const outcome = await this.#fork.outcome
    if (this.#ended) {
      if (outcome.answered) await outcome.dialog.bye()
      return
    }
    if (!outcome.answered) return this.#finish(outcome.reason)
    const legMedia = offered.get(outcome.attempt.destination)
    if (!legMedia) throw new Error('a device answered that was not asked')
    this.#connect(outcome.attempt, outcome.dialog, outcome.response, legMedia, offer, options)
  }

  /** The caller's description; undefined when it wants us to offer (its answer comes with the ACK). */
  #callerOffer(): string | undefined {
    const { request } = this.#invite
    if (request.body.length === 0) return undefined
    if (contentTypeOf(request)?.type !== 'application/sdp') throw new CallError('call.bad-offer')
    return Buffer.from(request.body).toString('utf8')
  }

  async #openPort(): Promise<MediaPort> {
    try {
      return await this.#session.openPort()
    } catch (error) {
      throw new CallError('call.media-exhausted', { cause: error })
    }
  }

  #fromHeader(flow: Flow | undefined): string {
    const user = this.from.extension ?? /^[a-z]+:([^@;]+)/i.exec(this.from.uri)?.[1] ?? 'anonymous'
    const host = this.#services.advertisedIp(flow)
    const name = this.from.name ? `"${this.from.name.replace(/["\\]/g, '\\$&')}" ` : ''
    return `${name}<sip:${user}@${host.includes(':') ? `[${host}]` : host}>`
  }

  /** 180 is passed on; a description with it is early media: an announcement, a ring tone from far away. */
  #provisional(attempt: Attempt, response: SipResponse, media: LegMedia | undefined, offer: string | undefined): void {
    if (this.#ended) return
    this.#services.bus.publish({
      name: 'call.ringing',
      atMs: this.#services.clock.wallMs(),
      callId: this.id,
      legId: attempt.legId,
    })
    const hasMedia = response.body.length > 0 && offer !== undefined && media !== undefined
    if (!hasMedia || this.#earlyAnswer !== undefined) {
      if (this.#earlyAnswer === undefined && this.#caller.state === 'calling') this.#invite.ring(180)
      this.#caller.state = 'ringing'
      return
    }
    try {
      media.takeAnswer(Buffer.from(response.body).toString('utf8'))
      const answer = this.#callerMedia().answer(offer, media.formats)
      this.#earlyAnswer = answer
      this.#session.bridge(this.#callerMedia().port, media.port)
      this.#invite.ring(183, { contentType: 'application/sdp', body: answer })
    } catch (error) {
      this.#log.warn('early media could not be passed on', { error: String(error) })
      this.#invite.ring(180)
    }
    this.#caller.state = 'ringing'
  }

  #callerMedia(): LegMedia {
    if (!this.#caller.media) throw new Error('the caller has no port yet')
    return this.#caller.media
  }

  #connect(
    attempt: Attempt,
    dialog: Dialog,
    response: SipResponse,
    media: LegMedia,
    offer: string | undefined,
    options: DialOptions,
  ): void {
    const { destination, legId, invite } = attempt
    const callee: Leg = {
      id: legId,
      role: 'callee',
      party: destination.party,
      sipCallId: invite.sipCallId,
      flow: dialog.flow,
      state: 'answered',
      media,
      dialog,
    }
    this.#legs.push(callee)
    this.#listen(callee, dialog)
    media.takeAnswer(Buffer.from(response.body).toString('utf8'))
    const caller = this.#callerMedia()
    const body =
      this.#earlyAnswer ?? (offer === undefined ? caller.offer(media.formats) : caller.answer(offer, media.formats))
    if (this.#earlyAnswer === undefined) this.#session.bridge(caller.port, media.port)
    if (options.record) this.#record(options.recordingName, callee)
    const callerDialog = this.#invite.answer({ contentType: 'application/sdp', body })
    this.#caller.dialog = callerDialog
    this.#caller.state = 'answered'
    this.#answeredAtMs = this.#services.clock.wallMs()
    this.#listen(this.#caller, callerDialog)
    this.#tellAnswered(callee)
    if (offer === undefined) void this.#takeLateAnswer(callerDialog, caller)
  }

  /** The caller left the offer to us: its answer is in the ACK (RFC 3261 §13.2.2.4). */
  async #takeLateAnswer(dialog: Dialog, media: LegMedia): Promise<void> {
    try {
      const ack = await dialog.acknowledged
      media.takeAnswer(Buffer.from(ack?.body ?? '').toString('utf8'))
    } catch (error) {
      if (error instanceof CallError) await this.#fail(error.code)
    }
  }

  #record(name: string, callee: Leg): void {
    const tracks = [this.#caller, callee].flatMap((leg) =>
      leg.media ? [{ port: leg.media.port, legId: leg.id, role: leg.role, party: leg.party }] : [],
    )
    this.#recording = this.#services.recorder.start({ callId: this.id, name, tracks })
  }

  #listen(leg: Leg, dialog: Dialog): void {
    const { media } = leg
    if (!media) return
    const { clock, bus, rtpTimeoutMs, stack } = this.#services
    const onDigit = (digit: string, durationMs: number): void =>
      bus.publish({ name: 'leg.digit', atMs: clock.wallMs(), callId: this.id, legId: leg.id, digit, durationMs })
    dialog.on('ended', (end) => {
      leg.state = 'ended'
      const vanished = end.by === 'timeout' || end.by === 'no-ack' || end.by === 'gone' || end.by === 'transport'
      void this.#finish(vanished ? 'media-timeout' : 'hangup', leg.role)
    })
    dialog.on('request', (incoming) =>
      answerInDialog(incoming, { dialog, media, log: this.#log, contact: stack.contact(dialog.flow), onDigit }),
    )
    media.port.on('digit', ({ digit, durationMs }) => onDigit(digit, durationMs))
    media.port.on('media-started', ({ source, codec }) =>
      bus.publish({ name: 'leg.media-started', atMs: clock.wallMs(), callId: this.id, legId: leg.id, source, codec }),
    )
    if (rtpTimeoutMs > 0)
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
    this.#log.warn('a call failed', { code, text: callFailures[code].text })
    if (code === 'call.no-common-codec') return this.#finish('no-common-codec')
    return this.#finish('failed', undefined, callFailures[code].sip)
  }

  end(reason: EndReason): Promise<void> {
    return this.#finish(reason)
  }

  /** Ends the call once; later reasons change nothing. Resolves when all is closed. */
  async #finish(reason: EndReason, by?: LegRole, status?: number): Promise<void> {
    if (this.#ended) return this.#closed.promise
    this.#ended = true
    this.#fork?.cancel('cancelled')
    for (const leg of this.#legs) leg.watch?.stop()
    const sipStatus = this.#answeredAtMs === undefined ? (status ?? refusals[reason].status) : undefined
    if (sipStatus !== undefined && reason !== 'cancelled') {
      const text = status === undefined ? refusals[reason].reason : undefined
      this.#invite.reject(sipStatus, text === undefined ? {} : { reason: text })
    }
    const goodbyes = this.#legs.map((leg) => leg.dialog?.bye())
    const stored = this.#recording?.stop()
    await this.#tellLegsEnded()
    this.#services.bus.publish({
      name: 'call.ended',
      atMs: this.#services.clock.wallMs(),
      callId: this.id,
      reason,
      ...(sipStatus !== undefined && { sipStatus }),
      ...(by && { by }),
    })
    this.#services.live.remove(this.id)
    await Promise.allSettled([...goodbyes, stored, this.#session.close()])
    this.#services.bus.publish({
      name: 'call.traced',
      atMs: this.#services.clock.wallMs(),
      callId: this.id,
      messages: this.messages(),
    })
    this.#closed.resolve()
  }

  async #tellLegsEnded(): Promise<void> {
    const stats = await Promise.all(this.#legs.map(async (leg) => leg.media?.port.close().catch(() => undefined)))
    for (const [index, leg] of this.#legs.entries()) {
      const media = stats[index]
      this.#services.bus.publish({
        name: 'leg.ended',
        atMs: this.#services.clock.wallMs(),
        callId: this.id,
        legId: leg.id,
        ...(media && {
          media: {
            packetsReceived: media.packetsReceived,
            packetsLost: media.packetsLost,
            packetsSent: media.packetsSent,
            jitterMs: media.jitterMs,
            ...(media.codec && { codec: media.codec }),
            ...(media.source && { source: media.source }),
          },
        }),
      })
    }
  }

  #tellStarted(): void {
    const { bus, clock } = this.#services
    const atMs = clock.wallMs()
    bus.publish({ name: 'call.started', atMs, callId: this.id, kind: 'pbx', from: this.from, to: this.to })
    const { flow } = this.#invite
    bus.publish({
      name: 'leg.started',
      atMs,
      callId: this.id,
      legId: this.#caller.id,
      role: 'caller',
      party: this.from,
      sipCallId: this.#caller.sipCallId,
      transport: flow.transport,
      remote: `${flow.remote.ip}:${flow.remote.port}`,
    })
  }

  #tellAnswered(callee: Leg): void {
    const { bus, clock } = this.#services
    const atMs = clock.wallMs()
    bus.publish({ name: 'call.answered', atMs, callId: this.id, legId: callee.id })
    for (const leg of [this.#caller, callee]) {
      const codec = leg.media?.codec
      bus.publish({ name: 'leg.answered', atMs, callId: this.id, legId: leg.id, ...(codec && { codec }) })
    }
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
    return this.#services.messages([...this.#sipCallIds])
  }
}

function liveLeg({ id, role, party, state, sipCallId, flow, media }: Leg): LiveLeg {
  const codec = media?.codec
  return {
    id,
    role,
    party,
    state,
    sipCallId,
    transport: flow?.transport ?? 'udp',
    remote: flow ? `${flow.remote.ip}:${flow.remote.port}` : '',
    ...(codec && { codec }),
  }
}
