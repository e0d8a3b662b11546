/** Requests of people who were recorded: everything of them as an archive, or everything erased, tried before it is done. */
import { Button, Card, Group, SegmentedControl, Stack, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useSearchParams } from 'react-router'
import { useErasurePreview, useExport } from '../api/office-queries.ts'
import { useIsAdmin } from '../api/queries.ts'
import { Erase } from '../privacy/erase.tsx'
import { Erasures } from '../privacy/erasures.tsx'
import { Exports } from '../privacy/exports.tsx'
import { subjectOf } from '../privacy/subject.ts'
import { AdminsOnly } from '../ui/admins-only.tsx'
import { ErrorNote } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'

export function PrivacyPage() {
  const isAdmin = useIsAdmin()
  return (
    <Page title="Export and erasure" hint="Of a person or a call: everything as one archive, or everything gone">
      {isAdmin ? <Privacy /> : <AdminsOnly what="exports and erasures" />}
    </Page>
  )
}

function Privacy() {
  const [parameters] = useSearchParams()
  const [kind, setKind] = useState<'person' | 'call'>(parameters.has('call') ? 'call' : 'person')
  const [typed, setTyped] = useState(parameters.get('call') ?? '')
  const makeExport = useExport()
  const preview = useErasurePreview()
  const subject = subjectOf(kind, typed)

  const change = (next: string) => {
    setTyped(next)
    // What was tried was of somebody else.
    preview.reset()
    makeExport.reset()
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (subject) preview.mutate(subject)
  }
  return (
    <>
      <Card withBorder component="section" aria-label="Whom it is about">
        <form onSubmit={submit}>
          <Stack gap="sm">
            <Group align="flex-end" gap="sm">
              <SegmentedControl
                aria-label="What it is about"
                value={kind}
                onChange={(value) => {
                  setKind(value === 'call' ? 'call' : 'person')
                  change('')
                }}
                data={[
                  { value: 'person', label: 'A person' },
                  { value: 'call', label: 'A call' },
                ]}
              />
              <TextInput
                style={{ flex: '1 1 18rem' }}
                label={kind === 'person' ? 'Numbers or addresses' : 'Id of the call'}
                description={kind === 'person' ? 'All under which the person is known, with commas between' : undefined}
                placeholder={kind === 'person' ? '+4930123, a@example.com' : undefined}
                value={typed}
                onChange={(event) => change(event.currentTarget.value)}
              />
            </Group>
            <Group gap="sm">
              <Button
                variant="default"
                disabled={!subject}
                loading={makeExport.isPending}
                onClick={() => subject && makeExport.mutate(subject)}
              >
                Export everything
              </Button>
              <Button type="submit" variant="light" color="red" disabled={!subject} loading={preview.isPending}>
                What would be erased?
              </Button>
            </Group>
            {makeExport.error ? <ErrorNote error={makeExport.error} /> : null}
            {preview.error ? <ErrorNote error={preview.error} /> : null}
          </Stack>
        </form>
        {subject && preview.data ? (
          <Erase subject={subject} typed={typed} preview={preview.data} onBegun={() => change('')} />
        ) : null}
      </Card>
      <Exports />
      <Erasures />
    </>
  )
}
