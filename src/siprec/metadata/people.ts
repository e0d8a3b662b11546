/**
 * Who is in a recording session: the metadata so far, laid over the streams that are recorded now.
 *
 * `now` is who is in the call at this moment; `everyone` is who was heard on which stream at any time, which is what
 * the recording keeps.
 */
import type { Participant, Party } from '../../events/catalogue.ts'
import type { CommunicationSession, VendorFacts } from '../../events/siprec.ts'
import type { SipRequest } from '../../sip/message/types.ts'
import { type Attribution, attribute } from './attribution.ts'
import { communicationSessions } from './communication.ts'
import { Heard } from './heard.ts'
import { mergeMetadata } from './merge.ts'
import { type MetadataDocument, type MetadataState, noMetadata, statedTimes } from './model.ts'
import { restoreState, type SavedPeople, saveState } from './saved.ts'
import { VendorMemory } from './vendor/vendor.ts'

/** A stream being recorded, in the order of the SDP. */
export interface RecordedStream {
  readonly legId: string
  readonly label?: string
  /** Its place among all m-lines; among the recorded streams when it is not given. */
  readonly index?: number
}

export interface PeopleOnStreams {
  readonly now: readonly Participant[]
  readonly everyone: readonly Participant[]
  /** Leg ids, the caller's first where it is known. */
  readonly channelOrder: readonly string[]
  readonly caller?: Participant
  readonly callee?: Participant
  /** By leg id: who is heard on it now. */
  readonly onLeg: ReadonlyMap<string, Participant>
}

export class People {
  #state: MetadataState
  readonly #heard: Heard
  readonly #vendor: VendorMemory
  /** Labels that were recorded at some time. */
  readonly #labels: Set<string>

  /**
   * @param invite Tells whose product the client is.
   * @param saved What `save` gave before a restart.
   */
  constructor(invite?: SipRequest, saved?: SavedPeople) {
    this.#state = saved ? restoreState(saved.state) : noMetadata
    this.#heard = new Heard(saved?.heard)
    this.#labels = new Set(saved?.labels)
    this.#vendor = new VendorMemory(invite, saved?.vendor)
  }

  /** Plain JSON for a checkpoint. */
  save(): SavedPeople {
    const { vendor } = this
    return {
      state: saveState(this.#state),
      heard: this.#heard.entries,
      labels: [...this.#labels],
      ...(vendor && { vendor }),
    }
  }

  /** Whether a partial document speaks only of people that were told before, or that it tells itself. */
  knows({ participants, sending, presence }: MetadataDocument): boolean {
    const named = [...sending.keys(), ...presence.keys()]
    return named.every((id) => this.#state.participants.has(id) || participants.has(id))
  }

  merge(document: MetadataDocument): void {
    this.#state = mergeMetadata(this.#state, document)
    this.#vendor.learn(document)
  }

  /** The communication sessions by the metadata so far, in the order in which they were named. */
  get sessions(): readonly CommunicationSession[] {
    return communicationSessions(this.#state)
  }

  /** Undefined when the client told nothing of its own. */
  get vendor(): VendorFacts | undefined {
    return this.#vendor.facts
  }

  /**
   * Labels hold for the message that carries them, so this is asked anew after each offer.
   * @param atMs Wall time of that message.
   */
  on(streams: readonly RecordedStream[], atMs: number): PeopleOnStreams {
    const keys = keysOf(streams)
    const labels = [...keys.keys()]
    const byPlace = new Map([...keys].map(([key, { index }], place) => [index ?? place, key]))
    const gone = new Set([...this.#labels].filter((label) => !keys.has(label)))
    for (const label of labels) this.#labels.add(label)
    const attribution = attribute(this.#state, { labels, byPlace, gone })
    const place = (person: Participant): Participant => {
      const { label: key, ...face } = person
      const stream = key === undefined ? undefined : keys.get(key)
      if (!stream) return face
      return { ...face, legId: stream.legId, ...(stream.label !== undefined && { label: stream.label }) }
    }
    const now = attribution.participants.map(place)
    const ids = new Map(now.map((person, index) => [person, attribution.ids[index] ?? '']))
    this.#heard.note(ids, atMs, (id) => statedTimes(this.#state, id))
    return {
      now,
      everyone: this.#heard.everyone,
      channelOrder: attribution.order.flatMap((key) => keys.get(key)?.legId ?? []),
      ...endsOf(attribution, place),
      onLeg: byLeg(now),
    }
  }
}

/** The first on each leg; who is said to be on it before who is only guessed to. */
function byLeg(now: readonly Participant[]): Map<string, Participant> {
  const found = new Map<string, Participant>()
  for (const person of [...now.filter(({ guessed }) => !guessed), ...now.filter(({ guessed }) => guessed)]) {
    if (person.legId !== undefined && !found.has(person.legId)) found.set(person.legId, person)
  }
  return found
}

/** Somebody of the metadata as a party of the call; undefined when it gives no address. */
export function partyOf(person: Participant | undefined): Party | undefined {
  if (person?.uri === undefined) return undefined
  return { uri: person.uri, ...(person.name !== undefined && { name: person.name }) }
}

/** A name for each stream to attribute by: its label; its place when it has none or another has the same. */
function keysOf(streams: readonly RecordedStream[]): Map<string, RecordedStream> {
  const keys = new Map<string, RecordedStream>()
  for (const [place, stream] of streams.entries()) {
    const { label } = stream
    keys.set(label !== undefined && !keys.has(label) ? label : `\u0000${place}`, stream)
  }
  return keys
}

function endsOf({ caller, callee }: Attribution, place: (person: Participant) => Participant) {
  return { ...(caller && { caller: place(caller) }), ...(callee && { callee: place(callee) }) }
}
