/** Small labels that mean the same everywhere. */
import { Badge, Text, Tooltip } from '@mantine/core'
import type { Call } from '../../../src/api/schemas/calls.ts'
import type { CallKind } from '../../../src/api/schemas/common.ts'
import type { RecordingState } from '../../../src/api/schemas/recordings.ts'
import { endText } from '../format.ts'
import { PhoneIcon, RecorderIcon, WaveIcon } from './icons.tsx'

export function KindIcon({ kind, size = 20 }: { readonly kind: CallKind; readonly size?: number }) {
  return kind === 'siprec' ? <RecorderIcon size={size} /> : <PhoneIcon size={size} />
}

export function kindText(kind: CallKind): string {
  return kind === 'siprec' ? 'SIPREC session' : 'Call'
}

export function ResultBadge({ call }: { readonly call: Pick<Call, 'endReason' | 'endedAtMs' | 'kind'> }) {
  const { label, color } = endText(call.endReason)
  const ended = call.kind === 'siprec' && call.endReason === 'hangup' ? 'Completed' : label
  return (
    <Badge variant="light" color={color} tt="none">
      {ended}
    </Badge>
  )
}

export function RecordingNow() {
  return (
    <Badge variant="light" color="red" tt="none" leftSection={<span className="recording-dot" />}>
      Recording
    </Badge>
  )
}

const recordingStates: Record<RecordingState, { label: string; color: string }> = {
  recording: { label: 'Recording', color: 'red' },
  stored: { label: 'Recorded', color: 'cyan' },
  interrupted: { label: 'Interrupted', color: 'orange' },
  failed: { label: 'Recording failed', color: 'red' },
  deleting: { label: 'Being deleted', color: 'gray' },
  deleted: { label: 'Deleted', color: 'gray' },
}

export function RecordingBadge({ state }: { readonly state: RecordingState }) {
  if (state === 'recording') return <RecordingNow />
  const { label, color } = recordingStates[state]
  return (
    <Badge variant="light" color={color} tt="none">
      {label}
    </Badge>
  )
}

/** For lists, where the result of the call says the rest. */
export function RecordingMark({ state }: { readonly state: RecordingState }) {
  if (state !== 'stored' && state !== 'interrupted') return <RecordingBadge state={state} />
  return (
    <Tooltip label={recordingStates[state].label}>
      <Text component="span" c="cyan" display="flex" role="img" aria-label={recordingStates[state].label}>
        <WaveIcon size={18} />
      </Text>
    </Tooltip>
  )
}
