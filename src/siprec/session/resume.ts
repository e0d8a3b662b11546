/**
 * A session that outlives its process: what the next one has to know, and how that one goes on with it. Who keeps it
 * meanwhile: survival/.
 */
import type { Dialog } from '../../sip/stack.types.ts'
import type { Checkpoint } from '../survival/checkpoint.ts'
import { documentsIn } from './messages.ts'
import type { SessionParts } from './parts.ts'

/** Undefined when the process after this one could not go on with it: keys by DTLS, or nothing to go on with. */
export function checkpointOf(parts: SessionParts, dialog: Dialog, answeredAtMs: number): Checkpoint | undefined {
  const { id, startedAtMs, guest, services, streams, exchange, recorded } = parts
  const snapshot = services.stack.snapshot(dialog)
  const kept = streams.keep()
  if (!snapshot || !kept || !exchange.offer) return undefined
  const { dialect, tags, ...more } = guest.terms
  return structuredClone({
    version: 1,
    id,
    startedAtMs,
    answeredAtMs,
    terms: { dialect, tags: [...tags], ...(more as object) },
    messages: recorded.messages,
    description: exchange.offer.text,
    ours: exchange.ours,
    streams: [...kept],
    dialog: snapshot as Checkpoint['dialog'],
  })
}

/**
 * Go on at its ports and in its recording.
 *
 * @param isOver It may be ended meanwhile.
 * @returns Whether a stream of it is left.
 */
export async function goOn(parts: SessionParts, kept: Checkpoint, isOver: () => boolean): Promise<boolean> {
  const { id, services, streams, exchange, recorded, facts } = parts
  const left = await services.recordings.takeUp(id)
  // What is there is finished.
  if (isOver()) {
    void left?.stop()
    return true
  }
  recorded.begin(left)
  const offer = exchange.read(kept.description)
  const restored = await streams.restore(offer, kept.streams)
  if (isOver()) return true
  exchange.settle(offer)
  for (const { atMs, document } of documentsIn(kept.messages)) {
    if (document) recorded.learn(document)
    recorded.look(atMs)
  }
  for (const stream of restored) recorded.track(stream)
  recorded.describe()
  recorded.followPauses()
  facts.tell('siprec.session-resumed', { legIds: restored.map(({ legId }) => legId) })
  for (const stream of restored) streams.watch(stream)
  return restored.length > 0
}
