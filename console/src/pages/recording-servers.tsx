/** The recording servers of the settings, to which calls are sent: which of them answer, since when, and why not. */
import { Badge, Card, Group, Stack, Text, Title } from '@mantine/core'
import type { RecordingServers } from '../../../src/api/schemas/recording-servers.ts'
import { useRecordingServers } from '../api/recorder-queries.ts'
import { fullTime, spokenDuration } from '../format.ts'
import { ErrorNote } from '../ui/notes.tsx'
import { useNow } from '../ui/use-now.ts'

type Server = RecordingServers['items'][number]

const states: Record<Server['state'], { readonly label: string; readonly color: string }> = {
  up: { label: 'Up', color: 'green' },
  down: { label: 'Down', color: 'red' },
  unknown: { label: 'Not known yet', color: 'gray' },
}

/** Nothing where there are none. */
export function RecordingServerList() {
  const servers = useRecordingServers()
  const nowMs = useNow(10_000)
  if (servers.error) return <ErrorNote error={servers.error} onRetry={() => void servers.refetch()} />
  if (!servers.data || servers.data.items.length === 0) return null
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        Recording servers elsewhere
      </Title>
      <Card withBorder p={0}>
        <ul className="rows" aria-label="Recording servers elsewhere">
          {servers.data.items.map((server) => (
            <li key={server.name}>
              <ServerRow server={server} nowMs={nowMs} />
            </li>
          ))}
        </ul>
      </Card>
    </section>
  )
}

function ServerRow({ server, nowMs }: { readonly server: Server; readonly nowMs: number }) {
  const { name, uri, state, sinceMs, reason } = server
  return (
    <Stack px="md" py="sm" gap={4}>
      <Group gap="xs">
        <Text fw={650}>{name}</Text>
        <Text className="mono">{uri}</Text>
        <Badge variant="light" tt="none" color={states[state].color}>
          {states[state].label}
        </Badge>
        <Text size="sm" c="dimmed" title={fullTime(sinceMs)}>
          for {spokenDuration(nowMs - sinceMs)}
        </Text>
      </Group>
      {reason === undefined ? null : (
        <Text size="sm" c="red">
          {reason}
        </Text>
      )}
    </Stack>
  )
}
