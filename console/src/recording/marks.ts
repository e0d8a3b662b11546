/** The marks of a recording, placed in one of its files: paused, one side muted, one side silent. Pure. */
import type { Leg } from '../../../src/api/schemas/calls.ts'
import type { Recording, RecordingFile, RecordingMark } from '../../../src/api/schemas/recordings.ts'
import { partyName } from '../format.ts'
import { tracksOf } from '../player/tracks.ts'

export interface PlacedMark {
  readonly kind: RecordingMark['kind']
  /** Seconds from the first sample of the file, inside of it. */
  readonly fromS: number
  readonly untilS: number
  /** The only channel that it is about; absent: all. */
  readonly channel?: number
  /** `Paused by anna`, `Bob muted`. */
  readonly text: string
}

/** Those that touch the file, oldest first. A pause of the transcription alone leaves no gap in the audio. */
export function marksIn(file: RecordingFile, recording: Recording, legs: readonly Leg[]): readonly PlacedMark[] {
  const lengthS = file.samples / file.sampleRateHz
  const placed: PlacedMark[] = []
  for (const mark of recording.marks ?? []) {
    if (mark.what === 'transcription') continue
    if (mark.legId !== undefined && file.legId !== undefined && mark.legId !== file.legId) continue
    const fromS = Math.max(0, (mark.fromMs - file.startedAtMs) / 1000)
    const untilS = mark.untilMs === undefined ? lengthS : Math.min(lengthS, (mark.untilMs - file.startedAtMs) / 1000)
    if (untilS <= fromS) continue
    const channel = channelOf(mark, file, recording)
    const text = textOf(mark, nameOf(mark, channel, file, recording, legs))
    placed.push({ kind: mark.kind, fromS, untilS, ...(channel !== undefined && { channel }), text })
  }
  return placed
}

function channelOf({ legId }: RecordingMark, file: RecordingFile, recording: Recording): number | undefined {
  if (legId === undefined || file.kind !== 'combined') return undefined
  return recording.participants.find((participant) => participant.legId === legId)?.channel
}

function nameOf(
  { legId }: RecordingMark,
  channel: number | undefined,
  file: RecordingFile,
  recording: Recording,
  legs: readonly Leg[],
): string | undefined {
  if (legId === undefined) return undefined
  const track = channel === undefined ? undefined : tracksOf(file, recording, legs)[channel]
  const leg = legs.find(({ id }) => id === legId)
  return track?.name ?? (leg ? partyName(leg.party) : undefined)
}

const causes: Record<RecordingMark['by'], string> = {
  api: 'by the API',
  digits: 'by keys on the phone',
  signalling: 'by the recording client',
  time: 'by itself',
}

function textOf({ kind, by, who }: RecordingMark, name = 'One side'): string {
  if (kind === 'silent') return `Nothing came from ${name}`
  const cause = who === undefined ? causes[by] : `by ${who}`
  return kind === 'muted' ? `${name} muted ${cause}` : `Paused ${cause}`
}
