/**
 * What is known after a further document: a complete one replaces all, a partial one only what it names, keyed by ids
 * (RFC 7865 §6.1.1).
 */
import type { MetadataSpan } from '../../events/siprec.ts'
import type { MetadataDocument, MetadataParticipant, MetadataPresence, MetadataState } from './model.ts'

/** Of each kind, and of one of them: a session that lives for weeks, or a client that never repeats an id, may send more. */
const mostKept = 1_000
const mostSpans = 100

/** A `send` that the new association of a participant does not list has stopped. */
export function mergeMetadata(before: MetadataState, update: MetadataDocument): MetadataState {
  if (update.mode === 'complete') return update
  return {
    groups: mergeEach(before.groups, update.groups, overlay),
    sessions: mergeEach(before.sessions, update.sessions, (old, now) => ({
      ...old,
      ...now,
      ...(now.recorded && { recorded: mergeSpans(old.recorded ?? [], now.recorded) }),
    })),
    participants: mergeEach(before.participants, update.participants, mergeParticipant),
    streams: mergeEach(withoutLabelsOf(before.streams, update.streams), update.streams, overlay),
    sending: mergeEach(before.sending, update.sending, (_, now) => now),
    presence: mergeEach(before.presence, update.presence, (old, now) => mergeEach(old, now, mergePresence)),
    callers: update.callers.length > 0 ? update.callers : before.callers,
  }
}

function mergeEach<Value>(
  before: ReadonlyMap<string, Value>,
  update: ReadonlyMap<string, Value>,
  merge: (old: Value, now: Value) => Value,
): ReadonlyMap<string, Value> {
  const merged = new Map(before)
  for (const [id, now] of update) {
    const old = merged.get(id)
    merged.set(id, old === undefined ? now : merge(old, now))
  }
  // The oldest first; those that were there before keep their place.
  for (const id of merged.keys()) {
    if (merged.size <= mostKept) break
    merged.delete(id)
  }
  return merged
}

const overlay = <Value extends object>(old: Value, now: Value): Value => ({ ...old, ...now })

/** A participant that is named again without its addresses keeps them. */
function mergeParticipant(old: MetadataParticipant, now: MetadataParticipant): MetadataParticipant {
  const named = now.uris.length + now.names.length > 0
  return { ...old, ...now, ...(!named && { uris: old.uris, names: old.names }) }
}

const mergePresence = (old: MetadataPresence, now: MetadataPresence): MetadataPresence => ({
  present: now.present,
  spans: mergeSpans(old.spans, now.spans),
  params: now.params.length > 0 ? now.params : old.params,
})

/** A span that began when one is known to have begun is that one; an end without a beginning ends the one that lasts. */
function mergeSpans(before: readonly MetadataSpan[], update: readonly MetadataSpan[]): MetadataSpan[] {
  const merged = [...before]
  for (const span of update) {
    const place = merged.findIndex(({ fromMs, untilMs }) =>
      span.fromMs === undefined ? untilMs === undefined : fromMs === span.fromMs,
    )
    if (place < 0) merged.push(span)
    else merged[place] = { ...merged[place], ...span }
  }
  return merged.slice(-mostSpans)
}

/** A label goes with the stream that had it last: labels hold for the message that carries them (RFC 7866 §8.1.1). */
function withoutLabelsOf(before: MetadataState['streams'], update: MetadataState['streams']): MetadataState['streams'] {
  const taken = new Set([...update.values()].map(({ label }) => label))
  return new Map(
    [...before].map(([id, { label, ...stream }]) => [
      id,
      label === undefined || taken.has(label) ? stream : { ...stream, label },
    ]),
  )
}
