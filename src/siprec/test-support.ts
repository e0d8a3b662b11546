/** Stands in for the SIP stack and recording in tests: what a client sends is said, what it gets is kept. */

import { LiveCalls } from '../call/live-calls.ts'
import { Emitter } from '../core/emitter.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact, FactName, FactOf } from '../events/catalogue.ts'
import { FakeMedia } from '../media/test-support.ts'
import type {
  ActiveRecording,
  MuteOrder,
  PauseOrder,
  RecordingOptions,
  RecordingService,
  ResumeOrder,
  Track,
  WhoIsRecorded,
} from '../recording/types.ts'
import { Headers } from '../sip/message/headers.ts'
import { parseNameAddr } from '../sip/message/name-addr.ts'
import { parseMessage } from '../sip/message/parse.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type {
  Answer,
  Dialog,
  DialogEvents,
  Flow,
  IncomingInvite,
  IncomingRequest,
  Payload,
  SipStack,
} from '../sip/stack.types.ts'
import type { SiprecServices } from './session/types.ts'

export const flow: Flow = {
  id: 'flow',
  transport: 'tcp',
  reliable: true,
  local: { ip: '192.0.2.1', port: 5060 },
  remote: { ip: '10.0.0.9', port: 40_000 },
  open: true,
}

/** @throws {Error} when the bytes are no request: a fault of the test. */
export function readRequest(bytes: Uint8Array): SipRequest {
  const result = parseMessage(bytes)
  if (!result.ok || result.message.kind !== 'request') throw new Error('not a SIP request')
  return result.message
}

export interface Response {
  readonly status: number
  readonly answer: Answer
}

class FakeRequest implements IncomingRequest {
  readonly request: SipRequest
  readonly flow: Flow
  readonly responses: Response[] = []
  readonly #answered = Promise.withResolvers<Response>()

  constructor(request: SipRequest, from: Flow = flow) {
    this.request = request
    this.flow = from
  }

  respond(status: number, answer: Answer = {}): void {
    this.responses.push({ status, answer })
    this.#answered.resolve({ status, answer })
  }

  /** The final response. */
  get final(): Promise<Response> {
    return this.#answered.promise
  }
}

export class FakeDialog extends Emitter<DialogEvents> implements Dialog {
  readonly id = { callId: 'c', localTag: 'l', remoteTag: 'r' }
  readonly flow = flow
  state: Dialog['state'] = 'confirmed'
  readonly local = someone
  readonly remote = someone
  readonly remoteTarget = someone.uri
  readonly takesInfo = undefined
  readonly acknowledged = Promise.resolve(undefined)
  readonly sent: string[] = []
  /** What the client answers to requests of ours. */
  answersWith = 200

  request(method: string): Promise<Awaited<ReturnType<Dialog['request']>>> {
    this.sent.push(method)
    const { headers, body } = emptyRequest
    return Promise.resolve({ kind: 'response', status: this.answersWith, reason: '', headers, body })
  }

  tell(): Promise<void> {
    return Promise.resolve()
  }

  bye(): Promise<void> {
    if (this.state === 'confirmed') {
      this.state = 'terminated'
      this.sent.push('BYE')
      this.emit('ended', { by: 'local' })
    }
    return Promise.resolve()
  }

  /** The client sends a request inside the dialog; resolves with our response. */
  receive(request: SipRequest): Promise<Response> {
    const incoming = new FakeRequest(request)
    this.emit('request', incoming)
    return incoming.final
  }

  /** The client hangs up. */
  receiveBye(): void {
    this.state = 'terminated'
    this.emit('ended', { by: 'remote', request: emptyRequest })
  }
}

const emptyRequest: SipRequest = {
  kind: 'request',
  method: 'BYE',
  uri: 'sip:x',
  headers: new Headers(),
  body: new Uint8Array(),
}

const someone = parseNameAddr('<sip:someone@example.com>') ?? fail()
function fail(): never {
  throw new Error('cannot happen')
}

export class FakeInvite extends FakeRequest implements IncomingInvite {
  readonly dialog = new FakeDialog()
  readonly cancelledBy = undefined
  readonly #cancel = new AbortController()
  readonly cancelled = this.#cancel.signal

