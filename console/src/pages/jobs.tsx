/** Jobs of the background that are not done: an administrator tries a failed one again, or takes it away. */
import { Badge, Button, Group, NativeSelect, SimpleGrid, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { Job, JobState, JobsPage as JobsAnswer } from '../../../src/api/schemas/jobs.ts'
import { useCancelJob, useJobs, useRetryJob } from '../api/office-queries.ts'
import { useIsAdmin } from '../api/queries.ts'
import { fullTime, spokenDuration } from '../format.ts'
import { Confirm } from '../ui/confirm.tsx'
import { useFilters } from '../ui/filters.ts'
import { JobsIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { PagedList } from '../ui/paged-list.tsx'
import { useNow } from '../ui/use-now.ts'

const states: Record<JobState, { readonly label: string; readonly color: string }> = {
  waiting: { label: 'Waiting', color: 'gray' },
  running: { label: 'Running', color: 'blue' },
  failed: { label: 'Failed', color: 'red' },
}
const isState = (text: string): text is JobState => text in states

export function JobsPage() {
  const filters = useFilters()
  const state = filters.get('state')
  const kind = filters.get('kind')
  const jobs = useJobs({ kind, state: isState(state) ? state : undefined })
  const [cancelling, setCancelling] = useState<Job>()
  const cancel = useCancelJob()
  const counts = jobs.data?.pages[0]?.counts ?? []
  const kinds = [...new Set([...counts.map((count) => count.kind), ...(kind === '' ? [] : [kind])])].sort()
  const close = () => {
    setCancelling(undefined)
    cancel.reset()
  }
  return (
    <Page title="Jobs" hint="What is done in the background: archiving, conversion, deletion, exports">
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} spacing="sm" role="search" aria-label="Filter jobs">
        <NativeSelect
          label="State"
          value={state}
          onChange={(event) => filters.set('state', event.currentTarget.value)}
          data={[
            { value: '', label: 'All' },
            ...Object.entries(states).map(([value, { label }]) => ({ value, label })),
          ]}
        />
        <NativeSelect
          label="Kind"
          value={kind}
          onChange={(event) => filters.set('kind', event.currentTarget.value)}
          data={[{ value: '', label: 'All' }, ...kinds]}
        />
      </SimpleGrid>
      <Counts counts={counts} />
      <PagedList
        query={jobs}
        what="jobs"
        empty={
          <Empty icon={<JobsIcon size={26} />} title={filters.any ? 'No job matches' : 'All jobs are done'}>
            What fails again and again stays here until somebody tries it again or takes it away.
          </Empty>
        }
        row={(job) => <JobRow job={job} onCancel={() => setCancelling(job)} />}
      />
      <Confirm
        opened={cancelling !== undefined}
        title="Take this job away?"
        action="Take away"
        busy={cancel.isPending}
        error={cancel.error}
        onConfirm={() => cancelling && cancel.mutate(cancelling.id, { onSuccess: close })}
        onClose={close}
      >
        What it had to do is not done: {cancelling?.kind} of {cancelling?.key}.
      </Confirm>
    </Page>
  )
}

function Counts({ counts }: { readonly counts: JobsAnswer['counts'] }) {
  const of = (state: JobState) => counts.reduce((sum, count) => sum + (count.state === state ? count.jobs : 0), 0)
  return (
    <Text size="sm" c="dimmed" role="status">
      {of('waiting')} waiting, {of('running')} running, {of('failed')} failed
    </Text>
  )
}

function JobRow({ job, onCancel }: { readonly job: Job; readonly onCancel: () => void }) {
  const { id, kind, key, state, attempts, addedAtMs, notBeforeMs, lastError } = job
  const isAdmin = useIsAdmin()
  const nowMs = useNow(5_000)
  const retry = useRetryJob()
  const { label, color } = states[state]
  const waits = state === 'waiting' && notBeforeMs > nowMs
  return (
    <Stack px="md" py="sm" gap={4}>
      <Group justify="space-between" align="flex-start">
        <Group gap="xs">
          <Text fw={650}>{kind}</Text>
          <Text className="mono">{key}</Text>
          <Badge variant="light" tt="none" color={color}>
            {label}
          </Badge>
        </Group>
        {isAdmin ? (
          <Group gap="xs">
            {state === 'running' ? null : (
              <Button size="xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate(id)}>
                Try now
              </Button>
            )}
            <Button size="xs" variant="subtle" color="red" onClick={onCancel}>
              Take away
            </Button>
          </Group>
        ) : null}
      </Group>
      {retry.error ? <ErrorNote error={retry.error} /> : null}
      {lastError === undefined ? null : (
        <Text size="sm" c="red" className="wrap">
          {lastError}
        </Text>
      )}
      <Text size="sm" c="dimmed" title={fullTime(addedAtMs)}>
        {attempts === 1 ? '1 attempt' : `${attempts} attempts`}, asked for {spokenDuration(nowMs - addedAtMs)} ago
        {waits ? `, tried in ${spokenDuration(notBeforeMs - nowMs)}` : ''}
      </Text>
    </Stack>
  )
}
