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
import type { CallRecorder, CallRecording, CallServices, RecordedTrack } from './services.ts'

export class CallMedia {
  /** Video, fax: what two parties have beside their audio. */
  readonly streams: CallStreams
  readonly #callId: string
  readonly #session: MediaSession
  readonly #recorder: CallRecorder
  #recording: CallRecording | undefined

  /** @param lost Called when the media of this call are gone for good. */
  constructor(callId: string, { media, recorder }: CallServices, log: Logger, lost: () => void) {
    this.#callId = callId
    this.#recorder = recorder
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
  }

  close(): Promise<void> {
    return this.#session.close()
  }
}

const trackOf = ({ media, id, role, party }: Leg): RecordedTrack[] =>
  media ? [{ port: media.port, legId: id, role, party }] : []
