/** What the rules of retention would delete now: how many, and which. */
import { Stack, Text } from '@mantine/core'
import type { Preview } from '../../../src/api/schemas/retention.ts'
import { fullTime } from '../format.ts'
import { TextLink } from '../ui/text-link.tsx'
import { causeText } from './keep-text.ts'

export function PreviewList({ preview: { items, due, held, complete } }: { readonly preview: Preview }) {
  return (
    <Stack gap={6}>
      <Text size="sm" role="status">
        {due === 0 ? 'Nothing would be deleted.' : `${due - held} would be deleted, ${held} more are held.`}
        {complete ? '' : ' There are more recordings than a trial looks at: these are of the oldest.'}
      </Text>
      {items.length > 0 ? (
        <ul className="plain" aria-label="Recordings that are due">
          {items.map(({ recordingId, callId, startedAtMs, counts, holds }) => (
            <li key={recordingId}>
              <Text size="sm">
                <TextLink to={`/calls/${encodeURIComponent(callId)}`}>{fullTime(startedAtMs)}</TextLink>:{' '}
                {causeText(counts)}
                {holds.length > 0 ? ', held' : ''}
              </Text>
            </li>
          ))}
        </ul>
      ) : null}
      {items.length < due ? (
        <Text size="sm" c="dimmed">
          The first {items.length} of {due}.
        </Text>
      ) : null}
    </Stack>
  )
}
