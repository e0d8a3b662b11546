/** Pieces of dialogs that make something: the buttons at the end of a form, and what is shown once afterwards. */
import { Button, Group, Modal, Stack } from '@mantine/core'
import type { ReactNode } from 'react'

interface FormButtonsProps {
  readonly action: string
  readonly busy: boolean
  readonly onCancel: () => void
}

export function FormButtons({ action, busy, onCancel }: FormButtonsProps) {
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={onCancel}>
        Cancel
      </Button>
      <Button type="submit" loading={busy}>
        {action}
      </Button>
    </Group>
  )
}

interface ShownOnceProps {
  readonly title: string
  /** `key`, `password`: what the button says has been copied. */
  readonly what: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Closed only by its button: a click beside it would lose what is shown. */
export function ShownOnce({ title, what, onClose, children }: ShownOnceProps) {
  return (
    <Modal
      opened
      onClose={onClose}
      centered
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      title={title}
    >
      <Stack>
        {children}
        <Button onClick={onClose}>I have copied the {what}</Button>
      </Stack>
    </Modal>
  )
}
