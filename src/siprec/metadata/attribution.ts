/**
 * Whose voice is on which stream: metadata names it by stream id and label, the SDP by label (RFC 7865 §6.9).
 *
 * In this order: what the metadata says (`send` of the association, in the drafts of the participant; by label, Cisco's
 * media index by place); when it leaves people and streams over, a guess, marked as one: the caller goes with the stream
 * labelled like a caller's, the rest by their order. Somebody who is said to send nothing (hold) is never guessed onto a
 * stream. docs/siprec/metadata.md tells the same to users.
 */
import type { Participant } from '../../events/catalogue.ts'
import { userOf } from './document/addresses.ts'
import { isPresent, type MetadataParticipant, type MetadataState } from './model.ts'

export interface Attribution {
  /** One entry for each stream somebody sends, and one without label for each who sends none. */
  readonly participants: readonly Participant[]
  /** Their ids in the metadata, one for each entry. */
  readonly ids: readonly string[]
  /** The labels given, the caller's first where it is known. */
  readonly order: readonly string[]
  /** Who is on the first channel, and the first other: the two ends of the call as it is shown. */
  readonly caller?: Participant
  readonly callee?: Participant
}

export interface Streams {
  /** Of the audio streams being recorded, in the order of the SDP; a stream without a label has some other name here. */
  readonly labels: readonly string[]
  /** Label by place among the m-lines. */
  readonly byPlace?: ReadonlyMap<number, string>
  /** Labels of streams that were recorded and are no more. */
  readonly gone?: ReadonlySet<string>
}

const callersWord = /(^|[^a-z])(a[-_]?leg|caller|calling|inbound|ingress)([^a-z]|$)/i

/** Labels that somebody is said, or guessed, to be on. */
interface Placing {
  readonly said: ReadonlyMap<string, readonly string[]>
  readonly guessed: ReadonlyMap<string, string>
}

interface Placed {
  readonly id: string
  readonly face: Participant
}

export function attribute(state: MetadataState, streams: Streams): Attribution {
  const { labels } = streams
  const present = withCaller(
    state,
    [...state.participants.values()].filter(({ id }) => isPresent(state, id)),
  )
  const said = new Map(present.map(({ id }) => [id, labelsOf(state, id, streams)]))
  const placing = { said, guessed: guess(state, present, said, streams) }

  const placed = present.flatMap((person): Placed[] => {
    const sends = said.get(person.id) ?? []
    const guessed = placing.guessed.get(person.id)
    if (sends.length > 0) return sends.map((label) => ({ id: person.id, face: faceOf(person, { label }) }))
    return [{ id: person.id, face: faceOf(person, guessed === undefined ? {} : { label: guessed, guessed: true }) }]
  })
  const participants = placed.map(({ face }) => face)

  const callersLabel = labelOfCaller(present, placing, labels)
  const order =
    callersLabel === undefined ? labels : [callersLabel, ...labels.filter((label) => label !== callersLabel)]
  const caller = participants.find(({ label }) => label !== undefined && label === order[0])
  const callee = participants.find((other) => other !== caller && other.uri !== caller?.uri)
  return { participants, ids: placed.map(({ id }) => id), order, ...(caller && { caller }), ...(callee && { callee }) }
}

function faceOf({ uris: [uri], names: [name] }: MetadataParticipant, place: Participant): Participant {
  return { ...(uri !== undefined && { uri }), ...(name !== undefined && { name: name.text }), ...place }
}

/** Where nobody is marked as the caller: who has the address that extension data gives as the caller's, if one has. */
function withCaller(state: MetadataState, present: readonly MetadataParticipant[]): readonly MetadataParticipant[] {
  if (present.some(({ calling }) => calling !== undefined)) return present
  const callers = present.filter(({ uris }) => uris.some((uri) => state.callers.includes(userOf(uri))))
  return callers.length === 1 ? present.map((person) => ({ ...person, calling: person === callers[0] })) : present
}

/** Recorded streams that this one sends, by what the metadata says. */
function labelsOf(state: MetadataState, participantId: string, { labels, byPlace }: Streams): string[] {
  const send = state.sending.get(participantId)?.send ?? []
  const found = send.flatMap((id) => {
    const stream = state.streams.get(id)
    return stream?.label ?? (stream?.place === undefined ? [] : (byPlace?.get(stream.place) ?? []))
  })
  return [...new Set(found)].filter((label) => labels.includes(label))
}

/** Participant id to label, for those of whom nothing usable is said. */
function guess(
  state: MetadataState,
  present: readonly MetadataParticipant[],
  said: ReadonlyMap<string, readonly string[]>,
  { labels, gone }: Streams,
): Map<string, string> {
  const taken = new Set([...said.values()].flat())
  const free = callerFirst(
    labels.filter((label) => !taken.has(label)),
    (label) => callersWord.test(label),
  )
  const unplaced = callerFirst(
    present.filter(({ id }) => said.get(id)?.length === 0 && !isSilent(state, id) && !hadStream(state, id, gone)),
    ({ calling }) => calling === true,
  )
  // One stream for all: a mono client whose metadata names the streams it would like to have. Where somebody is said to
  // be on it, only those who send another that is not offered.
  const [only] = labels
  if (labels.length === 1 && only !== undefined) {
    const onIt = taken.has(only) ? unplaced.filter(({ id }) => state.sending.has(id)) : unplaced
    return new Map(onIt.map(({ id }) => [id, only]))
  }
  return new Map(
    unplaced.flatMap(({ id }, index): [string, string][] => {
      const label = free[index]
      return label === undefined ? [] : [[id, label]]
    }),
  )
}

/** An association without `send`: neither held nor absent people are guessed onto a stream. */
function isSilent(state: MetadataState, participantId: string): boolean {
  return state.sending.get(participantId)?.send.length === 0
}

/** Its stream was taken away: it is not on somebody else's instead. */
function hadStream(state: MetadataState, participantId: string, gone: ReadonlySet<string> = new Set()): boolean {
  const send = state.sending.get(participantId)?.send ?? []
  return send.some((id) => gone.has(state.streams.get(id)?.label ?? ''))
}

function labelOfCaller(
  present: readonly MetadataParticipant[],
  { said, guessed }: Placing,
  labels: readonly string[],
): string | undefined {
  const of = ({ id }: MetadataParticipant) => [...(said.get(id) ?? []), ...(guessed.has(id) ? [guessed.get(id)] : [])]
  const notCallers = new Set(present.filter(({ calling }) => calling !== true).flatMap(of))
  const caller = present.find(({ calling }) => calling === true)
  const own = caller && of(caller).find((label) => label !== undefined && !notCallers.has(label))
  return own ?? labels.find((label) => callersWord.test(label))
}

/** Those for whom `isCaller` holds before the others, each in their order. */
function callerFirst<Item>(items: readonly Item[], isCaller: (item: Item) => boolean): Item[] {
  return [...items.filter(isCaller), ...items.filter((item) => !isCaller(item))]
}
