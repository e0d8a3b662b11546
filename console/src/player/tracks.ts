/** Which file of a recording is played, and whose voice is on which of its channels. Pure. */
import type { Leg } from '../../../src/api/schemas/calls.ts'
import type { Participant, Recording, RecordingFile } from '../../../src/api/schemas/recordings.ts'
import { partyName } from '../format.ts'

export interface Track {
  readonly channel: number
  readonly name: string
  /** The metadata did not say who this is; it was taken from the order of the streams. */
  readonly guessed: boolean
}

/** Packets of a codec that nobody here decodes are for download. */
export const isPlayable = ({ kind }: RecordingFile): boolean => kind !== 'raw'

/** The combined file, else the longest leg; undefined when there are packets alone. */
export function fileToPlay(files: readonly RecordingFile[]): RecordingFile | undefined {
  const combined = files.find(({ kind }) => kind === 'combined')
  return combined ?? files.filter(isPlayable).sort((a, b) => b.samples - a.samples)[0]
}

/** One for each channel of the file, in order. */
export function tracksOf(file: RecordingFile, recording: Recording, legs: readonly Leg[]): readonly Track[] {
  return Array.from({ length: file.channels }, (_, channel) => {
    const participant = recording.participants.find((each) => isOn(each, channel, file))
    const leg = legs.find(({ id }) => id === (participant?.legId ?? file.legId))
    const known = participant && (participant.name || participant.uri) ? partyName(participant) : undefined
    const name = known ?? (leg ? partyName(leg.party) : `Channel ${channel + 1}`)
    return { channel, name, guessed: participant?.guessed === true }
  })
}

function isOn(participant: Participant, channel: number, file: RecordingFile): boolean {
  if (file.kind === 'combined') return participant.channel === channel
  if (file.legId !== undefined && participant.legId !== undefined) return participant.legId === file.legId
  return file.label !== undefined && participant.label === file.label
}

/** Where the file can be fetched. */
export function fileAddress(recordingId: string, fileName: string): string {
  return `/api/recordings/${encodeURIComponent(recordingId)}/files/${encodeURIComponent(fileName)}`
}

function voiceOf(file: RecordingFile, recording: Recording, legs: readonly Leg[]): string {
  return tracksOf({ ...file, channels: 1 }, recording, legs)[0]?.name ?? file.name
}

/** What a file is, for the list of downloads. */
export function fileTitle(file: RecordingFile, recording: Recording, legs: readonly Leg[]): string {
  if (file.kind === 'combined') return file.channels > 2 ? 'All voices' : 'Both sides'
  const name = voiceOf(file, recording, legs)
  return file.kind === 'raw' ? `${name}, packets as received` : name
}
