/** The audit record: who did what, when, from where; and whether the record is whole. */
import { Alert, Button, Group, SimpleGrid, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import type { AuditRecord, AuditVerdict } from '../../../src/api/schemas/audit.ts'
import { useAudit, useVerifyAudit } from '../api/office-queries.ts'
import { useIsAdmin } from '../api/queries.ts'
import { fullTime, shortTime } from '../format.ts'
import { AdminsOnly } from '../ui/admins-only.tsx'
import { dayEndMs, dayStartMs } from '../ui/days.ts'
import { useFilters } from '../ui/filters.ts'
import { ShieldIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { PagedList } from '../ui/paged-list.tsx'
import { SearchField } from '../ui/search-field.tsx'

export function AuditPage() {
  const isAdmin = useIsAdmin()
  return (
    <Page title="Audit record" hint="Who listened, changed, deleted, exported or erased what">
      {isAdmin ? <Audit /> : <AdminsOnly what="the audit record" />}
    </Page>
  )
}

function Audit() {
  const filters = useFilters()
  const records = useAudit({
    action: filters.get('action') || undefined,
    who: filters.get('who') || undefined,
    subject: filters.get('subject') || undefined,
    fromMs: dayStartMs(filters.get('from')),
    untilMs: dayEndMs(filters.get('until')),
  })
  const words = (name: string) => ({
    value: filters.get(name),
    onSearch: (text: string) => filters.set(name, text),
  })
  const day = (name: string) => ({
    value: filters.get(name),
    onChange: (event: { currentTarget: { value: string } }) => filters.set(name, event.currentTarget.value),
  })
  return (
    <>
      <Verify />
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm" role="search" aria-label="Filter the record">
        <SearchField label="Action" placeholder="recording, hold.placed" {...words('action')} />
        <SearchField label="Who" placeholder="admin" {...words('who')} />
        <SearchField label="Subject" placeholder="recording:Xk3v…" {...words('subject')} />
        <TextInput type="date" label="From" {...day('from')} />
        <TextInput type="date" label="Until" {...day('until')} />
      </SimpleGrid>
      <PagedList
        query={records}
        what="records"
        empty={
          <Empty icon={<ShieldIcon size={26} />} title={filters.any ? 'No record matches' : 'No records yet'}>
            An action is found by its whole name or by what it begins with, who and subject by their whole name.
          </Empty>
        }
        row={(record) => <RecordRow record={record} />}
      />
    </>
  )
}

function Verify() {
  const verify = useVerifyAudit()
  return (
    <>
      <Group gap="sm">
        <Button size="xs" variant="default" loading={verify.isPending} onClick={() => verify.mutate()}>
          Verify the record
        </Button>
        <Text size="sm" c="dimmed">
          Each record is hashed with the one before: what was changed or taken out is noticed.
        </Text>
      </Group>
      {verify.error ? <ErrorNote error={verify.error} /> : null}
      {verify.data ? <Verdict verdict={verify.data} /> : null}
    </>
  )
}

const faults: Record<NonNullable<AuditVerdict['broken']>['fault'], string> = {
  missing: 'was taken out',
  changed: 'is not what was hashed',
  unlinked: 'was not made for the one before it',
}

function Verdict({ verdict: { intact, records, head, broken } }: { readonly verdict: AuditVerdict }) {
  return (
    <Alert color={intact ? 'green' : 'red'} title={intact ? 'Intact' : 'Changed'} role="status">
      <Text size="sm">{broken ? `Record ${broken.sequence} ${faults[broken.fault]}.` : `${records} records fit.`}</Text>
      <Text size="sm">
        Note the last hash elsewhere, a later check can look for it: <span className="mono">{head}</span>
      </Text>
    </Alert>
  )
}

function RecordRow({ record }: { readonly record: AuditRecord }) {
  const { atMs, who, via, source, action, subject, details, sequence, hash } = record
  const [opened, setOpened] = useState(false)
  return (
    <>
      <UnstyledButton w="100%" px="md" py={6} aria-expanded={opened} onClick={() => setOpened(!opened)}>
        <Group gap="0 1rem">
          <Text size="sm" c="dimmed" className="tabular" component="time" title={fullTime(atMs)}>
            {shortTime(atMs, Date.now())}
          </Text>
          <Text size="sm" fw={600}>
            {who}
          </Text>
          <Text size="sm" className="mono">
            {action}
          </Text>
          <Text size="sm" className="mono wrap" c="dimmed">
            {subject}
          </Text>
        </Group>
      </UnstyledButton>
      {opened ? (
        <pre className="message-text">
          {[
            `Record ${sequence}, ${fullTime(atMs)}`,
            `By ${viaTexts[via]}${source === undefined ? '' : ` from ${source}`}`,
            JSON.stringify(details, null, 2),
            `Hash ${hash}`,
          ].join('\n')}
        </pre>
      ) : null}
    </>
  )
}

const viaTexts: Record<AuditRecord['via'], string> = {
  session: 'the console',
  'api-key': 'an API key',
  token: 'a token',
  'command-line': 'the command line',
  server: 'the server itself',
}
