/** The marks of a recording in words; each leads to its place. */
import { Text, UnstyledButton } from '@mantine/core'
import { clockTime } from '../format.ts'
import type { PlacedMark } from './marks.ts'

export function MarkList({
  marks,
  onSeek,
}: {
  readonly marks: readonly PlacedMark[]
  readonly onSeek: (toS: number) => void
}) {
  if (marks.length === 0) return null
  return (
    <ul className="plain" aria-label="Marks">
      {marks.map(({ fromS, untilS, text }) => (
        <li key={`${fromS} ${text}`}>
          <UnstyledButton onClick={() => onSeek(fromS)} title="Go there">
            <Text size="sm">
              <span className="tabular">
                {clockTime(fromS * 1000)} to {clockTime(untilS * 1000)}
              </span>{' '}
              {text}
            </Text>
          </UnstyledButton>
        </li>
      ))}
    </ul>
  )
}
