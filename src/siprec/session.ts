/**
 * One recording session (RS): a dialog with a recording client, its streams, and the recording they become.
 *
 *   SiprecServer ── INVITE ─▶  RecordingSession ─▶ session/parts.ts
 *   client ── re-INVITE, UPDATE, BYE ─▶   │         ├─ streams.ts            ports
 *                                         │         ├─ session/exchange.ts   offers and answers
 *                                         │         ├─ session/recorded.ts   people, and the recording
 *                                         │         └─ session/facts.ts      what is told of it
 *                                         └─ session/limits.ts     what ends it when nobody does
 *
 * Here is how it lives: begun by the client, ordered by us (session/order.ts) or taken up after a restart
 * (session/resume.ts), changed, ended. Metadata never costs audio: what is wrong with it is told in
 * `siprec.metadata-updated`, and recording goes on. RFC 7866 §6-9.
 */
import type { LiveCall, LiveCallSnapshot } from '../call/live-calls.ts'
import { reasonHeader } from '../call/reason.ts'
import type { EndReason, LegRole, TracedMessage } from '../events/catalogue.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Dialog, InDialogRequest } from '../sip/stack.types.ts'
import { isSiprec, readBody } from './body.ts'
import { refusalOf, SiprecError, type SiprecFailure, siprecFailures } from './failures.ts'
import { metadataOf } from './metadata/from-request.ts'
import type { MetadataDocument } from './metadata/model.ts'
import { type Offer, unsaidOffer } from './offer.ts'
import { dialects } from './peers/dialects.ts'
import { SessionLimits } from './session/limits.ts'
import { askForSession, orderedStreams, takeOrdered } from './session/order.ts'
import { createParts, type SessionParts } from './session/parts.ts'
import { checkpointOf, goOn } from './session/resume.ts'
import type { Guest, SessionInvite, SessionServices, SessionSettings } from './session/types.ts'
import type { Stream } from './streams.ts'
import type { Checkpoint } from './survival/checkpoint.ts'

export class RecordingSession implements LiveCall {
  readonly id: string
  readonly #parts: SessionParts
  readonly #closed = Promise.withResolvers<void>()
  #dialog: Dialog | undefined
  #limits: SessionLimits | undefined
  #answeredAtMs: number | undefined
  #started = false
  /** Handed over to the process after this one. */
  #left = false
  #ended = false
  /** Why it ends, for the BYE. */
  #reasons: readonly string[] = []
  /** Requests of the client are handled one after the other: each builds on what the last one left. */
  #handling: Promise<void> = Promise.resolve()

  /** @param kept What the process before this one knew of it; `takeUp` follows. */
  constructor(
    invite: SessionInvite,
    guest: Guest,
    services: SessionServices,
    settings: SessionSettings,
    kept?: Checkpoint,
  ) {
    this.#parts = createParts(
      { invite, guest, services, settings, kept },
      {
        dialog: () => (this.#ended ? undefined : this.#dialog),
        hasLeft: () => this.#left,
        end: (reason, by, why) => {
          if (why !== undefined) this.#reasons = [why]
          void this.#finish(reason, by)
        },
      },
    )
    this.id = this.#parts.id
    invite.cancelled.addEventListener('abort', () => void this.#finish('cancelled', 'stream'))
  }

  /** Resolves when it is over and everything it used is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** What was asked has been done. */
  get settled(): Promise<void> {
    return this.#handling
  }

  /** Answer the INVITE that starts it, or refuse it. Never rejects. */
  async accept(): Promise<void> {
    const { invite, exchange, recorded, streams, log } = this.#parts
    try {
      const { sdp, metadata } = readBody(invite.request)
      const document = metadataOf(invite.request, metadata)
      if (document) recorded.learn(document)
      const offer = sdp === undefined ? this.#unsaidOffer() : exchange.read(sdp)
      if (offer.streams.length === 0) throw new SiprecError('siprec.no-audio')
      await this.#begin(streams.suitable(offer), sdp === undefined, document)
    } catch (error) {
      if (!(error instanceof SiprecError))
        log.error('A recording session could not be set up', { error: String(error) })
      await this.#refuse(error instanceof SiprecError ? error.code : 'siprec.fault')
    }
  }

  /** Of a client that leaves the offer to us, where its peer may (peers/dialects.ts). */
  #unsaidOffer(): Offer {
    const { guest, invite } = this.#parts
    const passed: readonly string[] = dialects[guest.terms.dialect]
    if (!passed.includes('offerless')) throw new SiprecError('siprec.no-offer')
    // A call of Cisco's Built-in Bridge brings one voice; a recording session two, and what it lacks it refuses.
    return unsaidOffer(isSiprec(invite.request) ? 2 : 1)
  }

