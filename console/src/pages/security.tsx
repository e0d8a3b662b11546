/** Sources that are banned from SIP: who, why, since when; an administrator releases them. */
import { Badge, Button, Card, Group, Text } from '@mantine/core'
import { useState } from 'react'
import type { Ban } from '../../../src/api/schemas/security.ts'
import { useBans, useIsAdmin, useReleaseBan } from '../api/queries.ts'
import { shortTime, spokenDuration } from '../format.ts'
import { Confirm } from '../ui/confirm.tsx'
import { ShieldIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { useNow } from '../ui/use-now.ts'

const reasons: Readonly<Record<Ban['why'], string>> = {
  guessing: 'Guessed passwords',
  scanning: 'Scanned',
}

export function SecurityPage() {
  const bans = useBans()
  const isAdmin = useIsAdmin()
  const [releasing, setReleasing] = useState<Ban>()
  const items = bans.data?.items ?? []
  return (
    <Page title="Security" hint="Addresses that are shut out of SIP for a while">
      {bans.error ? <ErrorNote error={bans.error} onRetry={() => void bans.refetch()} /> : null}
      <Card withBorder p={0}>
        {bans.isPending ? <Loading what="bans" /> : null}
        {bans.data && items.length === 0 ? (
          <Empty icon={<ShieldIcon size={26} />} title="Nobody is banned">
            Who guesses passwords is shut out for a while and listed here.
          </Empty>
        ) : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label="Banned addresses">
            {items.map((ban) => (
              <li key={ban.source}>
                <BanRow ban={ban} onRelease={isAdmin ? () => setReleasing(ban) : undefined} />
              </li>
            ))}
          </ul>
        ) : null}
      </Card>
      {releasing ? <ReleaseDialog ban={releasing} onClose={() => setReleasing(undefined)} /> : null}
    </Page>
  )
}

function BanRow({ ban, onRelease }: { readonly ban: Ban; readonly onRelease: (() => void) | undefined }) {
  const nowMs = useNow(10_000)
  return (
    <Group px="md" py="sm" justify="space-between">
      <div>
        <Group gap="xs">
          <Text fw={600} className="mono">
            {ban.source}
          </Text>
          <Badge variant="light" tt="none" color="red">
            {reasons[ban.why]}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">
          Since {shortTime(ban.sinceMs, nowMs)}, for another {spokenDuration(Math.max(0, ban.untilMs - nowMs))}
          {ban.who === undefined ? '' : `; it tried to be ${ban.who}`}
        </Text>
      </div>
      {onRelease ? (
        <Button variant="light" size="xs" onClick={onRelease} aria-label={`Release ${ban.source}`}>
          Release
        </Button>
      ) : null}
    </Group>
  )
}

function ReleaseDialog({ ban, onClose }: { readonly ban: Ban; readonly onClose: () => void }) {
  const release = useReleaseBan()
  return (
    <Confirm
      opened
      title={`Release ${ban.source}?`}
      action="Release"
      busy={release.isPending}
      error={release.error}
      onConfirm={() => release.mutate(ban.source, { onSuccess: onClose })}
      onClose={onClose}
    >
      It is listened to again at once. To spare it for good, name it in SECURITY_TRUSTED_NETWORKS.
    </Confirm>
  )
}
