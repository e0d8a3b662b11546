/**
 * One recording session (RS): a dialog with a recording client, its streams, and the recording they become.
 *
 *   SiprecServer ── INVITE ─▶  RecordingSession ─▶ Streams (ports) ─▶ recording/
 *   client ── re-INVITE, UPDATE, BYE ─▶   │
 *                                         └─ People (metadata) ─▶ facts
 *
 * Metadata never costs audio: what is wrong with it is told in `siprec.metadata-updated`, and recording goes on.
 * RFC 7866 §6-9. What is known of it is kept for the process after this one (survival/).
 */
import { mediaSummary, remoteOf } from '../call/leg.ts'
import type { SrtpMode } from '../call/leg-crypto.ts'
import type { LiveCall, LiveCallSnapshot } from '../call/live-calls.ts'
import { partyAt } from '../call/party.ts'
import { noKeys, reasonHeader } from '../call/reason.ts'
import type { CallServices } from '../call/services.ts'
import { SilenceWatch } from '../call/silence-watch.ts'
import type { Timer } from '../core/clock.ts'
import { hostText } from '../core/ip.ts'
import type { Logger } from '../core/logger.ts'
import { newId, randomUint32 } from '../core/random.ts'
import type { EndReason, FactName, FactOf, LegRole, Party, TracedMessage } from '../events/catalogue.ts'
import type { MediaSession } from '../media/types.ts'
import type { ActiveRecording, RecordingService } from '../recording/types.ts'
import { fromOf, optionTags, toOf } from '../sip/message/fields.ts'
import { parseMessage } from '../sip/message/parse.ts'
import { printMessage } from '../sip/message/print.ts'
import type { SipRequest, SipResponse } from '../sip/message/types.ts'
import type { Dialog, ExtraHeaders, IncomingInvite, InDialogRequest, Payload } from '../sip/stack.types.ts'
import { isSiprec, readBody } from './body.ts'
import { acceptedTypes, refusalOf, SiprecError, type SiprecFailure, siprecFailures } from './failures.ts'
import { followPauses } from './follow-pauses.ts'
import { metadataOf } from './metadata/from-request.ts'
import type { MetadataDocument } from './metadata/model.ts'
import { People, type PeopleOnStreams, partyOf, type RecordedStream } from './metadata/people.ts'
import { multipartAnswer } from './multipart-answer.ts'
import {
  codecOf,
  isPaused,
  type Offer,
  type Ours,
  printAnswer,
  printOurOffer,
  readOffer,
  unsaidOffer,
} from './offer.ts'
import { dialects } from './peers/dialects.ts'
import type { PeerTerms } from './peers/peer.ts'
import { SilentStreams } from './silent-streams.ts'
import { SnapshotRequests } from './snapshot-request.ts'
import { type Stream, type StreamListener, Streams } from './streams.ts'
import type { Checkpoint } from './survival/checkpoint.ts'
import type { SessionKeeper } from './survival/keeper.ts'
import { readWishes, type Wishes } from './wishes.ts'

export interface SiprecServices extends Omit<CallServices, 'recorder' | 'rtpTimeoutMs' | 'srtp' | 'codecs'> {
  readonly recordings: RecordingService
  /** Told of what changes, so that a restart can take sessions up; none are when left out. */
  readonly keeper?: Pick<SessionKeeper, 'changed' | 'ended'>
}

/** Streams that a session of ours asks for; a client that has one refuses the other. */
const orderedStreams = 2

/** Requests with metadata that are kept of a session, to read them again after a restart. */
const mostMessages = 64

/** On whose terms a session is held, and who is told how it went. */
export interface Guest {
  readonly terms: PeerTerms
  /** It was refused, or ended by a fault. */
  failed(code: string, text: string): void
  /** It is over. */
  over(): void
}

