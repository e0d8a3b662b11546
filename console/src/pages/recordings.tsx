/** What has been recorded, newest first; each leads to its call, where it is played. */
import { NativeSelect, SimpleGrid, Text } from '@mantine/core'
import type { CallKind } from '../../../src/api/schemas/common.ts'
import type { RecordingWithCall } from '../../../src/api/schemas/recordings.ts'
import { useRecordings } from '../api/queries.ts'
import { fileSize, kindChoices } from '../format.ts'
import { RecordingBadge } from '../ui/badges.tsx'
import { CallRow } from '../ui/call-row.tsx'
import { useFilters } from '../ui/filters.ts'
import { WaveIcon } from '../ui/icons.tsx'
import { Empty } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { PagedList } from '../ui/paged-list.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { TextLink } from '../ui/text-link.tsx'

export function RecordingsPage() {
  const filters = useFilters()
  const kind = filters.get('kind') as CallKind | ''
  const recordings = useRecordings({ search: filters.get('search'), kind: kind || undefined })
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
          data={kindChoices}
        />
      </SimpleGrid>
      <PagedList
        query={recordings}
        what="recordings"
        empty={
          <Empty icon={<WaveIcon size={26} />} title={filters.any ? 'No recording matches' : 'No recordings yet'}>
            Calls of extensions that are set to record, and every SIPREC session, are kept here.{' '}
            <TextLink to="/connect">See what to point at this server</TextLink>.
          </Empty>
        }
        row={(recording) => <RecordingRow recording={recording} />}
      />
    </Page>
  )
}

function RecordingRow({ recording }: { readonly recording: RecordingWithCall }) {
  const { callId, call, files, startedAtMs, durationMs, state } = recording
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return (
    <CallRow callId={callId} call={call} startedAtMs={startedAtMs} lengthMs={durationMs}>
      {bytes > 0 ? (
        <Text size="sm" c="dimmed" className="tabular" component="span">
          {fileSize(bytes)}
        </Text>
      ) : null}
      {state === 'stored' ? null : <RecordingBadge state={state} />}
    </CallRow>
  )
}
