/**
 * One recording session that we send: a dialog with a recording server, a stream for each side of the call.
 *
 *   sent-call.ts ── start, update, close ─▶  here  ── INVITE with SDP and metadata, re-INVITE, BYE ─▶ server
 *                                             └── offer, answer ─▶ SentStreamPort
 *
 * Whatever changes (who is there, what they speak, a pause) takes effect at the ports at once, and is told by one re-INVITE
 * with both parts; what changes while one is on its way goes with the next. What the server asks (fewer streams, a
 * snapshot, an offer) is answered here. RFC 7866 §6.1, §7.1, §8.
 * Missing: metadata by UPDATE alone, and partial documents: each of ours is complete.
 */
import type { CodecRules } from '../../call/codec-rules.ts'
import type { CallServices, SentTrack } from '../../call/services.ts'
import type { Logger } from '../../core/logger.ts'
import { randomUint32 } from '../../core/random.ts'
import type { MediaSession } from '../../media/types.ts'
import { answerOffer, createAudioOffer } from '../../sdp/offer-answer.ts'
import { parseSdp } from '../../sdp/parse.ts'
import { printSdp } from '../../sdp/print.ts'
import { printMultipart, sessionDescriptionOf } from '../../sip/message/multipart.ts'
import type { SipMessage } from '../../sip/message/types.ts'
import type { Dialog, InDialogRequest, InviteOutcome, Payload } from '../../sip/stack.types.ts'
import { metadataType } from './metadata.ts'
import { SentStreamPort } from './sent-stream.ts'
import { hostOf, type RecordingServer } from './servers.ts'

export interface Seat {
  /** `a=label`. */
  readonly label: string
  /** Who sits there now. */
  readonly track: SentTrack | undefined
}

/** What is sent; asked anew for each description. */
export interface Content {
  seats(): readonly Seat[]
  paused(): boolean
  metadata(): string
}

export interface ServerSessionOptions {
  readonly server: RecordingServer
  readonly content: Content
  readonly services: Pick<CallServices, 'clock' | 'stack' | 'advertisedIp'>
  readonly rules: CodecRules
  readonly media: MediaSession
  readonly log: Logger
}

export type Started =
  | { readonly ok: true; readonly sipCallId: string }
  /** `unserved`: the server cannot serve now, whoever asks. */
  | { readonly ok: false; readonly why: string; readonly unserved: boolean }

/** A server that says nothing for so long, or does not answer in the end, leaves its turn to the next. */
const heardMs = 3_000
const answeredMs = 10_000

const over = { ok: false, why: 'the call is over', unserved: false } as const
const accepted = 'application/sdp, application/rs-metadata-request'
/** RFC 7866 §9.2 */
const requestType = /application\/rs-metadata-request/i
const unserved = new Set([408, 500, 502, 503, 504])

export class ServerSession {
  readonly server: RecordingServer
  readonly #options: ServerSessionOptions
  readonly #ended = Promise.withResolvers<'by-server' | 'lost' | 'closed'>()
  readonly #sessionId = String(randomUint32())
  readonly #giveUp = new AbortController()
  #version = 0
  #address = ''
  #streams: readonly SentStreamPort[] = []
  #dialog: Dialog | undefined
  #stale = false
  #telling = false
  #closed = false

  constructor(options: ServerSessionOptions) {
    this.#options = options
    this.server = options.server
  }

  /** How it ended, once it had begun. */
  get ended(): Promise<'by-server' | 'lost' | 'closed'> {
    return this.#ended.promise
  }

  /** Never rejects; what was opened is closed when it fails. */
  async start(): Promise<Started> {
    let failure: Started & { readonly ok: false }
    try {
      const started = await this.#start()
      if (started.ok) return started
      failure = started
    } catch (error) {
      failure = { ok: false, why: String(error), unserved: false }
    }
    await this.close()
    return failure
  }

