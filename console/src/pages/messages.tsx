/** The latest SIP messages of all peers: why a phone does not register, and who knocks. */
import { Alert, Card, Group, SimpleGrid, Text, UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import type { TracedMessage } from '../../../src/api/schemas/calls.ts'
import { withQuery } from '../api/client.ts'
import { useIsAdmin, useSipMessages } from '../api/queries.ts'
import { MessageFiles } from '../call/message-files.tsx'
import { MessageText } from '../call/message-text.tsx'
import { traceTime } from '../format.ts'
import { useFilters } from '../ui/filters.ts'
import { MessagesIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { SearchField } from '../ui/search-field.tsx'

export function MessagesPage() {
  const isAdmin = useIsAdmin()
  return (
    <Page title="SIP messages" hint="The latest of all phones, trunks and strangers">
      {isAdmin ? <Messages /> : <Alert>Only administrators see the messages of everybody.</Alert>}
    </Page>
  )
}

function Messages() {
  const filters = useFilters()
  const wanted = { search: filters.get('search'), address: filters.get('address') }
  const messages = useSipMessages(wanted)
  const items = messages.data?.items.toReversed() ?? []
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm" role="search" aria-label="Filter messages">
        <SearchField
          label="Contains"
          placeholder="sip:101@, REGISTER, 401"
          value={wanted.search}
          onSearch={(text) => filters.set('search', text)}
        />
        <SearchField
          label="IP address"
          placeholder="192.0.2.1"
          value={wanted.address}
          onSearch={(text) => filters.set('address', text)}
        />
      </SimpleGrid>
      {messages.error ? <ErrorNote error={messages.error} onRetry={() => void messages.refetch()} /> : null}
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed">
          Newest first. Select one to read it. Passwords and keys are removed.
        </Text>
        <MessageFiles address={(ending) => withQuery(`/api/sip/messages.${ending}`, wanted)} />
      </Group>
      <Card withBorder p={0}>
        {messages.isPending ? <Loading what="SIP messages" /> : null}
        {messages.data && items.length === 0 ? (
          <Empty icon={<MessagesIcon size={26} />} title="No message fits">
            Messages are kept in memory for some minutes; those of calls stay on the page of their call.
          </Empty>
        ) : null}
        {items.length > 0 ? <List items={items} /> : null}
      </Card>
    </>
  )
}

function List({ items }: { readonly items: readonly TracedMessage[] }) {
  // New ones come on top, so a position is no key: two messages of one millisecond and one text look the same anyway.
  const [opened, setOpened] = useState<string>()
  return (
    <ul className="rows" aria-label="SIP messages">
      {items.map((message, index) => {
        const key = `${message.atMs} ${message.direction} ${message.sipCallId} ${message.summary}`
        return (
          <li key={`${key} ${items.length - index}`}>
            <Row
              message={message}
              opened={opened === key}
              onToggle={() => setOpened(opened === key ? undefined : key)}
            />
            {opened === key ? <MessageText message={message} /> : null}
          </li>
        )
      })}
    </ul>
  )
}

interface RowProps {
  readonly message: TracedMessage
  readonly opened: boolean
  readonly onToggle: () => void
}

function Row({ message, opened, onToggle }: RowProps) {
  const { atMs, direction, remote, transport, summary } = message
  return (
    <UnstyledButton w="100%" px="md" py={6} aria-expanded={opened} onClick={onToggle}>
      <Group gap="0 1rem">
        <Text size="sm" c="dimmed" className="tabular" component="time">
          {traceTime(atMs, Date.now())}
        </Text>
        <Text size="sm" className="mono wrap">
          {direction === 'in' ? 'from' : 'to'} {remote} {transport.toUpperCase()}
        </Text>
        <Text size="sm" className="wrap">
          {summary}
        </Text>
      </Group>
    </UnstyledButton>
  )
}
