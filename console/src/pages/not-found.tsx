/** For an address that leads nowhere. */
import { SearchIcon } from '../ui/icons.tsx'
import { Empty } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { TextLink } from '../ui/text-link.tsx'

export function NotFoundPage() {
  return (
    <Page title="Not found">
      <Empty icon={<SearchIcon size={26} />} title="There is no such page">
        <TextLink to="/">Go to the live calls</TextLink>
      </Empty>
    </Page>
  )
}
