/** What people wrote about a call, its tags, and a field for a further note. */
import { Button, Group, Stack, Text, Textarea } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useAddNote, useLabels, useRemoveNote, useTagCall } from '../api/keeping-queries.ts'
import { useIsOperator } from '../api/queries.ts'
import { shortTime } from '../format.ts'
import { ErrorNote, Loading } from '../ui/notes.tsx'
import { Tags } from './tags.tsx'

export function Notes({ callId }: { readonly callId: string }) {
  const labels = useLabels(callId)
  const save = useTagCall(callId)
  const remove = useRemoveNote(callId)
  const mayWrite = useIsOperator()
  if (labels.error) return <ErrorNote error={labels.error} onRetry={() => void labels.refetch()} />
  if (!labels.data) return <Loading what="the notes" />
  const { tags, notes } = labels.data
  return (
    <Stack gap="sm">
      <Tags label="Tags of the call" tags={tags} save={save} />
      {notes.length > 0 ? (
        <ul className="plain" aria-label="Notes">
          {notes.map(({ id, atMs, who, text }) => (
            <li key={id}>
              <Group justify="space-between" wrap="nowrap" align="flex-start">
                <Text size="sm" className="wrap" style={{ whiteSpace: 'pre-wrap' }}>
                  <Text span c="dimmed" size="sm">
                    {who}, {shortTime(atMs, Date.now())}:
                  </Text>{' '}
                  {text}
                </Text>
                {mayWrite ? (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="red"
                    aria-label={`Remove the note of ${who}`}
                    loading={remove.isPending && remove.variables === id}
                    onClick={() => remove.mutate(id)}
                  >
                    Remove
                  </Button>
                ) : null}
              </Group>
            </li>
          ))}
        </ul>
      ) : null}
      {remove.error ? <ErrorNote error={remove.error} /> : null}
      {mayWrite ? <NewNote callId={callId} /> : notes.length === 0 ? <Text c="dimmed">No notes</Text> : null}
    </Stack>
  )
}

function NewNote({ callId }: { readonly callId: string }) {
  const [text, setText] = useState('')
  const add = useAddNote(callId)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    add.mutate(text.trim(), { onSuccess: () => setText('') })
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="xs" maw={560}>
        <Textarea
          label="New note"
          autosize
          minRows={1}
          maxLength={4_000}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {add.error ? <ErrorNote error={add.error} /> : null}
        <Group>
          <Button type="submit" size="xs" variant="default" loading={add.isPending} disabled={text.trim() === ''}>
            Write the note
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
