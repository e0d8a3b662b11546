/** The calls that were, newest first, with filters that live in the address. */
import { Button, Card, Center, NativeSelect, SimpleGrid, Text, TextInput } from '@mantine/core'
import { Link } from 'react-router'
import type { Call } from '../../../src/api/schemas/calls.ts'
import type { CallKind, EndReason } from '../../../src/api/schemas/common.ts'
import { type CallFilters, useCalls } from '../api/queries.ts'
import { clockTime, endReasonChoices, fullTime, shortTime } from '../format.ts'
import { KindIcon, RecordingMark, ResultBadge } from '../ui/badges.tsx'
import { dayEndMs, dayStartMs } from '../ui/days.ts'
import { type Filters, useFilters } from '../ui/filters.ts'
import { HistoryIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { FromTo } from '../ui/party.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { TextLink } from '../ui/text-link.tsx'

export function HistoryPage() {
  const filters = useFilters()
  const calls = useCalls(wanted(filters))
  const items = calls.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page title="Call history">
      <HistoryFilters filters={filters} />
      {calls.error ? <ErrorNote error={calls.error} onRetry={() => void calls.refetch()} /> : null}
      <Card withBorder p={0}>
        {calls.isPending ? <Loading what="calls" /> : null}
        {calls.data && items.length === 0 ? <NoCalls filters={filters} /> : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label="Calls">
            {items.map((call) => (
              <li key={call.id}>
                <CallRow call={call} />
              </li>
            ))}
          </ul>
        ) : null}
      </Card>
      {calls.hasNextPage ? (
        <Center>
          <Button variant="default" loading={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
            Show older calls
          </Button>
        </Center>
      ) : null}
    </Page>
  )
}

function wanted(filters: Filters): CallFilters {
  const recorded = filters.get('recorded')
  return {
    search: filters.get('search'),
    kind: (filters.get('kind') || undefined) as CallKind | undefined,
    endReason: (filters.get('result') || undefined) as EndReason | undefined,
    recorded: recorded === 'true' || recorded === 'false' ? recorded : undefined,
    fromMs: dayStartMs(filters.get('from')),
    untilMs: dayEndMs(filters.get('until')),
  }
}

function HistoryFilters({ filters }: { readonly filters: Filters }) {
  const select = (name: string) => ({
    value: filters.get(name),
    onChange: (event: { currentTarget: { value: string } }) => filters.set(name, event.currentTarget.value),
  })
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm" role="search" aria-label="Filter calls">
      <SearchField
        label="Search"
        placeholder="Name, number, Call-ID"
        value={filters.get('search')}
        onSearch={(text) => filters.set('search', text)}
      />
      <NativeSelect
        label="Kind"
        data={[
          { value: '', label: 'All' },
          { value: 'pbx', label: 'Calls' },
          { value: 'siprec', label: 'SIPREC sessions' },
        ]}
        {...select('kind')}
      />
      <NativeSelect label="Result" data={[{ value: '', label: 'All' }, ...endReasonChoices]} {...select('result')} />
      <NativeSelect
        label="Recorded"
        data={[
          { value: '', label: 'All' },
          { value: 'true', label: 'Yes' },
          { value: 'false', label: 'No' },
        ]}
        {...select('recorded')}
      />
      <TextInput type="date" label="From" {...select('from')} />
      <TextInput type="date" label="Until" {...select('until')} />
    </SimpleGrid>
  )
}

function NoCalls({ filters }: { readonly filters: Filters }) {
  if (filters.any) {
    return (
      <Empty icon={<HistoryIcon size={26} />} title="No call matches these filters">
        <Button variant="default" size="xs" mt="xs" onClick={filters.clear}>
          Clear the filters
        </Button>
      </Empty>
    )
  }
  return (
    <Empty icon={<HistoryIcon size={26} />} title="No calls yet">
      Every call is listed here when it starts. <TextLink to="/connect">Connect a phone</TextLink> to place the first
      one.
    </Empty>
  )
}

function CallRow({ call }: { readonly call: Call }) {
  const recording = call.recordings[0]
  const talkedMs = call.answeredAtMs === undefined ? undefined : (call.endedAtMs ?? Date.now()) - call.answeredAtMs
  return (
    <Link className="row" to={`/calls/${encodeURIComponent(call.id)}`}>
      <span className="row-icon">
        <KindIcon kind={call.kind} />
      </span>
      <div className="row-who">
        <FromTo from={call.from} to={call.to} />
      </div>
      <span className="row-badges">
        {recording ? <RecordingMark state={recording.state} /> : null}
        <ResultBadge call={call} />
      </span>
      <span className="row-when">
        <Text
          size="sm"
          component="time"
          dateTime={new Date(call.startedAtMs).toISOString()}
          title={fullTime(call.startedAtMs)}
        >
          {shortTime(call.startedAtMs, Date.now())}
        </Text>
        <Text size="sm" c="dimmed" className="row-length tabular" component="span">
          {talkedMs === undefined ? '' : clockTime(talkedMs)}
        </Text>
      </span>
    </Link>
  )
}
