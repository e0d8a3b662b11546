/** Links to SIP messages as files. */
import { Anchor, Group } from '@mantine/core'
import { DownloadIcon } from '../ui/icons.tsx'

const kinds = [
  { ending: 'pcap', title: 'Capture for Wireshark' },
  { ending: 'txt', title: 'Text' },
]

interface MessageFilesProps {
  /** Of each kind, by the ending of its name. */
  readonly address: (ending: string) => string
}

export function MessageFiles({ address }: MessageFilesProps) {
  return (
    <Group gap="md">
      {kinds.map(({ ending, title }) => (
        <Anchor key={ending} href={address(ending)} download size="sm">
          <Group gap={4} wrap="nowrap">
            <DownloadIcon size={16} />
            {title}
          </Group>
        </Anchor>
      ))}
    </Group>
  )
}
