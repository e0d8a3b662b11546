/** What stands where there is nothing to show: loading, nothing yet, something went wrong. */
import { Alert, Button, Center, Group, List, Loader, Stack, Text, ThemeIcon } from '@mantine/core'
import type { ReactNode } from 'react'
import { ApiError } from '../api/client.ts'
import { AlertIcon } from './icons.tsx'

export function Loading({ what }: { readonly what: string }) {
  return (
    <Center p="xl" role="status" aria-label={`Loading ${what}`}>
      <Loader size="sm" />
    </Center>
  )
}

interface EmptyProps {
  readonly icon: ReactNode
  readonly title: string
  /** What to do to get something here. */
  readonly children?: ReactNode
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <Stack align="center" gap="xs" px="md" py={48}>
      <ThemeIcon size={52} radius="xl" variant="light" color="gray">
        {icon}
      </ThemeIcon>
      <Text fw={600} ta="center">
        {title}
      </Text>
      <Text c="dimmed" ta="center" maw={460} component="div">
        {children}
      </Text>
    </Stack>
  )
}

interface ErrorNoteProps {
  readonly error: unknown
  readonly onRetry?: () => void
}

/** What went wrong and what to do about it. */
export function ErrorNote({ error, onRetry }: ErrorNoteProps) {
  const { title, detail, fields } = describe(error)
  return (
    <Alert color="red" icon={<AlertIcon />} title={title} role="alert">
      {detail ? <Text size="sm">{detail}</Text> : null}
      {fields.length > 0 ? (
        <List size="sm">
          {fields.map(({ path, message }) => (
            <List.Item key={path}>
              <b>{path.replace(/^body\./, '')}</b>: {message}
            </List.Item>
          ))}
        </List>
      ) : null}
      {onRetry ? (
        <Group mt="xs">
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        </Group>
      ) : null}
    </Alert>
  )
}

function describe(error: unknown): Pick<ApiError, 'detail' | 'fields'> & { readonly title: string } {
  if (error instanceof ApiError) {
    if (error.fields.length > 0) return { title: 'This cannot be taken', detail: undefined, fields: error.fields }
    return { title: error.message, detail: error.detail ?? adviceFor(error), fields: error.fields }
  }
  return { title: 'Something went wrong in this page', detail: String(error), fields: [] }
}

function adviceFor({ status }: ApiError): string | undefined {
  if (status === 403) return 'Your role allows reading only. Ask an administrator.'
  if (status === 429) return 'Too many attempts. Wait a minute, then try again.'
  if (status >= 500) return 'The server could not do this. Its log says why.'
  return undefined
}
