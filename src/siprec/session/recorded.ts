/**
 * Who and what of one session is recorded: its people laid over its streams, and the recording they become.
 *
 *   session.ts ── metadata, streams ─▶  here  ── describe, addTrack, pause ─▶  recording/
 */
import { partyAt } from '../../call/party.ts'
import type { Clock } from '../../core/clock.ts'
import type { Party } from '../../events/catalogue.ts'
import type { CommunicationSession, VendorFacts } from '../../events/siprec.ts'
import type { ActiveRecording } from '../../recording/types.ts'
import { fromOf, toOf } from '../../sip/message/fields.ts'
import type { SipRequest } from '../../sip/message/types.ts'
import { followPauses } from '../follow-pauses.ts'
import type { MetadataDocument } from '../metadata/model.ts'
import { People, type PeopleOnStreams, partyOf, type RecordedStream } from '../metadata/people.ts'
import type { Stream } from '../streams.ts'
import type { Checkpoint } from '../survival/checkpoint.ts'
import { messageAt, withMessage } from './messages.ts'

export interface RecordedOptions {
  /** Whom it names is who is heard, as long as no metadata says more. */
  readonly invite: SipRequest
  readonly atMs: number
  readonly clock: Clock
  /** Of the process before this one. */
  readonly messages: Checkpoint['messages'] | undefined
  readonly streams: () => readonly Stream[]
  /** A recording without tracks. */
  readonly start: () => ActiveRecording
  /** A partial document names somebody who was never told. */
  readonly onUnplaced: () => void
}

export class Recorded {
  readonly #options: RecordedOptions
  readonly #people: People
  #who: PeopleOnStreams
  #active: ActiveRecording | undefined
  #messages: Checkpoint['messages']

  constructor(options: RecordedOptions) {
    this.#options = options
    this.#people = new People(options.invite)
    this.#who = this.#people.on([], options.atMs)
    this.#messages = options.messages ?? [messageAt(options.atMs, options.invite)]
  }

  /** The recording; undefined before the session was accepted. */
  get active(): ActiveRecording | undefined {
    return this.#active
  }

  get who(): PeopleOnStreams {
    return this.#who
  }

  get sessions(): readonly CommunicationSession[] {
    return this.#people.sessions
  }

  get vendor(): VendorFacts | undefined {
    return this.#people.vendor
  }

  /** Requests that told who is in it, for the process after this one. */
  get messages(): Checkpoint['messages'] {
    return this.#messages
  }

  /** @param request That brought it, to be kept; none when it is kept already. */
  learn(document: MetadataDocument, request?: SipRequest): void {
    const isPlaced = document.mode === 'complete' || this.#people.knows(document)
    this.#people.merge(document)
    const { clock, onUnplaced } = this.#options
    if (!isPlaced) onUnplaced()
    if (request) this.#messages = withMessage(this.#messages, clock.wallMs(), request)
  }

  /** Who is on which stream now: after each offer and each document. @param atMs Wall time of that message. */
  look(atMs: number): void {
    this.#who = this.#people.on(this.#options.streams().map(placed), atMs)
  }

  /** @param left That of the process before this one, to go on with. */
  begin(left?: ActiveRecording): void {
    this.#active = left ?? this.#options.start()
  }

  /** Give a stream its track. */
  track({ legId, port, offered: { label } }: Stream): void {
    const party = this.partyOn(legId)
    this.#active?.addTrack({ port, legId, role: 'stream', party, ...(label !== undefined && { label }) })
  }

  describe(): void {
    this.#active?.describe({ participants: this.#who.everyone, channelOrder: this.#who.channelOrder })
  }

  followPauses(): void {
    if (this.#active) followPauses(this.#active, this.#options.streams())
  }

  /** The people of the metadata; without them, whom the dialog names. */
  get from(): Party {
    return partyOf(this.#who.caller) ?? partyAt(fromOf(this.#options.invite))
  }

  get to(): Party {
    return partyOf(this.#who.callee) ?? partyAt(toOf(this.#options.invite))
  }

  partyOn(legId: string): Party {
    return partyOf(this.#who.onLeg.get(legId)) ?? partyAt(fromOf(this.#options.invite))
  }
}

const placed = ({ legId, offered: { index, label } }: Stream): RecordedStream =>
  label === undefined ? { legId, index } : { legId, index, label }
