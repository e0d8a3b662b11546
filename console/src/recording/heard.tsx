/** How well each leg of a recording was heard: the verdict in words, then what was measured. */
import { Group, Text } from '@mantine/core'
import type { Leg } from '../../../src/api/schemas/calls.ts'
import type { Recording } from '../../../src/api/schemas/recordings.ts'
import { partyName } from '../format.ts'
import { AlertIcon, CheckIcon } from '../ui/icons.tsx'
import { figures, presence } from './heard-text.ts'

interface HeardProps {
  readonly recording: Recording
  readonly legs: readonly Leg[]
}

export function Heard({ recording, legs }: HeardProps) {
  const { heard = [], participants, startedAtMs } = recording
  // Who is on a channel stands beside its waveform; more is said only where people came and went.
  const timed = participants.filter((each) => each.heard?.length)
  const nameOf = (legId: string) => {
    const leg = legs.find(({ id }) => id === legId)
    const participant = participants.find((each) => each.legId === legId)
    return participant && (participant.name || participant.uri)
      ? partyName(participant)
      : leg
        ? partyName(leg.party)
        : 'One side'
  }
  return (
    <>
      {timed.length > 0 ? (
        <ul className="plain" aria-label="Participants">
          {timed.map((each) => (
            <li key={`${each.uri ?? each.name} ${each.legId}`}>
              <Text size="sm">{presence(each, startedAtMs)}</Text>
            </li>
          ))}
        </ul>
      ) : null}
      {heard.length > 0 ? (
        <ul className="plain" aria-label="Quality">
          {heard.map((leg) => (
            <li key={leg.legId}>
              <Group gap={6} wrap="nowrap" align="flex-start">
                <Text c={leg.codes.length > 0 ? 'orange' : 'green'} component="span" display="flex" mt={2}>
                  {leg.codes.length > 0 ? <AlertIcon size={16} /> : <CheckIcon size={16} />}
                </Text>
                <Text size="sm" className="wrap">
                  <b>{nameOf(leg.legId)}</b>: {leg.verdict}{' '}
                  <Text span c="dimmed" size="sm">
                    ({figures(leg)})
                  </Text>
                </Text>
              </Group>
            </li>
          ))}
        </ul>
      ) : null}
    </>
  )
}
