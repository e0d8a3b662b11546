/**
 * A SIPREC recording client (SRC): sends what the parties of a call say to a recording server, a stream for each.
 *
 *   script  ── start, stop ─▶  here  ── INVITE with SDP and metadata, RTP ─▶  recording server (SRS)
 *
 * RFC 7866 for the session, RFC 7865 for the metadata. Missing: changes during the session.
 */
import type { G711Law } from '../codec/g711.ts'
import type { Clock } from '../core/clock.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import { newId, randomUint32 } from '../core/random.ts'
import { connectionOf, labelOf, pcma, pcmu } from '../sdp/media.ts'
import { createAudioOffer } from '../sdp/offer-answer.ts'
import { parseSdp } from '../sdp/parse.ts'
import { printSdp } from '../sdp/print.ts'
import { printMultipart } from '../sip/message/multipart.ts'
import { createSipStack } from '../sip/stack.ts'
import type { Address, Dialog, DialogEnd, SipStack } from '../sip/stack.types.ts'
import { sdpType } from './phone-sdp.ts'
import { recordingMetadata } from './recording-metadata.ts'
import { RtpEndpoint } from './rtp-endpoint.ts'
import { Talker } from './talker.ts'

export interface RecordingClientOptions {
  readonly clock: Clock
  readonly log?: Logger
  /** Our own address. Default 127.0.0.1. */
  readonly ip?: string
  readonly transport?: 'udp' | 'tcp'
  readonly server: Address
}

/** What one party says, and who it is. */
export interface PartyStream {
  readonly label: string
  /** Address of record: `sip:alice@example.com`. */
  readonly uri: string
  readonly name: string
  readonly law: G711Law
  /** 8 kHz; silence follows it until the session ends. */
  readonly speech: Int16Array
}

export class RecordingClient {
  readonly #options: RecordingClientOptions
  readonly #stack: SipStack
  readonly #sessions = new Set<RecordingSession>()

  static async create(options: RecordingClientOptions): Promise<RecordingClient> {
    const { clock, ip = '127.0.0.1', transport = 'udp', log = silentLogger } = options
    const stack = await createSipStack({
      clock,
      log,
      listen: [{ transport, ip, port: 0 }],
      userAgent: 'Patchbay simulated recording client',
    })
    return new RecordingClient(options, stack)
  }

  private constructor(options: RecordingClientOptions, stack: SipStack) {
    this.#options = options
    this.#stack = stack
  }

