/** What has been recorded, newest first; each leads to its call, where it is played. */
import { Button, Card, Center, NativeSelect, SimpleGrid, Text } from '@mantine/core'
import { Link } from 'react-router'
import type { CallKind } from '../../../src/api/schemas/common.ts'
import type { RecordingWithCall } from '../../../src/api/schemas/recordings.ts'
import { useRecordings } from '../api/queries.ts'
import { clockTime, fileSize, fullTime, shortTime } from '../format.ts'
import { KindIcon, RecordingBadge } from '../ui/badges.tsx'
import { useFilters } from '../ui/filters.ts'
import { WaveIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { FromTo } from '../ui/party.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { TextLink } from '../ui/text-link.tsx'

export function RecordingsPage() {
  const filters = useFilters()
  const kind = filters.get('kind') as CallKind | ''
  const recordings = useRecordings({ search: filters.get('search'), kind: kind || undefined })
  const items = recordings.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page title="Recordings">
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} spacing="sm" role="search" aria-label="Filter recordings">
        <SearchField
          label="Search"
          placeholder="Name, number, Call-ID"
          value={filters.get('search')}
          onSearch={(text) => filters.set('search', text)}
        />
        <NativeSelect
          label="Kind"
          value={kind}
          onChange={(event) => filters.set('kind', event.currentTarget.value)}
          data={[
            { value: '', label: 'All' },
            { value: 'pbx', label: 'Calls' },
            { value: 'siprec', label: 'SIPREC sessions' },
          ]}
        />
      </SimpleGrid>
      {recordings.error ? <ErrorNote error={recordings.error} onRetry={() => void recordings.refetch()} /> : null}
      <Card withBorder p={0}>
        {recordings.isPending ? <Loading what="recordings" /> : null}
        {recordings.data && items.length === 0 ? (
          <Empty icon={<WaveIcon size={26} />} title={filters.any ? 'No recording matches' : 'No recordings yet'}>
            Calls of extensions that are set to record, and every SIPREC session, are kept here.{' '}
            <TextLink to="/connect">See what to point at this server</TextLink>.
          </Empty>
        ) : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label="Recordings">
            {items.map((recording) => (
              <li key={recording.id}>
                <RecordingRow recording={recording} />
              </li>
            ))}
          </ul>
        ) : null}
      </Card>
      {recordings.hasNextPage ? (
        <Center>
          <Button
            variant="default"
            loading={recordings.isFetchingNextPage}
            onClick={() => void recordings.fetchNextPage()}
          >
            Show older recordings
          </Button>
        </Center>
      ) : null}
    </Page>
  )
}

function RecordingRow({ recording }: { readonly recording: RecordingWithCall }) {
  const { call, files } = recording
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return (
    <Link className="row" to={`/calls/${encodeURIComponent(recording.callId)}`}>
      <span className="row-icon">
        <KindIcon kind={call.kind} />
      </span>
      <div className="row-who">
        <FromTo from={call.from} to={call.to} />
      </div>
      <span className="row-badges">
        {bytes > 0 ? (
          <Text size="sm" c="dimmed" className="tabular" component="span">
            {fileSize(bytes)}
          </Text>
        ) : null}
        {recording.state === 'stored' ? null : <RecordingBadge state={recording.state} />}
      </span>
      <span className="row-when">
        <Text
          size="sm"
          component="time"
          dateTime={new Date(recording.startedAtMs).toISOString()}
          title={fullTime(recording.startedAtMs)}
        >
          {shortTime(recording.startedAtMs, Date.now())}
        </Text>
        <Text size="sm" c="dimmed" className="row-length tabular" component="span">
          {recording.durationMs === undefined ? '' : clockTime(recording.durationMs)}
        </Text>
      </span>
    </Link>
  )
}