/** What a session needs of the INVITE that began it; of one in a process before this one the request is left. */
export type SessionInvite = Pick<IncomingInvite, 'request' | 'flow' | 'cancelled' | 'answer' | 'reject'>

export interface SessionSettings {
  /** A stream without a packet for so long is logged and marked in the recording; others go on. 0 never. */
  readonly streamSilentMs: number
  /**
   * When all streams are silent for so long the client is asked by OPTIONS whether it is still there; no answer ends
   * the session. 0 never: a persistent session (RFC 7866 §3.3) may idle for hours.
   */
  readonly askWhenSilentMs: number
  /** A session is ended after so long, unless its client asks for another time; 0 never. */
  readonly maxDurationMs?: number
  readonly srtp: SrtpMode
  /** Answer with two parts, as clients made for loreste/siprec may want (multipart-answer.ts). */
  readonly multipartResponse?: boolean
}

export class RecordingSession implements LiveCall {
  readonly id: string
  readonly #services: SiprecServices
  readonly #settings: SessionSettings
  readonly #invite: SessionInvite
  readonly #guest: Guest
  readonly #log: Logger
  readonly #sipCallId: string
  readonly #startedAtMs: number
  readonly #wishes: Wishes
  #limit: Timer | undefined
  readonly #media: MediaSession
  readonly #streams: Streams
  readonly #silent: SilentStreams
  readonly #people: People
  readonly #snapshots: SnapshotRequests
  readonly #ours: { readonly address: string; readonly sessionId: string }
  readonly #closed = Promise.withResolvers<void>()
  #version: number
  /** Those that told who is in it, the INVITE first. */
  #messages: Checkpoint['messages']
  #offer: Offer | undefined
  /** The last answer carried an offer of ours, so the ACK carries the client's answer. */
  #offeredByUs = false
  #who: PeopleOnStreams
  #recording: ActiveRecording | undefined
  /** Metadata in the answer to an order of ours. */
  #ordered: MetadataDocument | undefined
  #dialog: Dialog | undefined
  #watch: SilenceWatch | undefined
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
    services: SiprecServices,
    settings: SessionSettings,
    kept?: Checkpoint,
  ) {
    this.id = kept?.id ?? newId()
    this.#invite = invite
    this.#guest = guest
    this.#services = services
    this.#settings = settings
    this.#sipCallId = invite.request.headers.get('Call-ID') ?? ''
    this.#log = services.log.child({ callId: this.id })
    this.#startedAtMs = kept?.startedAtMs ?? services.clock.wallMs()
    this.#ours = kept?.ours ?? { address: services.advertisedIp(invite.flow), sessionId: String(randomUint32()) }
    this.#version = kept?.ours.version ?? 0
    this.#messages = kept?.messages ?? [messageAt(this.#startedAtMs, invite.request)]
    const { wishes, problems } = readWishes(invite.request)
    this.#wishes = wishes
    if (problems.length > 0) this.#log.warn('A wish of a recording client was passed over', { problems })
    this.#media = services.media.openSession(this.id)
    this.#media.on('lost', () => void this.end('media-lost'))
    this.#silent = new SilentStreams({
      clock: services.clock,
      log: this.#log,
      timeoutMs: wishes.streamSilentMs ?? settings.streamSilentMs,
      expected: (legId) => this.#streams.list().some((one) => one.legId === legId && !isPaused(one.offered)),
      silent: (legId, sinceMs) => this.#recording?.noteSilence(legId, sinceMs),
    })
    this.#streams = new Streams({
      session: this.#media,
      clock: services.clock,
      log: this.#log,
      silentAfterMs: this.#silent.noticeAfterMs,
      srtp: guest.terms.srtp ?? settings.srtp,
      listener: this.#listener(),
    })
    this.#people = new People(invite.request)
    this.#snapshots = new SnapshotRequests({
      clock: services.clock,
      log: this.#log,
      takesUpdate: optionTags(invite.request, 'Allow').includes('update'),
      dialog: () => (this.#ended ? undefined : this.#dialog),
      headers: () => this.#headers(),
    })
    this.#who = this.#people.on([], this.#startedAtMs)
    invite.cancelled.addEventListener('abort', () => void this.#finish('cancelled', 'stream'))
  }

  /** Resolves when it is over and everything it used is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Answer the INVITE that starts it, or refuse it. Never rejects. */
  async accept(): Promise<void> {
    try {
      const body = readBody(this.#invite.request)
      const document = metadataOf(this.#invite.request, body.metadata)
      if (document) this.#learn(document)
      const offer = body.sdp === undefined ? this.#unsaidOffer() : readOffer(body.sdp, this.#guest.terms.codecs)
      if (offer.streams.length === 0) throw new SiprecError('siprec.no-audio')
      await this.#begin(this.#streams.suitable(offer), document)
    } catch (error) {
      if (!(error instanceof SiprecError))
        this.#log.error('A recording session could not be set up', { error: String(error) })
      await this.#refuse(error instanceof SiprecError ? error.code : 'siprec.fault')
    }
  }

  /**
   * Ask the client for this session (RFC 7866 §6.1.1): it offers in its answer, we answer in the ACK.
   * @param signal Aborted when it is ended before the answer.
   * @returns The status of the client's answer.
   */
  async order(contact: string, signal: AbortSignal): Promise<number> {
    const streams = await this.#streams.apply(unsaidOffer(orderedStreams))
    if (streams.length < orderedStreams) {
      const isBare = this.#streams.suitable(unsaidOffer(1)).streams.length === 0
      const code = isBare ? 'siprec.no-encryption' : 'siprec.media-exhausted'
      await this.#refuse(code)
      return siprecFailures[code].sip
    }
    const { stack, clock } = this.#services
    const { outcome } = stack.invite({
      target: { uri: contact },
      from: `<sip:recorder@${hostText(this.#ours.address)}>`,
      to: `<${contact}>`,
      callId: this.#sipCallId,
      contactParams: ';+sip.srs',
      headers: { Require: 'siprec', Accept: acceptedTypes },
      signal,
      ackBody: (response) => this.#takeOffer(response),
    })
    const result = await outcome
    const { status } = result.response
    if (!result.answered || this.#ended) {
      if (result.answered) void result.dialog.bye()
      this.#guest.failed('siprec.order-refused', `${siprecFailures['siprec.order-refused'].text}: ${status}`)
      await this.#finish('declined', undefined, status)
      return status
    }
    this.#dialog = result.dialog
    this.#answeredAtMs = clock.wallMs()
    this.#listenTo(result.dialog)
    const [first] = this.#streams.list()
    if (!this.#recording || !first) {
      await this.#finish('no-common-codec')
      return siprecFailures['siprec.no-audio'].sip
    }
    this.#tell('call.answered', { legId: first.legId })
    for (const stream of this.#streams.list()) this.#tellAnswered(stream)
    if (this.#ordered || this.#people.vendor) this.#tellMetadata(this.#ordered)
    this.#services.keeper?.changed(this)
    return status
  }

  /** The offer in the answer to an order of ours. What cannot be read gets no answer, and the session ends. */
  #takeOffer({ headers, body }: SipResponse): Payload {
    try {
      const request = { ...this.#invite.request, headers, body }
      const { sdp, metadata } = readBody(request)
      if (sdp === undefined) throw new SiprecError('siprec.no-offer')
      const offer = this.#streams.suitable(readOffer(sdp, this.#guest.terms.codecs))
      const streams = offer.streams.filter(({ index }) => this.#streams.portOf(index) !== undefined)
      if (streams.length === 0) throw new SiprecError('siprec.no-audio')
      // Their ports are open, so all of it is done at once.
      void this.#streams.apply({ ...offer, streams })
      this.#ordered = metadata && metadataOf(request, metadata)
      if (this.#ordered) {
        this.#learn(this.#ordered)
        this.#remember(request)
      }
      this.#who = this.#people.on(this.#recordedStreams(), this.#services.clock.wallMs())
      this.#tellStarted()
      this.#recording = this.#newRecording()
      for (const stream of this.#streams.list()) this.#record(stream)
      this.#describePeople()
      followPauses(this.#recording, this.#streams.list())
      this.#offer = { ...offer, streams }
      return this.#describe(printAnswer(this.#offer, this.#nextOurs(), this.#streams))
    } catch (error) {
      this.#log.warn('The offer of a recording client could not be read', { error: String(error) })
      return {}
    }
  }

  /** Of a client that leaves the offer to us, where its peer may (peers/dialects.ts). */
  #unsaidOffer(): Offer {
    const passed: readonly string[] = dialects[this.#guest.terms.dialect]
    if (!passed.includes('offerless')) throw new SiprecError('siprec.no-offer')
    this.#offeredByUs = true
    // A call of Cisco's Built-in Bridge brings one voice; a recording session two, and what it lacks it refuses.
    return unsaidOffer(isSiprec(this.#invite.request) ? 2 : 1)
  }

  async #begin(offer: Offer, document: MetadataDocument | undefined): Promise<void> {
    if (offer.streams.length === 0) throw new SiprecError('siprec.no-encryption')
    const streams = await this.#streams.apply(offer)
    if (this.#ended) return
    if (streams.length < offer.streams.length) throw new SiprecError('siprec.media-exhausted')
    this.#who = this.#people.on(this.#recordedStreams(), this.#services.clock.wallMs())
    this.#tellStarted()
    this.#recording = this.#newRecording()
    for (const stream of streams) this.#record(stream)
    this.#describePeople()
    followPauses(this.#recording, this.#streams.list())
    this.#offer = offer
    const print = this.#offeredByUs ? printOurOffer : printAnswer
    const answer = this.#describe(print(offer, this.#nextOurs(), this.#streams))
    this.#dialog = this.#invite.answer({ headers: this.#headers(), ...answer })
    this.#answeredAtMs = this.#services.clock.wallMs()
    this.#listenTo(this.#dialog)
    this.#tell('call.answered', { legId: streams[0]?.legId ?? '' })
    for (const stream of streams) this.#tellAnswered(stream)
    if (document || this.#people.vendor) this.#tellMetadata(document)
    this.#services.keeper?.changed(this)
  }

  /**
   * Go on with a session of the process before this one: at its ports, in its dialog, in its recording. What its client
   * asks meanwhile waits. Resolves with false when that was not possible; it has been ended then.
   */
  takeUp(kept: Checkpoint, dialog: Dialog): Promise<boolean> {
    this.#dialog = dialog
    this.#answeredAtMs = kept.answeredAtMs
    this.#started = true
    this.#services.live.add(this)
    this.#listenTo(dialog)
    const done = this.#goOn(kept).catch((error: unknown) => {
      this.#log.error('A recording session could not be taken up', { error: String(error) })
      return false
    })
    this.#handling = done.then(async (isOn) => {
      if (!isOn) await this.#finish('interrupted')
    })
    return done
  }

  async #goOn(kept: Checkpoint): Promise<boolean> {
    const left = await this.#services.recordings.takeUp(this.id)
    // It was ended meanwhile: what is there is finished.
    if (this.#ended) {
      void left?.stop()
      return true
    }
    this.#recording = left ?? this.#newRecording()
    const offer = readOffer(kept.description, this.#guest.terms.codecs)
    const streams = await this.#streams.restore(offer, kept.streams)
    if (this.#ended) return true
    this.#offer = offer
    for (const { atMs, text } of kept.messages) {
      const request = requestOf(text)
      const document = request && metadataOf(request, readBody(request).metadata)
      if (document) this.#learn(document)
      this.#who = this.#people.on(this.#recordedStreams(), atMs)
    }
    for (const stream of streams) this.#track(stream)
    this.#describePeople()
    followPauses(this.#recording, this.#streams.list())
    this.#tell('siprec.session-resumed', { legIds: streams.map(({ legId }) => legId) })
    for (const stream of streams) this.#streams.watch(stream)
    this.#services.keeper?.changed(this)
    this.#snapshots.ask('restart')
    return streams.length > 0
  }

  /** Undefined when the process after this one could not go on with it: not answered, over, or keys by DTLS. */
  checkpoint(): Checkpoint | undefined {
    const dialog = this.#dialog && !this.#ended ? this.#services.stack.snapshot(this.#dialog) : undefined
    const streams = this.#streams.keep()
    if (!dialog || !streams || !this.#offer || this.#answeredAtMs === undefined) return undefined
    const { dialect, tags, ...more } = this.#guest.terms
    return structuredClone({
      version: 1,
      id: this.id,
      startedAtMs: this.#startedAtMs,
      answeredAtMs: this.#answeredAtMs,
      terms: { dialect, tags: [...tags], ...(more as object) },
      messages: this.#messages,
      description: this.#offer.text,
      ours: { ...this.#ours, version: this.#version },
      streams: [...streams],
      dialog: dialog as Checkpoint['dialog'],
    })
  }

  /** What was asked has been done. */
  get settled(): Promise<void> {
    return this.#handling
  }

  /** Let go of ports and files without a word to the client: the process after this one takes it up. */
  async leave(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#left = true
    this.#watch?.stop()
    this.#limit?.cancel()
    this.#snapshots.close()
    await this.#recording?.leave()
    await this.#streams.close()
    await this.#media.close()
    this.#services.live.remove(this.id)
    this.#closed.resolve()
  }

  /** A partial document that cannot be placed is asked for in full (RFC 7866 §9.2). */
  #learn(document: MetadataDocument): void {
    const isPlaced = document.mode === 'complete' || this.#people.knows(document)
    this.#people.merge(document)
    if (!isPlaced) this.#snapshots.ask('partial metadata that names what was not told before')
  }

  #listenTo(dialog: Dialog): void {
    const resumed = this.#started
    dialog.on('ended', ({ by }) => {
      // Who knows nothing of a session that was taken up ended it while nobody was here.
      const hungUp = by === 'remote' || (by === 'gone' && resumed)
      void this.#finish(hungUp ? 'hangup' : 'failed', 'stream')
    })
    dialog.on('request', (incoming) => this.#handle(incoming))
    dialog.on('ack', (ack) => {
      this.#handling = this.#handling.then(() => this.#takeAnswer(ack))
    })
    this.#endInTime()
    const { askWhenSilentMs } = this.#settings
    if (askWhenSilentMs === 0) return
    this.#watch = new SilenceWatch({
      clock: this.#services.clock,
      port: this.#streams,
      dialog,
      rtpTimeoutMs: askWhenSilentMs,
      expectsPackets: () => true,
      onVanished: () => void this.#finish('media-timeout'),
    })
  }

  /** A session that is forgotten somewhere does not fill the disk. */
  #endInTime(): void {
    const { clock } = this.#services
    const mostMs = this.#wishes.maxDurationMs ?? this.#settings.maxDurationMs ?? 0
    if (mostMs === 0) return
    const leftMs = (this.#answeredAtMs ?? clock.wallMs()) + mostMs - clock.wallMs()
    this.#limit = clock.after(Math.max(0, leftMs), () => {
      this.#log.warn('A recording session reached its longest duration', { maxDurationMs: mostMs })
      this.#reasons = ['SIP;cause=480;text="Longest duration of a recording"']
      void this.#finish('limit')
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
        return incoming.respond(200, { headers: this.#headers() })
      default:
        return incoming.respond(405)
    }
  }

  /** A description, metadata, both or neither (RFC 7866 §9.1). A request that cannot be read changes nothing. */
  async #update(incoming: InDialogRequest): Promise<void> {
    try {
      const { sdp, metadata } = readBody(incoming.request)
      const offer = sdp === undefined ? undefined : readOffer(sdp, this.#guest.terms.codecs)
      const document = metadataOf(incoming.request, metadata)
      if (document) this.#learn(document)
      const added = offer ? await this.#streams.apply(offer) : []
      if (this.#ended) return
      this.#offer = offer ?? this.#offer
      this.#who = this.#people.on(this.#recordedStreams(), this.#services.clock.wallMs())
      for (const stream of added) this.#record(stream)
      if (document) this.#remember(incoming.request)
      this.#describePeople()
      if (this.#recording) followPauses(this.#recording, this.#streams.list())
      incoming.respond(200, { headers: this.#headers(), ...this.#bodyFor(incoming.request.method, offer) })
      for (const stream of added) this.#tellAnswered(stream)
      if (document) this.#tellMetadata(document)
      this.#services.keeper?.changed(this)
    } catch (error) {
      const code = error instanceof SiprecError ? error.code : 'siprec.fault'
      this.#log.warn('A change of a recording session was refused', { code, error: String(error) })
      this.#guest.failed(code, siprecFailures[code].text)
      incoming.respond(siprecFailures[code].sip, refusalOf(code))
    }
  }

  /** The ACK carries the answer when the offer was ours (RFC 3261 §13.2.2.4); what it says is applied like an offer. */
  async #takeAnswer(ack: SipRequest): Promise<void> {
    if (!this.#offeredByUs || this.#ended) return
    this.#offeredByUs = false
    try {
      const { sdp } = readBody(ack)
      if (sdp === undefined) return
      const answer = readOffer(sdp, this.#guest.terms.codecs)
      const known = answer.streams.filter(({ index }) => this.#streams.portOf(index) !== undefined)
      await this.#streams.apply({ ...answer, streams: known })
      if (this.#recording) followPauses(this.#recording, this.#streams.list())
      if (this.#ended) return
      this.#offer = { ...answer, streams: known }
      this.#services.keeper?.changed(this)
    } catch (error) {
      this.#log.warn('The answer of a recording client could not be read', { error: String(error) })
    }
  }

  /** An answer to an offer; an offer of ours to an INVITE without one; nothing to an UPDATE without one. */
  #bodyFor(method: string, offer: Offer | undefined): Payload {
    if (offer) {
      return this.#describe(printAnswer(offer, this.#nextOurs(), this.#streams))
    }
    if (method !== 'INVITE' || !this.#offer) return {}
    this.#offeredByUs = true
    return { contentType: 'application/sdp', body: printOurOffer(this.#offer, this.#nextOurs(), this.#streams) }
  }

  #describe(sdp: string): Payload {
    return this.#settings.multipartResponse ? multipartAnswer(sdp) : { contentType: 'application/sdp', body: sdp }
  }

  #nextOurs(): Ours {
    this.#version += 1
    return { ...this.#ours, version: this.#version }
  }

  /** `+sip.srs` in every request and response of the session (RFC 7866 §6.1.2). */
  #headers(): ExtraHeaders {
    return {
      Contact: `${this.#services.stack.contact(this.#invite.flow)};+sip.srs`,
      Accept: acceptedTypes,
    }
  }

  #newRecording(): ActiveRecording {
    const { name: peer, tags, retentionDays } = this.#guest.terms
    const days = this.#wishes.retentionDays ?? retentionDays
    const origin = { ...(peer !== undefined && { peer }), tags, ...(days !== undefined && { retentionDays: days }) }
    return this.#services.recordings.start({ callId: this.id, name: this.#sipCallId, tracks: [], origin })
  }

  #describePeople(): void {
    this.#recording?.describe({ participants: this.#who.everyone, channelOrder: this.#who.channelOrder })
  }

  /** For the process after this one; of very many the oldest are left out. */
  #remember(request: SipRequest): void {
    const [first, ...later] = this.#messages
    const more = [...later.slice(2 - mostMessages), messageAt(this.#services.clock.wallMs(), request)]
    this.#messages = first ? [first, ...more] : more
  }

  #record(stream: Stream): void {
    const { legId, offered } = stream
    const party = this.#partyOf(legId)
    const label = offered.label === undefined ? {} : { label: offered.label }
    this.#tell('leg.started', {
      legId,
      role: 'stream',
      party,
      sipCallId: this.#sipCallId,
      transport: this.#invite.flow.transport,
      remote: remoteOf(this.#invite.flow),
      ...label,
    })
    this.#track(stream)
  }

  #track({ legId, port, offered: { label } }: Stream): void {
    const party = this.#partyOf(legId)
    this.#recording?.addTrack({ port, legId, role: 'stream', party, ...(label !== undefined && { label }) })
  }

  #recordedStreams(): readonly RecordedStream[] {
    return this.#streams
      .list()
      .map(({ legId, offered: { index, label } }) => (label === undefined ? { legId, index } : { legId, index, label }))
  }

  #listener(): StreamListener {
    return {
      removing: ({ legId }) => this.#recording?.endTrack(legId),
      removed: ({ legId, quality }, stats) => {
        // Without a recording the session was refused, and nobody was told of its legs.
        if (this.#recording && !this.#left)
          this.#tell('leg.ended', { legId, ...(stats && { media: mediaSummary(stats, quality) }) })
      },
      mediaStarted: (stream, { source, codec }) => {
        this.#silent.heard(watched(stream), source, codec)
        this.#tell('leg.media-started', { legId: stream.legId, source, codec })
      },
      quality: ({ legId }, quality) => this.#tell('leg.quality', { legId, quality }),
      encrypted: ({ legId }, encryption) => this.#tell('leg.encryption', { legId, ...encryption }),
      unheard: ({ legId }, why) => this.#unheard(legId, why),
      digit: ({ legId }, { digit, durationMs }) => this.#tell('leg.digit', { legId, digit, durationMs }),
      silent: (stream, { idleMs }) => void this.#silent.inactive(watched(stream), idleMs),
    }
  }

  /** One of several streams is missed; a client that can record nothing had better know it. */
  #unheard(legId: string, why: string): void {
    this.#log.warn('A recorded stream cannot be heard, for its DTLS handshake failed', { legId, why })
    if (
      !this.#streams.list().every(({ encryption, offered }) => encryption.failure !== undefined && !isPaused(offered))
    )
      return
    this.#reasons = [noKeys(why)]
    void this.#finish('encryption-failed', 'stream')
  }

  async #refuse(code: SiprecFailure): Promise<void> {
    if (this.#ended) return
    const { sip, text } = siprecFailures[code]
    this.#log.warn('A recording session was refused', { code })
    this.#guest.failed(code, text)
    this.#invite.reject(sip, refusalOf(code))
    await this.#finish(reasons[code] ?? 'failed', undefined, sip)
  }

  end(reason: EndReason): Promise<void> {
    return this.#finish(reason)
  }

  /** Once; resolves when all is closed; the recording is stored in its turn. */
  async #finish(reason: EndReason, by?: LegRole, sipStatus?: number): Promise<void> {
    if (this.#ended) return this.#closed.promise
    this.#ended = true
    this.#tellStarted()
    this.#watch?.stop()
    this.#limit?.cancel()
    this.#snapshots.close()
    this.#silent.close()
    // Ended before the answer, by us: the client still waits for one.
    if (!this.#dialog && sipStatus === undefined && reason !== 'cancelled') this.#invite.reject(503)
    const goodbye = this.#dialog?.bye(reasonHeader(this.#reasons))
    // Not waited for: what is stored in its turn must not keep the session in memory.
    void this.#recording?.stop()
    await this.#streams.close()
    this.#tell('call.ended', { reason, ...(by && { by }), ...(sipStatus !== undefined && { sipStatus }) })
    this.#services.live.remove(this.id)
    this.#services.keeper?.ended(this.id)
    await Promise.allSettled([goodbye, this.#media.close()])
    this.#tell('call.traced', { messages: this.messages() })
    this.#guest.over()
    this.#closed.resolve()
  }

  #tellStarted(): void {
    if (this.#started) return
    this.#started = true
    this.#services.live.add(this)
    this.#tell('call.started', { kind: 'siprec', from: this.#from(), to: this.#to() })
  }

  #tellAnswered(stream: Stream): void {
    const { legId, offered } = stream
    const codec = codecOf(offered)
    this.#tell('leg.answered', { legId, ...(codec !== undefined && { codec }) })
    this.#streams.watch(stream)
  }

  /** @param document None: only headers of the INVITE told something. */
  #tellMetadata(document: MetadataDocument | undefined): void {
    const { sessions, vendor } = this.#people
    this.#tell('siprec.metadata-updated', {
      participants: this.#who.now,
      raw: document?.raw ?? '',
      problems: document?.problems ?? [],
      sessions,
      ...(vendor && { vendor }),
    })
  }

  #tell<Name extends FactName>(name: Name, facts: Omit<FactOf<Name>, 'name' | 'atMs' | 'callId'>): void {
    const fact = { name, atMs: this.#services.clock.wallMs(), callId: this.id, ...facts }
    this.#services.bus.publish(fact as unknown as FactOf<Name>)
  }

  /** The people of the metadata; without them, whom the dialog names. */
  #from(): Party {
    return partyOf(this.#who.caller) ?? partyAt(fromOf(this.#invite.request))
  }

  #to(): Party {
    return partyOf(this.#who.callee) ?? partyAt(toOf(this.#invite.request))
  }

  #partyOf(legId: string): Party {
    return partyOf(this.#who.onLeg.get(legId)) ?? partyAt(fromOf(this.#invite.request))
  }

  snapshot(): LiveCallSnapshot {
    const { flow } = this.#invite
    return {
      id: this.id,
      kind: 'siprec',
      from: this.#from(),
      to: this.#to(),
      startedAtMs: this.#startedAtMs,
      ...(this.#answeredAtMs !== undefined && { answeredAtMs: this.#answeredAtMs }),
      recording: this.#recording !== undefined,
      legs: this.#streams.list().map(({ legId, offered, quality, encryption }) => ({
        id: legId,
        role: 'stream',
        party: this.#partyOf(legId),
        state: this.#dialog ? 'answered' : 'calling',
        sipCallId: this.#sipCallId,
        transport: flow.transport,
        remote: remoteOf(flow),
        codec: codecOf(offered),
        encryption: encryption.now?.encryption,
        suite: encryption.now?.suite,
        label: offered.label,
        quality: quality.last,
      })),
    }
  }

  messages(): readonly TracedMessage[] {
    return this.#services.messages([this.#sipCallId])
  }
}

const messageAt = (atMs: number, request: SipRequest) => ({ atMs, text: printMessage(request).toString('latin1') })

function requestOf(text: string): SipRequest | undefined {
  const parsed = parseMessage(Buffer.from(text, 'latin1'))
  return parsed.ok && parsed.message.kind === 'request' ? parsed.message : undefined
}

const watched = ({ legId, port, offered: { label } }: Stream) => ({ legId, port, label })

/** Why a session ends that is refused like this. */
const reasons: Partial<Record<SiprecFailure, EndReason>> = {
  'siprec.no-offer': 'no-common-codec',
  'siprec.no-audio': 'no-common-codec',
  'siprec.no-encryption': 'encryption-failed',
}
