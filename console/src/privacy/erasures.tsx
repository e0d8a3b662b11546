/** The erasures that were done, with their reports. Of whom they were nobody knows any more. */
import { Badge, Group, List, Stack, Text } from '@mantine/core'
import type { Erasure } from '../../../src/api/schemas/compliance.ts'
import { useErasures } from '../api/office-queries.ts'
import { shortTime } from '../format.ts'
import { ListCard } from './list-card.tsx'
import { countsText } from './subject.ts'

export function Erasures() {
  return <ListCard title="Erasures" list={useErasures()} row={(erasure) => <ErasureRow erasure={erasure} />} />
}

const states: Record<Erasure['state'], { readonly label: string; readonly color: string }> = {
  running: { label: 'Running', color: 'blue' },
  done: { label: 'Done, nothing is left', color: 'green' },
  incomplete: { label: 'Not all is gone', color: 'red' },
}

function ErasureRow({
  erasure: { kind, state, askedBy, askedAtMs, report, waits, auditHash },
}: {
  readonly erasure: Erasure
}) {
  const { label, color } = states[state]
  return (
    <Stack py="sm" gap={4}>
      <Group gap="xs">
        <Text fw={600}>{kind === 'call' ? 'A call' : 'A person'}</Text>
        <Badge variant="light" tt="none" color={color}>
          {label}
        </Badge>
        <Text size="sm" c="dimmed">
          {askedBy}, {shortTime(askedAtMs, Date.now())}
        </Text>
      </Group>
      {waits === undefined ? null : (
        <Text size="sm" c="red" className="wrap">
          Waits, and is tried again: {waits}
        </Text>
      )}
      {report ? <Text size="sm">Gone: {countsText(report)}</Text> : null}
      {report && report.left.length > 0 ? (
        <List size="sm">
          {report.left.map(({ where, count, why }) => (
            <List.Item key={`${where} ${why}`}>
              Left: {count} in {where}, {why}
            </List.Item>
          ))}
        </List>
      ) : null}
      {auditHash === undefined ? null : (
        <Text size="sm" c="dimmed">
          The report stands in the audit record with the hash <span className="mono">{auditHash}</span>
        </Text>
      )}
    </Stack>
  )
}
