/** A list of what was asked for, on a card with its name. */
import { Card, Stack, Text, Title } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorNote, Loading } from '../ui/notes.tsx'

interface ListCardProps<Item> {
  readonly title: string
  readonly list: UseQueryResult<{ readonly items: readonly Item[] }>
  readonly row: (item: Item) => ReactNode
}

export function ListCard<Item extends { readonly id: string }>({ title, list, row }: ListCardProps<Item>) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {title}
        </Title>
        {list.error ? <ErrorNote error={list.error} onRetry={() => void list.refetch()} /> : null}
        {list.isPending ? <Loading what={title.toLowerCase()} /> : null}
        {list.data?.items.length === 0 ? <Text c="dimmed">None yet</Text> : null}
        <ul className="rows" aria-label={title}>
          {list.data?.items.map((item) => (
            <li key={item.id}>{row(item)}</li>
          ))}
        </ul>
      </Stack>
    </Card>
  )
}
