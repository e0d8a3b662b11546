/** What has been recorded, newest first; each leads to its call, where it is played. */
import { Badge, Button, Group, NativeSelect, SimpleGrid, Text, TextInput, Tooltip } from '@mantine/core'
import { useState } from 'react'
import type { RecordedLeg, RecordingWithCall } from '../../../src/api/schemas/recordings.ts'
import { useRecordings } from '../api/queries.ts'
import { fileSize, kindChoices } from '../format.ts'
import {
  heldChoices,
  lengthChoices,
  moreFilters,
  recordingFilters,
  stateChoices,
  verdictChoices,
} from '../recording/filters.ts'
import { RecordingBadge } from '../ui/badges.tsx'
import { CallRow } from '../ui/call-row.tsx'
import { type Filters, useFilters } from '../ui/filters.ts'
import { AlertIcon, WaveIcon } from '../ui/icons.tsx'
import { Empty } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { PagedList } from '../ui/paged-list.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { TextLink } from '../ui/text-link.tsx'

/** As many as the server counts. */
const mostCounted = 10_000

export function RecordingsPage() {
  const filters = useFilters()
  const recordings = useRecordings(recordingFilters(filters.get))
  return (
    <Page title="Recordings">
      <RecordingsFilters filters={filters} />
      <Count total={recordings.data?.pages[0]?.total} />
      <PagedList
        query={recordings}
        what="recordings"
        empty={
          <Empty icon={<WaveIcon size={26} />} title={filters.any ? 'No recording matches' : 'No recordings yet'}>
            {filters.any ? (
              <Button variant="default" size="xs" mt="xs" onClick={filters.clear}>
                Clear the filters
              </Button>
            ) : (
              <>
                Calls of extensions that are set to record, and every SIPREC session, are kept here.{' '}
                <TextLink to="/connect">See what to point at this server</TextLink>.
              </>
            )}
          </Empty>
        }
        row={(recording) => <RecordingRow recording={recording} />}
      />
    </Page>
  )
}

function RecordingsFilters({ filters }: { readonly filters: Filters }) {
  const [more, setMore] = useState(() => moreFilters.some((name) => filters.get(name) !== ''))
  const field = (name: string) => ({
    value: filters.get(name),
    onChange: (event: { currentTarget: { value: string } }) => filters.set(name, event.currentTarget.value),
  })
  const words = (name: string) => ({
    value: filters.get(name),
    onSearch: (text: string) => filters.set(name, text),
  })
  return (
    <div role="search" aria-label="Filter recordings">
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm" style={{ alignItems: 'end' }}>
        <SearchField label="Search" placeholder="Name, number, Call-ID" {...words('search')} />
        <NativeSelect label="Kind" data={kindChoices} {...field('kind')} />
        <TextInput type="date" label="From" {...field('from')} />
        <TextInput type="date" label="Until" {...field('until')} />
        <Button variant="default" aria-expanded={more} onClick={() => setMore(!more)}>
          {more ? 'Fewer filters' : 'More filters'}
        </Button>
        {more ? (
          <>
            <SearchField label="Person, in full" placeholder="+4930123, a@example.com" {...words('person')} />
            <SearchField label="Client or trunk" placeholder="Its name" {...words('peer')} />
            <SearchField label="Tag" placeholder="sales" {...words('tag')} />
            <NativeSelect label="Length" data={[...lengthChoices]} {...field('length')} />
            <NativeSelect label="Quality" data={[...verdictChoices]} {...field('verdict')} />
            <NativeSelect label="Legal hold" data={[...heldChoices]} {...field('held')} />
            <NativeSelect label="State" data={[...stateChoices]} {...field('state')} />
          </>
        ) : null}
      </SimpleGrid>
    </div>
  )
}

function Count({ total }: { readonly total: number | undefined }) {
  if (total === undefined || total === 0) return null
  const many = total >= mostCounted ? `${mostCounted} recordings or more` : `${total} recordings`
  return (
    <Text size="sm" c="dimmed" role="status">
      {total === 1 ? '1 recording' : many}
    </Text>
  )
}

function RecordingRow({ recording }: { readonly recording: RecordingWithCall }) {
  const { callId, call, files, startedAtMs, durationMs, state, tags, heard = [] } = recording
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return (
    <CallRow callId={callId} call={call} startedAtMs={startedAtMs} lengthMs={durationMs}>
      <Faults legs={heard.filter(({ codes }) => codes.length > 0)} />
      {tags.slice(0, 2).map((tag) => (
        <Badge key={tag} variant="outline" tt="none" color="gray">
          {tag}
        </Badge>
      ))}
      {bytes > 0 ? (
        <Text size="sm" c="dimmed" className="tabular" component="span">
          {fileSize(bytes)}
        </Text>
      ) : null}
      {state === 'stored' ? null : <RecordingBadge state={state} />}
    </CallRow>
  )
}

function Faults({ legs }: { readonly legs: readonly RecordedLeg[] }) {
  if (legs.length === 0) return null
  const text = legs.map(({ verdict }) => verdict).join('; ')
  return (
    <Tooltip label={text}>
      <Group component="span" c="orange" role="img" aria-label={text}>
        <AlertIcon size={18} />
      </Group>
    </Tooltip>
  )
}