  /**
   * Start a recording session and send until it is stopped.
   * @throws {Error} when the server refuses it or one of its streams.
   */
  async start(streams: readonly PartyStream[]): Promise<RecordingSession> {
    const { clock, ip = '127.0.0.1', transport = 'udp', server } = this.#options
    const endpoints = await Promise.all(streams.map(() => RtpEndpoint.open(ip)))
    const ports = endpoints.map(({ address }) => address.port)
    const { body, contentType } = printMultipart([
      { contentType: sdpType, body: offerOf(ip, streams, ports) },
      {
        contentType: 'application/rs-metadata+xml',
        headers: { 'Content-Disposition': 'recording-session' },
        body: recordingMetadata(newId(), streams, new Date(clock.wallMs())),
      },
    ])
    const { outcome } = this.#stack.invite({
      target: { uri: `sip:recorder@${server.ip}:${server.port}`, via: { transport, ...server } },
      from: `<sip:src@${ip}>`,
      to: `<sip:recorder@${server.ip}:${server.port}>`,
      contactParams: ';+sip.src',
      headers: { Require: 'siprec', Accept: `${sdpType}, application/rs-metadata-request` },
      body,
      contentType,
    })
    const result = await outcome
    const remotes = result.answered ? remotesOf(result.response.body, streams) : undefined
    if (!result.answered || !remotes) {
      for (const endpoint of endpoints) endpoint.close()
      if (result.answered) await result.dialog.bye()
      const { status, reason } = result.response
      throw new Error(`the recording server answered ${status} ${reason}${remotes ? '' : ', not all streams taken'}`)
    }
    const talkers = streams.map(({ law, speech }, index) => {
      const endpoint = endpoints[index] as RtpEndpoint
      endpoint.sendTo(remotes[index] as Address)
      return new Talker({
        clock,
        law,
        payloadType: formatOf(law).payloadType,
        speech,
        send: (packet) => endpoint.send(packet),
      })
    })
    const session = new RecordingSession(result.dialog, endpoints, talkers)
    this.#sessions.add(session)
    void session.ended.then(() => this.#sessions.delete(session))
    return session
  }

  /** Stop what still runs, then close. */
  async close(): Promise<void> {
    await Promise.allSettled(Array.from(this.#sessions, (session) => session.stop()))
    await this.#stack.close()
  }
}

/** A recording session that runs. */
export class RecordingSession {
  readonly #dialog: Dialog
  readonly #endpoints: readonly RtpEndpoint[]
  readonly #talkers: readonly Talker[]
  /** Resolves when the session is over, however it ended. */
  readonly ended: Promise<DialogEnd>

  constructor(dialog: Dialog, endpoints: readonly RtpEndpoint[], talkers: readonly Talker[]) {
    this.#dialog = dialog
    this.#endpoints = endpoints
    this.#talkers = talkers
    this.ended = new Promise((resolve) =>
      dialog.on('ended', (end) => {
        this.#closeMedia()
        resolve(end)
      }),
    )
    for (const talker of talkers) talker.start()
  }

  get sipCallId(): string {
    return this.#dialog.id.callId
  }

  /** All parties have said what they had to say. */
  get spoken(): boolean {
    return this.#talkers.every((talker) => talker.spoken)
  }

  /** The samples sent in the stream of this index, as the server decodes them. */
  sent(index: number): Int16Array {
    return this.#talkers[index]?.sent() ?? new Int16Array(0)
  }

  /** Whether the server still knows the session: the status of its answer to an OPTIONS inside it. */
  async ask(): Promise<number> {
    return (await this.#dialog.request('OPTIONS')).status
  }

  /** BYE; resolves when it is answered. */
  async stop(): Promise<void> {
    for (const talker of this.#talkers) talker.stop()
    await this.#dialog.bye()
    this.#closeMedia()
  }

  #closeMedia(): void {
    for (const talker of this.#talkers) talker.stop()
    for (const endpoint of this.#endpoints) endpoint.close()
  }
}

const formatOf = (law: G711Law) => (law === 'PCMU' ? pcmu : pcma)

/** One m-line a party, `sendonly` and labelled (RFC 7866 §7.1.1). */
function offerOf(ip: string, streams: readonly PartyStream[], ports: readonly number[]): string {
  const sessionId = String(randomUint32())
  const offers = streams.map(({ law, label }, index) =>
    createAudioOffer({
      address: ip,
      port: ports[index] ?? 0,
      sessionId,
      version: 1,
      formats: [formatOf(law)],
      direction: 'sendonly',
      ptimeMs: 20,
      label,
    }),
  )
  const [first] = offers
  return first ? printSdp({ ...first, media: offers.flatMap(({ media }) => media) }) : ''
}

/** Where each stream goes, in the order of the offer; undefined when one was refused or lost its label. */
function remotesOf(body: Uint8Array, streams: readonly PartyStream[]): Address[] | undefined {
  const parsed = parseSdp(body)
  if (!parsed.ok) return undefined
  const { description } = parsed
  const remotes = streams.map(({ label }, index) => {
    const media = description.media[index]
    const connection = media && connectionOf(description, media)
    if (!media || !connection || media.port === 0 || labelOf(media) !== label) return undefined
    return { ip: connection.address, port: media.port }
  })
  return remotes.every((remote) => remote !== undefined) ? remotes : undefined
}
