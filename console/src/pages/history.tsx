/** The calls that were, newest first, with filters that live in the address. */
import { Button, NativeSelect, SimpleGrid, TextInput } from '@mantine/core'
import type { Call } from '../../../src/api/schemas/calls.ts'
import type { CallKind, EndReason } from '../../../src/api/schemas/common.ts'
import { type CallFilters, useCalls } from '../api/queries.ts'
import { endReasonChoices, kindChoices } from '../format.ts'
import { RecordingMark, ResultBadge } from '../ui/badges.tsx'
import { CallRow } from '../ui/call-row.tsx'
import { dayEndMs, dayStartMs } from '../ui/days.ts'
import { type Filters, useFilters } from '../ui/filters.ts'
import { HistoryIcon } from '../ui/icons.tsx'
import { Empty } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { PagedList } from '../ui/paged-list.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { TextLink } from '../ui/text-link.tsx'

export function HistoryPage() {
  const filters = useFilters()
  const calls = useCalls(wanted(filters))
  return (
    <Page title="Call history">
      <HistoryFilters filters={filters} />
      <PagedList
        query={calls}
        what="calls"
        empty={<NoCalls filters={filters} />}
        row={(call) => <HistoryRow call={call} />}
      />
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
      <NativeSelect label="Kind" data={kindChoices} {...select('kind')} />
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

function HistoryRow({ call }: { readonly call: Call }) {
  const { id, startedAtMs, answeredAtMs, endedAtMs, recordings } = call
  const talkedMs = answeredAtMs === undefined ? undefined : (endedAtMs ?? Date.now()) - answeredAtMs
  return (
    <CallRow callId={id} call={call} startedAtMs={startedAtMs} lengthMs={talkedMs}>
      {recordings[0] ? <RecordingMark state={recordings[0].state} /> : null}
      <ResultBadge call={call} />
    </CallRow>
  )
}