  /** @param isOurs The client left the offer to us, and this is what we offer. */
  async #begin(offer: Offer, isOurs: boolean, document: MetadataDocument | undefined): Promise<void> {
    const { streams, exchange, invite, headers } = this.#parts
    if (offer.streams.length === 0) throw new SiprecError('siprec.no-encryption')
    const opened = await streams.apply(offer)
    if (this.#ended) return
    if (opened.length < offer.streams.length) throw new SiprecError('siprec.media-exhausted')
    this.#record(offer)
    const answer = isOurs ? exchange.offerFirst(offer) : exchange.answer(offer)
    this.#answered(invite.answer({ headers: headers(), ...answer }), document)
  }

  /** Begin the recording, with the streams that are there. */
  #record(offer: Offer): void {
    const { recorded, exchange, streams, services } = this.#parts
    recorded.look(services.clock.wallMs())
    this.#tellStarted()
    recorded.begin()
    for (const stream of streams.list()) this.#add(stream)
    recorded.describe()
    recorded.followPauses()
    exchange.settle(offer)
  }

  #answered(dialog: Dialog, document: MetadataDocument | undefined): void {
    const { streams, facts, recorded, services } = this.#parts
    this.#dialog = dialog
    this.#answeredAtMs = services.clock.wallMs()
    this.#listenTo(dialog, this.#answeredAtMs)
    facts.tell('call.answered', { legId: streams.list()[0]?.legId ?? '' })
    for (const stream of streams.list()) this.#heed(stream)
    if (document || recorded.vendor) facts.metadata(document)
    services.keeper?.changed(this)
  }

  /** A stream becomes a leg of the call and a track of the recording. */
  #add(stream: Stream): void {
    this.#parts.facts.legStarted(stream)
    this.#parts.recorded.track(stream)
  }

  /** The client has our answer: packets of it may come. */
  #heed(stream: Stream): void {
    this.#parts.facts.legAnswered(stream)
    this.#parts.streams.watch(stream)
  }

  /**
   * Ask the client for this session (session/order.ts).
   * @param signal Aborted when it is ended before the answer.
   * @returns The status of the client's answer.
   */
  async order(contact: string, signal: AbortSignal): Promise<number> {
    const { streams, guest, recorded } = this.#parts
    const opened = await streams.apply(unsaidOffer(orderedStreams))
    if (opened.length < orderedStreams) {
      const isBare = streams.suitable(unsaidOffer(1)).streams.length === 0
      const code = isBare ? 'siprec.no-encryption' : 'siprec.media-exhausted'
      await this.#refuse(code)
      return siprecFailures[code].sip
    }
    let told: MetadataDocument | undefined
    const result = await askForSession(this.#parts, contact, signal, (response) =>
      takeOrdered(this.#parts, response, (offer, document) => {
        told = document
        this.#record(offer)
      }),
    )
    const { status } = result.response
    if (!result.answered || this.#ended) {
      if (result.answered) void result.dialog.bye()
      guest.failed('siprec.order-refused', `${siprecFailures['siprec.order-refused'].text}: ${status}`)
      await this.#finish('declined', undefined, status)
      return status
    }
    if (!recorded.active || streams.list().length === 0) {
      this.#dialog = result.dialog
      await this.#finish('no-common-codec')
      return siprecFailures['siprec.no-audio'].sip
    }
    this.#answered(result.dialog, told)
    return status
  }

  /**
   * Go on with a session of the process before this one (session/resume.ts). What its client asks meanwhile waits.
   * Resolves with false when that was not possible; it has been ended then.
   */
  takeUp(kept: Checkpoint, dialog: Dialog): Promise<boolean> {
    const { services, snapshots, log } = this.#parts
    this.#dialog = dialog
    this.#answeredAtMs = kept.answeredAtMs
    this.#started = true
    services.live.add(this)
    this.#listenTo(dialog, kept.answeredAtMs)
    const done = goOn(this.#parts, kept, () => this.#ended)
      .then((isOn) => {
        if (this.#ended) return true
        services.keeper?.changed(this)
        snapshots.ask('restart')
        return isOn
      })
      .catch((error: unknown) => {
        log.error('A recording session could not be taken up', { error: String(error) })
        return false
      })
    this.#handling = done.then(async (isOn) => {
      if (!isOn) await this.#finish('interrupted')
    })
    return done
  }

  /** Undefined when the process after this one could not go on with it: not answered, over, or keys by DTLS. */
  checkpoint(): Checkpoint | undefined {
    if (!this.#dialog || this.#ended || this.#answeredAtMs === undefined) return undefined
    return checkpointOf(this.#parts, this.#dialog, this.#answeredAtMs)
  }

  /** Let go of ports and files without a word to the client: the process after this one takes it up. */
  async leave(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#left = true
    const { recorded, streams, media, snapshots, services } = this.#parts
    this.#limits?.stop()
    snapshots.close()
    await recorded.active?.leave()
    await streams.close()
    await media.close()
    services.live.remove(this.id)
    this.#closed.resolve()
  }

  #listenTo(dialog: Dialog, answeredAtMs: number): void {
    const { services, settings, streams, wishes, log } = this.#parts
    dialog.on('ended', ({ by }) => {
      // Who knows nothing of the session any more (481) ended it when we could not hear it.
      void this.#finish(by === 'remote' || by === 'gone' ? 'hangup' : 'failed', 'stream')
    })
    dialog.on('request', (incoming) => this.#handle(incoming))
    dialog.on('ack', (ack) => {
      this.#handling = this.#handling.then(() => this.#takeAnswer(ack))
    })
    const maxDurationMs = wishes.maxDurationMs ?? settings.maxDurationMs ?? 0
    this.#limits = new SessionLimits({
      clock: services.clock,
      streams,
      dialog,
      answeredAtMs,
      maxDurationMs,
      askWhenSilentMs: settings.askWhenSilentMs,
      onTooLong: () => {
        log.warn('A recording session reached its longest duration', { maxDurationMs })
        this.#reasons = ['SIP;cause=480;text="Longest duration of a recording"']
        void this.#finish('limit')
      },
      onVanished: () => void this.#finish('media-timeout'),
    })
  }

  #handle(incoming: InDialogRequest): void {
    switch (incoming.request.method) {
      case 'INVITE':
      case 'UPDATE':
        this.#handling = this.#handling.then(() => this.#update(incoming))
        return
      case 'OPTIONS':
      case 'INFO':
        return incoming.respond(200, { headers: this.#parts.headers() })
      default:
        return incoming.respond(405)
    }
  }

  /** A description, metadata, both or neither (RFC 7866 §9.1). A request that cannot be read changes nothing. */
  async #update(incoming: InDialogRequest): Promise<void> {
    const { exchange, recorded, streams, facts, services, headers, guest, log } = this.#parts
    const { request } = incoming
    try {
      const { sdp, metadata } = readBody(request)
      const offer = sdp === undefined ? undefined : exchange.read(sdp)
      const document = metadataOf(request, metadata)
      if (document) recorded.learn(document, request)
      const added = offer ? await streams.apply(offer) : []
      if (this.#ended) return
      if (offer) exchange.settle(offer)
      recorded.look(services.clock.wallMs())
      for (const stream of added) this.#add(stream)
      recorded.describe()
      recorded.followPauses()
      incoming.respond(200, { headers: headers(), ...exchange.replyTo(request.method, offer) })
      for (const stream of added) this.#heed(stream)
      if (document) facts.metadata(document)
      services.keeper?.changed(this)
    } catch (error) {
      const code = error instanceof SiprecError ? error.code : 'siprec.fault'
      log.warn('A change of a recording session was refused', { code, error: String(error) })
      guest.failed(code, siprecFailures[code].text)
      incoming.respond(siprecFailures[code].sip, refusalOf(code))
    }
  }

  /** The ACK carries the answer when the offer was ours (RFC 3261 §13.2.2.4); what it says is applied like an offer. */
  async #takeAnswer(ack: SipRequest): Promise<void> {
    const { exchange, streams, recorded, services, log } = this.#parts
    if (!exchange.takesAnswer() || this.#ended) return
    try {
      const { sdp } = readBody(ack)
      if (sdp === undefined) return
      const answer = streams.known(exchange.read(sdp))
      await streams.apply(answer)
      recorded.followPauses()
      if (this.#ended) return
      exchange.settle(answer)
      services.keeper?.changed(this)
    } catch (error) {
      log.warn('The answer of a recording client could not be read', { error: String(error) })
    }
  }

  async #refuse(code: SiprecFailure): Promise<void> {
    if (this.#ended) return
    const { guest, invite, log } = this.#parts
    const { sip, text } = siprecFailures[code]
    log.warn('A recording session was refused', { code })
    guest.failed(code, text)
    invite.reject(sip, refusalOf(code))
    await this.#finish(reasons[code] ?? 'failed', undefined, sip)
  }

  end(reason: EndReason): Promise<void> {
    return this.#finish(reason)
  }

  /** Once; resolves when all is closed; the recording is stored in its turn. */
  async #finish(reason: EndReason, by?: LegRole, sipStatus?: number): Promise<void> {
    if (this.#ended) return this.#closed.promise
    this.#ended = true
    const { invite, guest, services, media, streams, silent, recorded, facts, snapshots } = this.#parts
    this.#tellStarted()
    this.#limits?.stop()
    snapshots.close()
    silent.close()
    // Ended before the answer, by us: the client still waits for one.
    if (!this.#dialog && sipStatus === undefined && reason !== 'cancelled') invite.reject(503)
    const goodbye = this.#dialog?.bye(reasonHeader(this.#reasons))
    // Not waited for: what is stored in its turn must not keep the session in memory.
    void recorded.active?.stop()
    await streams.close()
    facts.tell('call.ended', { reason, ...(by && { by }), ...(sipStatus !== undefined && { sipStatus }) })
    services.live.remove(this.id)
    services.keeper?.ended(this.id)
    await Promise.allSettled([goodbye, media.close()])
    facts.tell('call.traced', { messages: this.messages() })
    guest.over()
    this.#closed.resolve()
  }

  #tellStarted(): void {
    if (this.#started) return
    this.#started = true
    this.#parts.services.live.add(this)
    this.#parts.facts.started()
  }

  snapshot(): LiveCallSnapshot {
    const { facts, streams, startedAtMs } = this.#parts
    const answeredAtMs = this.#answeredAtMs
    return facts.snapshot(streams.list(), { startedAtMs, ...(answeredAtMs !== undefined && { answeredAtMs }) })
  }

  messages(): readonly TracedMessage[] {
    return this.#parts.services.messages([this.#parts.sipCallId])
  }
}

/** Why a session ends that is refused like this. */
const reasons: Partial<Record<SiprecFailure, EndReason>> = {
  'siprec.no-offer': 'no-common-codec',
  'siprec.no-audio': 'no-common-codec',
  'siprec.no-encryption': 'encryption-failed',
}
