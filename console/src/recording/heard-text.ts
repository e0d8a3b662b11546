/** When a participant was in a recording, and what was measured of a leg, in words. Pure. */
import type { Participant, RecordedLeg } from '../../../src/api/schemas/recordings.ts'
import { clockTime, partyName } from '../format.ts'

/** `Bob, channel 2: 0:03 to 0:10, from 0:20`: from the start of the recording. */
export function presence({ channel, heard = [], ...party }: Participant, startedAtMs: number): string {
  const when = heard.map(({ fromMs, untilMs }) => {
    const from = clockTime(fromMs - startedAtMs)
    return untilMs === undefined ? `from ${from}` : `${from} to ${clockTime(untilMs - startedAtMs)}`
  })
  const where = channel === undefined ? '' : `, channel ${channel + 1}`
  return `${partyName(party)}${where}: ${when.join(', ')}`
}

/** `MOS 4.3, 303 packets, 0.0 % lost, jitter 0 ms`: what is not known is left out. */
export function figures({ mos, lossShare, jitterMs, packetsReceived, packetsRefused }: RecordedLeg): string {
  const parts = [`${packetsReceived} packets`]
  if (mos !== undefined) parts.unshift(`MOS ${mos.toFixed(1)}`)
  if (lossShare !== undefined) parts.push(`${(lossShare * 100).toFixed(1)} % lost`)
  if (packetsRefused > 0) parts.push(`${packetsRefused} refused`)
  parts.push(`jitter ${jitterMs.toFixed(0)} ms`)
  return parts.join(', ')
}
