/** All that a page shows of a finished recording: the player, how it was heard, its proof, its tags, how long it stays. */
import { Stack } from '@mantine/core'
import type { Leg } from '../../../src/api/schemas/calls.ts'
import type { Recording } from '../../../src/api/schemas/recordings.ts'
import { useTagRecording } from '../api/keeping-queries.ts'
import { RecordingPlayer } from '../player/recording-player.tsx'
import { Copies } from './copies.tsx'
import { Heard } from './heard.tsx'
import { Keeping } from './keeping.tsx'
import { Proof } from './proof.tsx'
import { Tags } from './tags.tsx'

interface StoredRecordingProps {
  readonly recording: Recording
  readonly legs: readonly Leg[]
}

export function StoredRecording({ recording, legs }: StoredRecordingProps) {
  const save = useTagRecording(recording.id)
  return (
    <Stack gap="md">
      <RecordingPlayer recording={recording} legs={legs} />
      <Heard recording={recording} legs={legs} />
      <Proof recordingId={recording.id} />
      <Copies callId={recording.callId} recordingId={recording.id} />
      <Tags label="Tags of the recording" hint="Rules of retention look at them" tags={recording.tags} save={save} />
      <Keeping callId={recording.callId} recordingId={recording.id} />
    </Stack>
  )
}
