/** The erasures that were done, with their reports. Of whom they were nobody knows any more. */
import { Badge, Card, Group, List, Stack, Text, Title } from '@mantine/core'
import type { Erasure } from '../../../src/api/schemas/compliance.ts'
import { useErasures } from '../api/office-queries.ts'
import { shortTime } from '../format.ts'
import { ErrorNote, Loading } from '../ui/notes.tsx'
import { countsText } from './subject.ts'

export function Erasures() {
  const erasures = useErasures()
  return (
    <Card withBorder component="section" aria-label="Erasures">
      <Stack gap="sm">
        <Title order={2} size="h4">
          Erasures
        </Title>
        {erasures.error ? <ErrorNote error={erasures.error} onRetry={() => void erasures.refetch()} /> : null}
        {erasures.isPending ? <Loading what="erasures" /> : null}
        {erasures.data?.items.length === 0 ? <Text c="dimmed">None yet</Text> : null}
        <ul className="rows" aria-label="Erasures">
          {erasures.data?.items.map((erasure) => (
            <li key={erasure.id}>
              <ErasureRow erasure={erasure} />
            </li>
          ))}
        </ul>
      </Stack>
    </Card>
  )
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
