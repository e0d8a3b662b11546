/**
 * Does what phones wish of recording (`a=recordpref`, RFC 7866 §7.1.3): a pause, as long as one of the two parties wants it.
 *
 *   events/ ── leg.record-preference ─▶ here ── pause, or go on ─▶ recording/, siprec/client/
 */
import type { FactBus } from '../events/bus.ts'

/** @param pause Called when what a call is wished to be changes. */
export function honorPreferences(bus: FactBus, pause: (callId: string, on: boolean) => void): void {
  /** Legs that want no recording, by their call. */
  const against = new Map<string, Set<string>>()
  const wish = (callId: string, legId: string, paused: boolean): void => {
    const legs = against.get(callId) ?? new Set()
    const before = legs.size
    if (paused) legs.add(legId)
    else legs.delete(legId)
    if (legs.size > 0) against.set(callId, legs)
    else against.delete(callId)
    if (before > 0 !== legs.size > 0) pause(callId, legs.size > 0)
  }
  bus.on('leg.record-preference', ({ callId, legId, preference }) =>
    wish(callId, legId, preference === 'off' || preference === 'pause'),
  )
  // What was wished before it began; once everybody has heard that it did.
  const begun = ({ callId }: { readonly callId: string }): void =>
    queueMicrotask(() => {
      if (against.has(callId)) pause(callId, true)
    })
  bus.on('recording.started', begun)
  bus.on('srs.started', begun)
  bus.on('leg.ended', ({ callId, legId }) => wish(callId, legId, false))
  bus.on('call.ended', ({ callId }) => against.delete(callId))
}
