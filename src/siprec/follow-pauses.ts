/**
 * The recording pauses where the recording client says that it does: with `a=inactive`, or by zeros in place of its
 * address, as BroadWorks and Metaswitch hold (RFC 7866 §7.2, RFC 3264 §8.4). What still comes on such a stream is not
 * kept; it goes on when the client offers a direction and an address again.
 */
import type { ActiveRecording } from '../recording/types.ts'
import { isHeld, type Stream } from './streams.ts'

const order = { by: 'signalling' } as const

/** @param streams As they are now; all of them paused is a pause of the recording, some of them are muted. */
export function followPauses(
  recording: Pick<ActiveRecording, 'pause' | 'resume' | 'mute' | 'unmute'>,
  streams: readonly Pick<Stream, 'legId' | 'offered' | 'heldByAddress'>[],
): void {
  const held = streams.filter(isHeld)
  const all = streams.length > 0 && held.length === streams.length
  if (all) recording.pause(order)
  // What stays silent is muted before the rest is heard again.
  for (const stream of held) if (!all) recording.mute(stream.legId, order)
  for (const stream of streams) if (all || !held.includes(stream)) recording.unmute(stream.legId, order)
  if (!all) recording.resume(order)
}
