/** A dialog that asks for a reason before something is done; the reason is kept with it. */
import { Modal, Stack, Text, TextInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { FormButtons } from './dialogs.tsx'
import { ErrorNote } from './notes.tsx'

interface AskWhyProps {
  readonly title: string
  /** What will happen. */
  readonly children: ReactNode
  /** The verb on the button. */
  readonly action: string
  readonly busy: boolean
  readonly error: unknown
  readonly onDone: (why: string) => void
  readonly onClose: () => void
}

export function AskWhy({ title, children, action, busy, error, onDone, onClose }: AskWhyProps) {
  const [why, setWhy] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onDone(why.trim())
  }
  return (
    <Modal opened onClose={onClose} title={title} centered>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" component="div">
            {children}
          </Text>
          <TextInput
            label="Why"
            description="Kept in the audit record: a case number, a decision"
            required
            data-autofocus
            maxLength={1_000}
            value={why}
            onChange={(event) => setWhy(event.currentTarget.value)}
          />
          {error ? <ErrorNote error={error} /> : null}
          <FormButtons action={action} busy={busy} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  )
}
