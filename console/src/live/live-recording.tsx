/** The recording of a live call: paused or not, until when, and the buttons for it. */
import { Badge, Button, Group, Menu, Stack, Text } from '@mantine/core'
import type { LiveCall } from '../../../src/api/schemas/calls.ts'
import type { LiveRecording } from '../../../src/api/schemas/live-recordings.ts'
import { useIsOperator } from '../api/queries.ts'
import { type RecordingOrder, useOrderRecording } from '../api/recorder-queries.ts'
import { clockTime, partyName } from '../format.ts'
import { RecordingNow } from '../ui/badges.tsx'
import { ErrorNote } from '../ui/notes.tsx'
import { LevelMeter } from './level-meter.tsx'

/** Seconds after which a paused recording goes on by itself. */
const pauses = [
  { label: 'for 1 minute', seconds: 60 },
  { label: 'for 5 minutes', seconds: 300 },
]

interface LiveRecordingProps {
  readonly call: LiveCall
  readonly recording: LiveRecording
  readonly nowMs: number
}

export function LiveRecordingControls({ call, recording, nowMs }: LiveRecordingProps) {
  const mayOrder = useIsOperator()
  const order = useOrderRecording()
  const give = (wanted: Omit<RecordingOrder, 'callId'>) => order.mutate({ callId: call.id, ...wanted })
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs">
        <RecordingState recording={recording} nowMs={nowMs} />
        {mayOrder ? <PauseButtons paused={recording.recordingPaused} busy={order.isPending} give={give} /> : null}
      </Group>
      <ul className="plain" aria-label="Who is recorded">
        {call.legs
          .filter(({ id }) => recording.legIds.includes(id))
          .map(({ id, party, quality }) => {
            const muted = recording.mutedLegs.includes(id)
            return (
              <li key={id}>
                <Group gap="xs" wrap="nowrap" justify="space-between">
                  <Text size="sm" className="truncate">
                    {partyName(party)}
                  </Text>
                  <Group gap="xs" wrap="nowrap">
                    {muted ? (
                      <Badge variant="light" color="gray" tt="none">
                        Muted
                      </Badge>
                    ) : null}
                    <LevelMeter dbov={quality?.levelDbov} of={partyName(party)} />
                    {mayOrder ? (
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        aria-label={`${muted ? 'Record' : 'Mute'} ${partyName(party)}`}
                        loading={order.isPending}
                        onClick={() => give({ order: muted ? 'unmute' : 'mute', legIds: [id] })}
                      >
                        {muted ? 'Record' : 'Mute'}
                      </Button>
                    ) : null}
                  </Group>
                </Group>
              </li>
            )
          })}
      </ul>
      {order.error ? <ErrorNote error={order.error} /> : null}
    </Stack>
  )
}

function RecordingState({ recording, nowMs }: { readonly recording: LiveRecording; readonly nowMs: number }) {
  if (!recording.recordingPaused) return <RecordingNow />
  const { autoResumeAtMs } = recording
  return (
    <Badge variant="light" color="orange" tt="none">
      {autoResumeAtMs === undefined ? 'Paused' : `Paused, goes on in ${clockTime(Math.max(0, autoResumeAtMs - nowMs))}`}
    </Badge>
  )
}

interface PauseButtonsProps {
  readonly paused: boolean
  readonly busy: boolean
  readonly give: (order: Omit<RecordingOrder, 'callId'>) => void
}

function PauseButtons({ paused, busy, give }: PauseButtonsProps) {
  if (paused) {
    return (
      <Button size="xs" variant="light" loading={busy} onClick={() => give({ order: 'resume' })}>
        Resume recording
      </Button>
    )
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="xs" variant="default" loading={busy}>
          Pause recording
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {pauses.map(({ label, seconds }) => (
          <Menu.Item key={seconds} onClick={() => give({ order: 'pause', autoResumeSeconds: seconds })}>
            {label}
          </Menu.Item>
        ))}
        <Menu.Item onClick={() => give({ order: 'pause' })}>until somebody resumes it</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
