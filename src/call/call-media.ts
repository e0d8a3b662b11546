/**
 * The media of one call: its ports and what connects them, what stands beside the audio, and the recording.
 *
 *   Call  ── openPort, bridge, record, close ─▶  here  ──▶  MediaSession, CallStreams, CallRecording
 */
import type { Logger } from '../core/logger.ts'
import type { MediaPort, MediaSession, OpenPortOptions } from '../media/types.ts'
import { CallStreams } from './call-streams.ts'
import { noPort } from './failures.ts'
import type { Leg } from './leg.ts'
import { RecordNotice } from './record-notice.ts'
import type {
  CallRecorder,
  CallRecording,
  CallSender,
  CallServices,
  RecordedTrack,
  RecordTo,
  SentCall,
  SentTrack,
} from './services.ts'

export class CallMedia {
  /** Video, fax: what two parties have beside their audio. */
  readonly streams: CallStreams
  /** Tells the parties that they are recorded. */
  readonly notice: RecordNotice
  readonly #callId: string
  readonly #session: MediaSession
  readonly #recorder: CallRecorder
  readonly #sender: CallSender | undefined
  #recording: CallRecording | undefined
  #sent: SentCall | undefined
  #sentTo: RecordTo = []

  /** @param lost Called when the media of this call are gone for good. */
  constructor(callId: string, services: CallServices, log: Logger, lost: () => void) {
    const { media, recorder, sender, clock, bus, recordNotice: sound } = services
    this.notice = new RecordNotice({
      clock,
      log,
      ...(sound && { sound }),
      preferred: ({ id: legId }, preference) =>
        bus.publish({ name: 'leg.record-preference', atMs: clock.wallMs(), callId, legId, preference }),
    })
    this.#callId = callId
    this.#recorder = recorder
    this.#sender = sender
    this.#session = media.openSession(callId)
    this.#session.on('lost', lost)
    const relays = {
      openRelay: () => this.#open({ relay: true }),
      bridge: (a: MediaPort, b: MediaPort) => this.bridge(a, b),
    }
    this.streams = new CallStreams(relays, log)
  }

  /**
   * @param recordedLater It keeps what came last, so that no packet that overtook the answer is missing.
   * @throws {CallError} `call.media-exhausted`, `call.media-lost`
   */
  openPort(recordedLater: boolean): Promise<MediaPort> {
    return this.#open({ recordedLater })
  }

  async #open(options: OpenPortOptions): Promise<MediaPort> {
    try {
      return await this.#session.openPort(options)
    } catch (error) {
      throw noPort(error)
    }
  }

  /** These two hear each other, and nobody else. */
  bridge(a: MediaPort, b: MediaPort): void {
    this.#session.bridge(a, b)
  }

  /** What `act` asks for happens at one moment. */
  together<Result>(act: () => Result): Result {
    return this.#session.together(act)
  }

  get recorded(): boolean {
    return this.#recording !== undefined
  }

  /** @param name Beginning of the names of its files. @param trunk That the call came in by. */
  record(name: string, legs: readonly Leg[], trunk?: string): void {
    const origin = trunk === undefined ? {} : { origin: { peer: trunk } }
    this.#recording = this.#recorder.start({ callId: this.#callId, name, tracks: legs.flatMap(trackOf), ...origin })
  }

  /** Where the call is sent to be recorded. */
  get sentTo(): RecordTo {
    return this.#sentTo
  }

  /** Send it there, instead of where it was sent before; nowhere any more when `to` is empty. */
  send(to: RecordTo, legs: readonly Leg[]): void {
    void this.#sent?.stop()
    this.#sentTo = this.#sender ? to : []
    const tracks = legs.flatMap(sentTrackOf)
    this.#sent =
      to.length === 0 ? undefined : this.#sender?.start({ callId: this.#callId, media: this.#session, tracks, to })
  }

  /** Who is in the call, or what one of them said of its audio, changed. */
  changed(legs: readonly Leg[]): void {
    this.notice.update(legs)
    this.#sent?.update(legs.flatMap(sentTrackOf))
  }

  /** Go on recording with `next` in the place of `leg`. */
  recordInstead(leg: Leg, next: Leg): void {
    for (const track of trackOf(next)) this.#recording?.addTrack(track)
    this.endTrack(leg)
  }

  /** A leg left; called before its port is closed. */
  endTrack(leg: Leg): void {
    this.#recording?.endTrack(leg.id)
  }

  /**
   * Called before the ports are closed. The files are finished in their turn: an ended call that waited for that would
   * stay in memory meanwhile, with all the others that ended.
   */
  stopRecording(): void {
    void this.#recording?.stop()
    void this.#sent?.stop()
    this.notice.close()
  }

  close(): Promise<void> {
    return this.#session.close()
  }
}

function sentTrackOf(leg: Leg): SentTrack[] {
  const [track] = trackOf(leg)
  if (!track) return []
  const formats: SentTrack['formats'] = () => leg.media?.wishes.formats ?? []
  const flow: SentTrack['flow'] = () => leg.media?.flow ?? { sends: false, hears: false }
  return [{ ...track, sipCallId: leg.sipCallId, formats, flow }]
}

const trackOf = ({ media, id, role, party }: Leg): RecordedTrack[] =>
  media ? [{ port: media.port, legId: id, role, party }] : []
