/**
 * The recording pauses where the recording client says that it does: with `a=inactive`, or by taking its address back
 * (RFC 7866 §7.2, RFC 3264 §8.4). What still comes on such a stream is not kept.
 */
import type { ActiveRecording } from '../recording/types.ts'
import { isPaused } from './offer.ts'
import type { Stream } from './streams.ts'

const order = { by: 'signalling' } as const

/** @param streams As they are now; all of them paused is a pause of the recording, some of them are muted. */
export function followPauses(
  recording: Pick<ActiveRecording, 'pause' | 'resume' | 'mute' | 'unmute'>,
  streams: readonly Pick<Stream, 'legId' | 'offered' | 'heldByAddress'>[],
): void {
  const held = streams.filter(({ offered, heldByAddress }) => heldByAddress || isPaused(offered))
  const all = streams.length > 0 && held.length === streams.length
  if (all) recording.pause(order)
  // What stays silent is muted before the rest is heard again.
  for (const stream of held) if (!all) recording.mute(stream.legId, order)
  for (const stream of streams) if (all || !held.includes(stream)) recording.unmute(stream.legId, order)
  if (!all) recording.resume(order)
}