  ring(): void {
    // A recording server answers at once.
  }

  answer(answer: Payload): Dialog {
    this.respond(200, answer)
    return this.dialog
  }

  reject(status: number, answer?: Answer): void {
    this.respond(status, answer)
  }

  cancel(): void {
    this.#cancel.abort()
  }
}

/** Keeps what it was told. */
export class FakeRecordings implements RecordingService {
  readonly started: FakeRecording[] = []

  start(options: RecordingOptions): ActiveRecording {
    const recording = new FakeRecording(options)
    this.started.push(recording)
    return recording
  }

  /** Of the process before, by call. */
  readonly left = new Map<string, RecordingOptions>()

  takeUp(callId: string): Promise<ActiveRecording | undefined> {
    const options = this.left.get(callId)
    return Promise.resolve(options && this.start(options))
  }

  live(): readonly ActiveRecording[] {
    return this.started.filter(({ stopped }) => !stopped)
  }

  liveOf(callId: string): ActiveRecording | undefined {
    return this.live().find((recording) => recording.callId === callId)
  }

  settled(): Promise<void> {
    return Promise.resolve()
  }
}

export class FakeRecording implements ActiveRecording {
  readonly id = 'recording'
  readonly options: RecordingOptions
  readonly tracks: Track[]
  readonly endedLegs: string[] = []
  /** What was asked of it while it ran: `pause recording signalling`, `mute <leg> signalling`. */
  readonly orders: string[] = []
  readonly status = { recordingPaused: false, transcriptionPaused: false, mutedLegs: [] }
  who: WhoIsRecorded | undefined
  stopped = false
  hasLeft = false

  constructor(options: RecordingOptions) {
    this.options = options
    this.tracks = [...options.tracks]
  }

  get name(): string {
    return this.options.name
  }

  get callId(): string {
    return this.options.callId
  }

  get legIds(): readonly string[] {
    return this.tracks.map(({ legId }) => legId).filter((legId) => !this.endedLegs.includes(legId))
  }

  addTrack(track: Track): void {
    this.tracks.push(track)
  }

  pause({ what = 'recording', by }: PauseOrder): void {
    this.orders.push(`pause ${what} ${by}`)
  }

  resume({ what = 'recording', by }: ResumeOrder): void {
    this.orders.push(`resume ${what} ${by}`)
  }

  mute(legId: string, { by }: MuteOrder): void {
    this.orders.push(`mute ${legId} ${by}`)
  }

  noteSilence(legId: string, sinceMs: number | undefined): void {
    this.orders.push(`${sinceMs === undefined ? 'heard' : 'silent'} ${legId}`)
  }

  unmute(legId: string, { by }: MuteOrder): void {
    this.orders.push(`unmute ${legId} ${by}`)
  }

  endTrack(legId: string): void {
    this.endedLegs.push(legId)
  }

  describe(who: WhoIsRecorded): void {
    this.who = who
  }

  leave(): Promise<void> {
    this.hasLeft = true
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.stopped = true
    return Promise.resolve()
  }
}

/** Everything a session needs, with what it did on the outside. */
export class World {
  readonly clock = new FakeClock()
  readonly media = new FakeMedia()
  readonly recordings = new FakeRecordings()
  readonly live = new LiveCalls()
  readonly facts: Fact[] = []
  readonly services: SiprecServices

  constructor() {
    const bus = new FactBus()
    bus.onAny((fact) => this.facts.push(fact))
    this.services = {
      clock: this.clock,
      log: silentLogger,
      stack: { contact: () => '<sip:recorder@192.0.2.1:5060;transport=tcp>' } as unknown as SipStack,
      media: this.media,
      bus,
      live: this.live,
      recordings: this.recordings,
      advertisedIp: () => '192.0.2.1',
      messages: () => [],
    }
  }

  told<Name extends FactName>(name: Name): FactOf<Name>[] {
    return this.facts.filter((fact): fact is FactOf<Name> => fact.name === name)
  }
}
