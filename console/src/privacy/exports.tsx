/** The exports that were asked for: how far they are, and their archives. */
import { Badge, Button, Group, Progress, Stack, Text } from '@mantine/core'
import type { Export } from '../../../src/api/schemas/compliance.ts'
import { useDeleteExport, useExports } from '../api/office-queries.ts'
import { fileSize, fullTime, shortTime } from '../format.ts'
import { ErrorNote } from '../ui/notes.tsx'
import { ListCard } from './list-card.tsx'

export function Exports() {
  return <ListCard title="Exports" list={useExports()} row={(item) => <ExportRow item={item} />} />
}

const states: Record<Export['state'], { readonly label: string; readonly color: string }> = {
  waiting: { label: 'Waiting', color: 'gray' },
  running: { label: 'Running', color: 'blue' },
  ready: { label: 'Ready', color: 'green' },
  failed: { label: 'Failed', color: 'red' },
  expired: { label: 'Deleted', color: 'gray' },
}

function ExportRow({ item }: { readonly item: Export }) {
  const { id, subject, state, askedBy, askedAtMs, done, total, bytes, sha256, expiresAtMs, error, missing } = item
  const remove = useDeleteExport()
  const of = subject.kind === 'call' ? `Call ${subject.callId}` : subject.keys.map(withoutKind).join(', ')
  const { label, color } = states[state]
  return (
    <Stack py="sm" gap={4}>
      <Group justify="space-between">
        <Group gap="xs">
          <Text fw={600} className="wrap">
            {of}
          </Text>
          <Badge variant="light" tt="none" color={color}>
            {label}
          </Badge>
          <Text size="sm" c="dimmed">
            {askedBy}, {shortTime(askedAtMs, Date.now())}
          </Text>
        </Group>
        {state === 'ready' ? (
          <Group gap="xs">
            <Button
              component="a"
              size="xs"
              variant="default"
              href={`/api/compliance/exports/${encodeURIComponent(id)}/file`}
              download
            >
              Download{bytes === undefined ? '' : ` (${fileSize(bytes)})`}
            </Button>
            <Button size="xs" variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate(id)}>
              Delete the archive
            </Button>
          </Group>
        ) : null}
      </Group>
      {state === 'running' && total > 0 ? (
        <Progress value={(100 * done) / total} aria-label={`${done} of ${total} parts are written`} />
      ) : null}
      {error === undefined ? null : (
        <Text size="sm" c="red" className="wrap">
          {error}
        </Text>
      )}
      {state === 'ready' && missing !== undefined ? (
        <Text size="sm" c="red">
          Incomplete: {missing} {missing === 1 ? 'file' : 'files'} could not be read; index.json in the archive says
          which and why
        </Text>
      ) : null}
      {remove.error ? <ErrorNote error={remove.error} /> : null}
      {state === 'ready' && expiresAtMs !== undefined ? (
        <Text size="sm" c="dimmed">
          Deleted by itself {fullTime(expiresAtMs)}
          {sha256 === undefined ? '' : '. SHA-256 '}
          <span className="mono">{sha256}</span>
        </Text>
      ) : null}
    </Stack>
  )
}

const withoutKind = (key: string): string => key.slice(key.indexOf(':') + 1)
