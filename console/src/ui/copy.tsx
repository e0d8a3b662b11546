/** Something to copy: the text and a button. Works without a secure context too, where the clipboard interface is missing. */
import { ActionIcon, Group, Text, Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { CheckIcon, CopyIcon } from './icons.tsx'

interface CopyTextProps {
  readonly text: string
  /** What it is, for the button's name: `password`. */
  readonly what: string
}

export function CopyText({ text, what }: CopyTextProps) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => setCopied(false), 2_000)
    return () => clearTimeout(timer)
  }, [copied])

  const label = copied ? 'Copied' : `Copy ${what}`
  return (
    <Group gap={6} wrap="nowrap">
      <Text className="mono" component="span" data-testid={`copy-${what.replaceAll(' ', '-')}`}>
        {text}
      </Text>
      <Tooltip label={label}>
        <ActionIcon
          variant="subtle"
          color={copied ? 'green' : 'gray'}
          aria-label={label}
          onClick={() => void copy(text).then(setCopied)}
        >
          {copied ? <CheckIcon size={16} /> : <CopyIcon size={16} />}
        </ActionIcon>
      </Tooltip>
    </Group>
  )
}

/** Whether it worked. */
async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    )
  }
  // Plain http on a network address: the old way, through a field that is there for a moment.
  const field = document.createElement('textarea')
  field.value = text
  field.setAttribute('readonly', '')
  const host = document.querySelector('[role=dialog]') ?? document.body
  host.append(field)
  field.select()
  const worked = document.execCommand('copy')
  field.remove()
  return worked
}
