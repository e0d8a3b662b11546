/** For an address that leads nowhere. */
import { Anchor } from '@mantine/core'
import { Link } from 'react-router'
import { SearchIcon } from '../ui/icons.tsx'
import { Empty } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'

export function NotFoundPage() {
  return (
    <Page title="Not found">
      <Empty icon={<SearchIcon size={26} />} title="There is no such page">
        <Anchor component={Link} to="/">
          Go to the live calls
        </Anchor>
      </Empty>
    </Page>
  )
}
