/** In the place of a page that only administrators see. */
import { Card } from '@mantine/core'
import { ShieldIcon } from './icons.tsx'
import { Empty } from './notes.tsx'

/** @param what In the plural: `exports`. */
export function AdminsOnly({ what }: { readonly what: string }) {
  return (
    <Card withBorder>
      <Empty icon={<ShieldIcon size={26} />} title={`Only administrators see ${what}`}>
        Ask an administrator.
      </Empty>
    </Card>
  )
}
