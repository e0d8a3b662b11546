/** Tags of a call or a recording: changed by operators, seen by all. */
import { Badge, Group, TagsInput, Text } from '@mantine/core'
import type { UseMutationResult } from '@tanstack/react-query'
import { useIsOperator } from '../api/queries.ts'
import { ErrorNote } from '../ui/notes.tsx'

interface TagsProps {
  readonly label: string
  readonly hint?: string
  readonly tags: readonly string[]
  readonly save: UseMutationResult<unknown, Error, readonly string[]>
}

export function Tags({ label, hint, tags, save }: TagsProps) {
  const mayTag = useIsOperator()
  if (!mayTag) {
    if (tags.length === 0) return null
    return (
      <Group gap="xs">
        <Text size="sm">{label}</Text>
        {tags.map((tag) => (
          <Badge key={tag} variant="outline" tt="none" color="gray">
            {tag}
          </Badge>
        ))}
      </Group>
    )
  }
  return (
    <>
      <TagsInput
        label={label}
        description={hint}
        placeholder="A word, then Enter"
        maw={560}
        // What was asked for stands there until the server has answered, then what it keeps.
        value={[...(save.isPending ? save.variables : tags)]}
        disabled={save.isPending}
        maxTags={50}
        onChange={(wanted) => save.mutate(wanted)}
      />
      {save.error ? <ErrorNote error={save.error} /> : null}
    </>
  )
}
