/** One SIP message in full, under its time and its way. */
import { Group, Text } from '@mantine/core'
import type { TracedMessage } from '../../../src/api/schemas/calls.ts'
import { fullTime } from '../format.ts'

export function MessageText({ message }: { readonly message: TracedMessage }) {
  const { atMs, transport, local, remote, direction, text } = message
  return (
    <div>
      <Group gap="md" px="md" py={6}>
        <Text size="xs" c="dimmed">
          {fullTime(atMs)}
        </Text>
        <Text size="xs" c="dimmed" className="mono">
          {direction === 'in' ? `${remote} → ${local}` : `${local} → ${remote}`} {transport.toUpperCase()}
        </Text>
      </Group>
      {/* Long messages scroll, so the keyboard must be able to get there. */}
      <pre className="message-text" tabIndex={0}>
        {text}
      </pre>
    </div>
  )
}
