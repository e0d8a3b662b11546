/**
 * Whose voice is on which stream: metadata names it by stream id and label, the SDP by label (RFC 7865 §6.9).
 *
 * In this order: what the metadata says; when it leaves people and streams over, a guess, marked as one: the caller
 * goes with the stream labelled like a caller's, the rest by their order. Somebody who is said to send nothing (hold)
 * is never guessed onto a stream.
 */
import type { Participant } from '../events/catalogue.ts'
import { isPresent, type MetadataParticipant, type MetadataState } from './metadata.ts'

export interface Attribution {
  /** One entry for each stream somebody sends, and one without label for each who sends none. */
  readonly participants: readonly Participant[]
  /** The labels given, the caller's first where it is known. */
  readonly order: readonly string[]
  /** Who is on the first channel, and the first other: the two ends of the call as it is shown. */
  readonly caller?: Participant
  readonly callee?: Participant
}

const callersWord = /(^|[^a-z])(a[-_]?leg|caller|calling|inbound)([^a-z]|$)/i

/** @param labels Of the audio streams being recorded, in the order of the SDP. */
export function attribute(state: MetadataState, labels: readonly string[]): Attribution {
  const present = [...state.participants.values()].filter(({ id }) => isPresent(state, id))
  const said = new Map(present.map(({ id }) => [id, labelsOf(state, id).filter((label) => labels.includes(label))]))
  const guesses = guess(state, present, said, labels)

  const participants = present.flatMap((person): Participant[] => {
    const sends = said.get(person.id) ?? []
    const guessed = guesses.get(person.id)
    if (sends.length > 0) return sends.map((label) => faceOf(person, { label }))
    return [faceOf(person, guessed === undefined ? {} : { label: guessed, guessed: true })]
  })

  const callersLabel = labelOfCaller(present, said, guesses, labels)
  const order =
    callersLabel === undefined ? labels : [callersLabel, ...labels.filter((label) => label !== callersLabel)]
  const caller = participants.find(({ label }) => label !== undefined && label === order[0])
  const callee = participants.find((other) => other !== caller && other.uri !== caller?.uri)
  return { participants, order, ...(caller && { caller }), ...(callee && { callee }) }
}

function faceOf({ uris: [uri], name }: MetadataParticipant, place: Participant): Participant {
  return { ...(uri !== undefined && { uri }), ...(name !== undefined && { name }), ...place }
}

function labelsOf(state: MetadataState, participantId: string): string[] {
  const send = state.sending.get(participantId)?.send ?? []
  return [...new Set(send.map((stream) => state.labels.get(stream)).filter((label) => label !== undefined))]
}

/** Participant id to label, for those of whom nothing usable is said. */
function guess(
  state: MetadataState,
  present: readonly MetadataParticipant[],
  said: ReadonlyMap<string, readonly string[]>,
  labels: readonly string[],
): Map<string, string> {
  const taken = new Set([...said.values()].flat())
  const free = callerFirst(
    labels.filter((label) => !taken.has(label)),
    (label) => callersWord.test(label),
  )
  const unplaced = callerFirst(
    present.filter(({ id }) => said.get(id)?.length === 0 && !isSilent(state, id)),
    ({ calling }) => calling === true,
  )
  // One stream for all: a mono SRC whose metadata names the streams it would like to have.
  const [only] = free
  if (labels.length === 1 && only !== undefined) return new Map(unplaced.map(({ id }) => [id, only]))
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

function labelOfCaller(
  present: readonly MetadataParticipant[],
  said: ReadonlyMap<string, readonly string[]>,
  guesses: ReadonlyMap<string, string>,
  labels: readonly string[],
): string | undefined {
  const of = ({ id }: MetadataParticipant) => [...(said.get(id) ?? []), ...(guesses.has(id) ? [guesses.get(id)] : [])]
  const notCallers = new Set(present.filter(({ calling }) => calling !== true).flatMap(of))
  const caller = present.find(({ calling }) => calling === true)
  const own = caller && of(caller).find((label) => label !== undefined && !notCallers.has(label))
  return own ?? labels.find((label) => callersWord.test(label))
}

/** Those for whom `isCaller` holds before the others, each in their order. */
function callerFirst<Item>(items: readonly Item[], isCaller: (item: Item) => boolean): Item[] {
  return [...items.filter(isCaller), ...items.filter((item) => !isCaller(item))]
}
