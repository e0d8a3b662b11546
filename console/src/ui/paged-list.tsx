/** A list that is read page by page: the rows so far, a button for older ones, what went wrong, what to do when empty. */
import { Button, Card, Center } from '@mantine/core'
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorNote, Loading } from './notes.tsx'

interface PagedListProps<Item> {
  readonly query: UseInfiniteQueryResult<InfiniteData<{ readonly items: readonly Item[] }>>
  /** What is listed, in the plural: `calls`. */
  readonly what: string
  readonly empty: ReactNode
  readonly row: (item: Item) => ReactNode
}

export function PagedList<Item extends { readonly id: string }>({ query, what, empty, row }: PagedListProps<Item>) {
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      {query.error ? <ErrorNote error={query.error} onRetry={() => void query.refetch()} /> : null}
      <Card withBorder p={0}>
        {query.isPending ? <Loading what={what} /> : null}
        {query.data && items.length === 0 ? empty : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label={`${what.charAt(0).toUpperCase()}${what.slice(1)}`}>
            {items.map((item) => (
              <li key={item.id}>{row(item)}</li>
            ))}
          </ul>
        ) : null}
      </Card>
      {query.hasNextPage ? (
        <Center>
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Show older {what}
          </Button>
        </Center>
      ) : null}
    </>
  )
}
