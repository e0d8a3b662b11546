/**
 * Sends the packets of many streams evenly: each stream one every 20 ms, the streams spread over those 20 ms.
 *
 * One clock with absolute deadlines, so that no delay adds up; how late packets left is measured, for a generator that
 * is late measures itself.
 */
export interface Pacing {
  readonly packets: number
  readonly lateP99Ms: number
  readonly lateMaxMs: number
}

const frameMs = 20

/** @param send Told for each packet: its stream from 0, its number in the stream from 0. */
export function pace(
  streams: number,
  packetsEach: number,
  send: (stream: number, packet: number) => void,
): Promise<Pacing> {
  const total = streams * packetsEach
  const startMs = performance.now()
  /** Packets by whole milliseconds of lateness. */
  const late = new Uint32Array(1000)
  let lateMaxMs = 0
  let sent = 0
  return new Promise((resolve) => {
    const turn = (): void => {
      const nowMs = performance.now()
      const due = Math.min(total, Math.floor(((nowMs - startMs) / frameMs) * streams) + 1)
      while (sent < due) {
        const lateMs = nowMs - startMs - (sent / streams) * frameMs
        lateMaxMs = Math.max(lateMaxMs, lateMs)
        const slot = Math.min(late.length - 1, Math.floor(lateMs))
        late[slot] = (late[slot] ?? 0) + 1
        send(sent % streams, Math.floor(sent / streams))
        sent++
      }
      if (sent < total) setTimeout(turn, 1)
      else resolve({ packets: sent, lateP99Ms: percentile(late, total * 0.99), lateMaxMs })
    }
    turn()
  })
}

function percentile(counts: Uint32Array, rank: number): number {
  let seen = 0
  return counts.findIndex((count) => (seen += count) >= rank) + 1
}
