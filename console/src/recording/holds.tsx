/** All legal holds: on recordings, calls and persons; placed and lifted with a reason. */
import { Button, Card, Group, Modal, Stack, Switch, Text, TextInput, Title } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { Hold } from '../../../src/api/schemas/retention.ts'
import { useHolds, usePlaceHold } from '../api/keeping-queries.ts'
import { fullTime, shortTime } from '../format.ts'
import { FormButtons } from '../ui/dialogs.tsx'
import { ErrorNote, Loading } from '../ui/notes.tsx'
import { holdText } from './keep-text.ts'
import { LiftDialog } from './keeping.tsx'

export function Holds() {
  const [all, setAll] = useState(false)
  const holds = useHolds(all)
  const [lifting, setLifting] = useState<Hold>()
  const [placing, setPlacing] = useState(false)
  return (
    <Card withBorder component="section" aria-label="Legal holds">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            Legal holds
          </Title>
          <Group gap="sm">
            <Switch label="Lifted ones too" checked={all} onChange={() => setAll(!all)} />
            <Button size="xs" variant="default" onClick={() => setPlacing(true)}>
              Hold a person
            </Button>
          </Group>
        </Group>
        {holds.error ? <ErrorNote error={holds.error} onRetry={() => void holds.refetch()} /> : null}
        {holds.isPending ? <Loading what="legal holds" /> : null}
        {holds.data?.items.length === 0 ? (
          <Text c="dimmed">None. A recording is held on the page of its call.</Text>
        ) : null}
        <ul className="plain" aria-label="Holds">
          {holds.data?.items.map((hold) => (
            <li key={hold.id}>
              <Group gap="sm">
                <Text size="sm" className="wrap" title={fullTime(hold.placedAtMs)}>
                  {holdText(hold)}
                </Text>
                {hold.liftedAtMs === undefined ? (
                  <Button size="compact-xs" variant="subtle" onClick={() => setLifting(hold)}>
                    Lift
                  </Button>
                ) : (
                  <Text size="sm" c="dimmed">
                    lifted {shortTime(hold.liftedAtMs, Date.now())} by {hold.liftedBy}: {hold.liftedWhy}
                  </Text>
                )}
              </Group>
            </li>
          ))}
        </ul>
      </Stack>
      {lifting ? <LiftDialog hold={lifting} onClose={() => setLifting(undefined)} /> : null}
      {placing ? <PersonDialog onClose={() => setPlacing(false)} /> : null}
    </Card>
  )
}

function PersonDialog({ onClose }: { readonly onClose: () => void }) {
  const [person, setPerson] = useState('')
  const [why, setWhy] = useState('')
  const place = usePlaceHold()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    place.mutate({ person: person.trim(), why: why.trim() }, { onSuccess: onClose })
  }
  return (
    <Modal opened onClose={onClose} title="Hold everything of a person" centered>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Number or address"
            description="Calls that come later are held too"
            placeholder="+4930123, a@example.com"
            required
            data-autofocus
            maxLength={300}
            value={person}
            onChange={(event) => setPerson(event.currentTarget.value)}
          />
          <TextInput
            label="Why"
            description="Kept in the audit record: a case number, a decision"
            required
            maxLength={1_000}
            value={why}
            onChange={(event) => setWhy(event.currentTarget.value)}
          />
          {place.error ? <ErrorNote error={place.error} /> : null}
          <FormButtons action="Hold" busy={place.isPending} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  )
}
