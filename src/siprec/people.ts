/**
 * Who is in a recording session: the metadata so far, laid over the streams that are recorded now.
 *
 * `now` is who is in the call at this moment; `everyone` is who was heard on which stream at any time, which is what
 * the recording keeps: after a transfer one channel holds two voices.
 */
import type { Participant, Party } from '../events/catalogue.ts'
import { type Attribution, attribute } from './attribution.ts'
import { type MetadataDocument, type MetadataState, mergeMetadata, noMetadata } from './metadata.ts'

/** A stream being recorded, in the order of the SDP. */
export interface RecordedStream {
  readonly legId: string
  readonly label?: string
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
  #state: MetadataState = noMetadata
  #everyone: readonly Participant[] = []

  merge(document: MetadataDocument): void {
    this.#state = mergeMetadata(this.#state, document)
  }

  /** Labels hold for the message that carries them, so this is asked anew after each offer. */
  on(streams: readonly RecordedStream[]): PeopleOnStreams {
    const keys = keysOf(streams)
    const attribution = attribute(this.#state, [...keys.keys()])
    const place = (person: Participant): Participant => {
      const { label: key, ...face } = person
      const stream = key === undefined ? undefined : keys.get(key)
      if (!stream) return face
      return { ...face, legId: stream.legId, ...(stream.label !== undefined && { label: stream.label }) }
    }
    const now = attribution.participants.map(place)
    this.#remember(now)
    return {
      now,
      everyone: this.#everyone,
      channelOrder: attribution.order.flatMap((key) => keys.get(key)?.legId ?? []),
      ...endsOf(attribution, place),
      onLeg: new Map(
        now.toReversed().flatMap((person) => (person.legId === undefined ? [] : [[person.legId, person]])),
      ),
    }
  }

  /** A guess, and somebody without a stream, count only as long as they are current. */
  #remember(now: readonly Participant[]): void {
    const past = this.#everyone.filter(
      (person) => isHeard(person) && !now.some((other) => other.legId === person.legId && isSamePerson(other, person)),
    )
    const silent = (person: Participant) =>
      person.legId === undefined && past.some((other) => isSamePerson(other, person))
    this.#everyone = [...past, ...now.filter((person) => !silent(person))]
  }
}

const isHeard = ({ legId, guessed }: Participant): boolean => legId !== undefined && guessed !== true
const isSamePerson = (a: Participant, b: Participant): boolean => a.uri === b.uri && a.name === b.name

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
