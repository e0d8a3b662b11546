/** What an erasure would take away; done only by who types once more whom it is about. */
import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { ErasurePreview } from '../../../src/api/schemas/compliance.ts'
import { useErase } from '../api/office-queries.ts'
import { fullTime } from '../format.ts'
import { ErrorNote } from '../ui/notes.tsx'
import { TextLink } from '../ui/text-link.tsx'
import { countsText, type Subject } from './subject.ts'

interface EraseProps {
  readonly subject: Subject
  /** As it was typed: has to be typed again. */
  readonly typed: string
  readonly preview: ErasurePreview
  readonly onBegun: () => void
}

export function Erase({ subject, typed, preview, onBegun }: EraseProps) {
  const [asking, setAsking] = useState(false)
  const { items, refused, calls } = preview
  return (
    <Stack gap="sm" mt="md" role="region" aria-label="What would be erased">
      <Text role="status">
        <b>Nothing is erased yet.</b> It would take away {countsText(preview)}.
      </Text>
      {refused ? (
        <Alert color="orange" title="It would be refused">
          {refused.text}
        </Alert>
      ) : null}
      {items.length > 0 ? (
        <ul className="plain" aria-label="Calls that would go">
          {items.map(({ callId, startedAtMs, recordings }) => (
            <li key={callId}>
              <Text size="sm">
                <TextLink to={`/calls/${encodeURIComponent(callId)}`}>{fullTime(startedAtMs)}</TextLink>,{' '}
                {recordings === 1 ? '1 recording' : `${recordings} recordings`}
              </Text>
            </li>
          ))}
        </ul>
      ) : null}
      {items.length < calls ? (
        <Text size="sm" c="dimmed">
          The first {items.length} of {calls} calls.
        </Text>
      ) : null}
      <Group>
        <Button color="red" disabled={refused !== undefined} onClick={() => setAsking(true)}>
          Erase…
        </Button>
      </Group>
      {asking ? (
        <EraseDialog subject={subject} typed={typed.trim()} onBegun={onBegun} onClose={() => setAsking(false)} />
      ) : null}
    </Stack>
  )
}

interface EraseDialogProps extends Omit<EraseProps, 'preview'> {
  readonly onClose: () => void
}

function EraseDialog({ subject, typed, onBegun, onClose }: EraseDialogProps) {
  const [again, setAgain] = useState('')
  const [why, setWhy] = useState('')
  const erase = useErase()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    erase.mutate(
      { ...subject, why: why.trim() },
      {
        onSuccess: () => {
          onClose()
          onBegun()
        },
      },
    )
  }
  return (
    <Modal opened onClose={onClose} centered title="Erase everything?">
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">
            The calls go with the voice of everybody in them, here and from every archive that lets them go. That cannot
            be undone. Nobody can tell afterwards whom it was about.
          </Text>
          <TextInput
            label={`Type ${typed} to confirm`}
            autoComplete="off"
            required
            data-autofocus
            value={again}
            onChange={(event) => setAgain(event.currentTarget.value)}
          />
          <TextInput
            label="Why"
            description="Stands in the audit record: a case number, no names"
            required
            maxLength={1_000}
            value={why}
            onChange={(event) => setWhy(event.currentTarget.value)}
          />
          {erase.error ? <ErrorNote error={erase.error} /> : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Keep everything
            </Button>
            <Button
              type="submit"
              color="red"
              loading={erase.isPending}
              disabled={again.trim() !== typed || why.trim() === ''}
            >
              Erase
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
