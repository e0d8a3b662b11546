/** Where copies of a recording lie in archives, a row a file and store; nothing where nothing is archived. */
import { Badge, Group, Stack, Text } from '@mantine/core'
import type { Copy } from '../../../src/api/schemas/recordings.ts'
import { useCopies } from '../api/keeping-queries.ts'
import { fileSize, fullTime } from '../format.ts'
import { ErrorNote } from '../ui/notes.tsx'

const stores: Record<Copy['store'], string> = {
  local: 'Folder',
  s3: 'S3',
  gcs: 'Google Cloud Storage',
  azure: 'Azure',
}

interface CopiesProps {
  readonly callId: string
  readonly recordingId: string
}

export function Copies({ callId, recordingId }: CopiesProps) {
  const copies = useCopies(callId, recordingId)
  if (copies.error) return <ErrorNote error={copies.error} onRetry={() => void copies.refetch()} />
  if (!copies.data || copies.data.items.length === 0) return null
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        Archived
      </Text>
      <ul className="plain" aria-label="Archived copies">
        {copies.data.items.map(({ uri, store, bytes, sha256, storedAtMs, cold }) => (
          <li key={uri}>
            <Group gap="xs">
              <Badge variant="light" color="blue" tt="none">
                {stores[store]}
              </Badge>
              {cold ? (
                <Badge variant="light" color="gray" tt="none">
                  Cold
                </Badge>
              ) : null}
              <Text size="sm" className="mono wrap" title={`SHA-256 ${sha256}`}>
                {uri}
              </Text>
              <Text size="sm" c="dimmed">
                {fileSize(bytes)}, {fullTime(storedAtMs)}
              </Text>
            </Group>
          </li>
        ))}
      </ul>
    </Stack>
  )
}