  async #start(): Promise<Started> {
    const { media, rules, services, server, content } = this.#options
    const [hop] = await services.stack.locate(server.uri)
    if (!hop) return { ok: false, why: 'its name leads nowhere', unserved: true }
    this.#address = services.advertisedIp(hop.ip)
    this.#streams = await Promise.all(
      content.seats().map(async ({ label }) => {
        const port = await media.openPort()
        return new SentStreamPort({ label, port, media, rules, srtp: server.srtp })
      }),
    )
    if (this.#closed) {
      for (const { port } of this.#streams) void port.close()
      return over
    }
    this.#seat()
    const outcome = await this.#invite()
    if (!outcome) return { ok: false, why: 'no answer', unserved: true }
    if (!outcome.answered) {
      const { status, reason } = outcome.response
      return { ok: false, why: `${status} ${reason}`, unserved: unserved.has(status) }
    }
    const { dialog, response } = outcome
    this.#listen(dialog)
    // Meanwhile the call may have ended.
    if (this.#closed) {
      void dialog.bye()
      return over
    }
    this.#take(response)
    if (!this.#streams.some(({ isTaken }) => isTaken)) return { ok: false, why: 'it took no stream', unserved: false }
    // Who left, or came, while the server was asked.
    if (this.#stale) void this.#tell()
    return { ok: true, sipCallId: dialog.id.callId }
  }

  /** @returns Undefined when the server takes too long. */
  async #invite(): Promise<InviteOutcome | undefined> {
    const { services, server } = this.#options
    const tooLong = Promise.withResolvers<undefined>()
    this.#stale = false
    const invite = services.stack.invite({
      target: { uri: server.uri },
      from: `<sip:patchbay@${hostOf(this.#address)}>`,
      to: `<${server.uri}>`,
      contactParams: ';+sip.src',
      ...(server.credentials && { credentials: server.credentials }),
      signal: this.#giveUp.signal,
      onHeard: () => silence.cancel(),
      ...this.#payload(),
    })
    // A 200 that comes after that is answered with BYE by the stack.
    const giveUp = (): void => {
      invite.cancel()
      tooLong.resolve(undefined)
    }
    const silence = services.clock.after(heardMs, giveUp)
    const late = services.clock.after(answeredMs, giveUp)
    const outcome = await Promise.race([invite.outcome, tooLong.promise])
    silence.cancel()
    late.cancel()
    return outcome
  }

  #listen(dialog: Dialog): void {
    this.#dialog = dialog
    dialog.on('request', (incoming) => this.#answer(incoming))
    dialog.on('refreshed', (response) => this.#take(response))
    dialog.on('ack', (ack) => {
      if (ack.body.length > 0) this.#take(ack)
    })
    dialog.on('ended', ({ by }) => {
      this.#ended.resolve(by === 'remote' ? 'by-server' : by === 'local' ? 'closed' : 'lost')
      void this.close()
    })
  }

  /** Something of the content changed. */
  update(): void {
    if (this.#closed) return
    this.#seat()
    this.#stale = true
    if (this.#dialog && !this.#telling) void this.#tell()
  }

  async #tell(): Promise<void> {
    this.#telling = true
    const { log, server } = this.#options
    while (this.#stale && this.#dialog?.state === 'confirmed') {
      this.#stale = false
      try {
        const response = await this.#dialog.request('INVITE', this.#payload())
        if (response.status < 300) this.#take(response)
        else
          log.warn('A recording server refused a change', {
            server: server.name,
            answer: `${response.status} ${response.reason}`,
          })
      } catch (error) {
        log.warn('A recording server could not be told of a change', { server: server.name, error: String(error) })
      }
    }
    this.#telling = false
  }

  /** Who speaks on which stream, and whether it is sent: at once. */
  #seat(): void {
    const { content, media } = this.#options
    const paused = content.paused()
    const seats = content.seats()
    media.together(() => {
      for (const stream of this.#streams) stream.carry(seats.find(({ label }) => label === stream.label)?.track, paused)
    })
  }

  #take(message: SipMessage): void {
    const found = sessionDescriptionOf(message)
    const parsed = found && found !== 'none' ? parseSdp(found.sdp) : undefined
    if (!parsed?.ok) return
    const { description } = parsed
    for (const [index, stream] of this.#streams.entries()) stream.take(description, description.media[index])
  }

  #answer(incoming: InDialogRequest): void {
    const { request } = incoming
    const headers = { Contact: `${this.#options.services.stack.contact(incoming.flow)};+sip.src`, Accept: accepted }
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') {
      const known = request.method === 'OPTIONS' || request.method === 'INFO'
      return incoming.respond(known ? 200 : 405, { headers })
    }
    const found = sessionDescriptionOf(request)
    const wantsSnapshot =
      requestType.test(Buffer.from(request.body).toString('latin1')) ||
      requestType.test(request.headers.get('Content-Type') ?? '')
    if (found && found !== 'none') {
      const body = this.#answerTo(found.sdp)
      if (body === undefined) return incoming.respond(488, { headers })
      incoming.respond(200, { headers, contentType: 'application/sdp', body })
    } else if (found === 'none' && !wantsSnapshot) return incoming.respond(415, { headers })
    else if (request.method === 'INVITE')
      incoming.respond(200, { headers, contentType: 'application/sdp', body: this.#offer() })
    else incoming.respond(200, { headers })
    // RFC 7866 §9.1: in a transaction of its own.
    if (wantsSnapshot) this.update()
  }

  /** @returns Undefined when it cannot be read. */
  #answerTo(sdp: string): string | undefined {
    const parsed = parseSdp(sdp)
    if (!parsed.ok) return undefined
    const { description } = parsed
    const accept = (media: (typeof description.media)[number], index: number) =>
      this.#streams[index]?.answer(description, media)
    return printSdp(answerOffer(description, { ...this.#origin(), accept }))
  }

  #offer(): string {
    const session = createAudioOffer({ ...this.#origin(), port: 0, formats: [], direction: 'sendonly' })
    return printSdp({ ...session, media: this.#streams.map((stream) => stream.offer()) })
  }

  #origin() {
    return { address: this.#address, sessionId: this.#sessionId, version: ++this.#version }
  }

  /** Description and metadata: RFC 7866 §9.1. */
  #payload(): Payload {
    const { body, contentType } = printMultipart([
      { contentType: 'application/sdp', body: this.#offer() },
      {
        contentType: metadataType,
        headers: { 'Content-Disposition': 'recording-session' },
        body: this.#options.content.metadata(),
      },
    ])
    return { headers: { Require: 'siprec', Accept: accepted }, body, contentType }
  }

  /** BYE, or CANCEL while nobody has answered. Twice is fine; never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#giveUp.abort()
    const goodbye = this.#dialog?.bye().catch(() => undefined)
    await Promise.allSettled(this.#streams.map(({ port }) => port.close()))
    await goodbye
    this.#ended.resolve('closed')
  }
}
