/** The trunks of the settings: which of them answer, since when, and why not. */
import { Badge, Card, Group, Stack, Text } from '@mantine/core'
import type { Trunk } from '../../../src/api/schemas/trunks.ts'
import { useTrunks } from '../api/queries.ts'
import { fullTime, spokenDuration } from '../format.ts'
import { TrunkIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { useNow } from '../ui/use-now.ts'

export function TrunksPage() {
  const trunks = useTrunks()
  const items = trunks.data?.items ?? []
  return (
    <Page title="Trunks" hint="Ways to and from the world">
      {trunks.error ? <ErrorNote error={trunks.error} onRetry={() => void trunks.refetch()} /> : null}
      <Card withBorder p={0}>
        {trunks.isPending ? <Loading what="trunks" /> : null}
        {trunks.data && items.length === 0 ? (
          <Empty icon={<TrunkIcon size={26} />} title="No trunks yet">
            A trunk carries calls to a provider or another phone system. Trunks stand under{' '}
            <span className="mono">trunks</span> in patchbay.yaml.
          </Empty>
        ) : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label="Trunks">
            {items.map((trunk) => (
              <li key={trunk.name}>
                <TrunkRow trunk={trunk} />
              </li>
            ))}
          </ul>
        ) : null}
      </Card>
    </Page>
  )
}

const states: Record<Trunk['state'], { readonly label: string; readonly color: string }> = {
  up: { label: 'Up', color: 'green' },
  down: { label: 'Down', color: 'red' },
  unknown: { label: 'Not known yet', color: 'gray' },
}

function TrunkRow({ trunk }: { readonly trunk: Trunk }) {
  const { name, host, state, sinceMs, reason, registration } = trunk
  const nowMs = useNow(10_000)
  const { label, color } = states[state]
  return (
    <Stack px="md" py="sm" gap={4}>
      <Group gap="xs">
        <Text fw={650}>{name}</Text>
        <Text className="mono">{host}</Text>
        <Badge variant="light" tt="none" color={color}>
          {label}
        </Badge>
        {registration ? (
          <Badge variant="light" tt="none" color={registration.state === 'registered' ? 'green' : 'gray'}>
            {registrationTexts[registration.state]}
          </Badge>
        ) : null}
        <Text size="sm" c="dimmed" title={fullTime(sinceMs)}>
          for {spokenDuration(nowMs - sinceMs)}
        </Text>
      </Group>
      {reason === undefined ? null : (
        <Text size="sm" c="red">
          {reason}
          {registration?.retryAtMs === undefined
            ? ''
            : `; tried again in ${spokenDuration(Math.max(0, registration.retryAtMs - nowMs))}`}
        </Text>
      )}
      <Text size="sm" c="dimmed">
        {answerText(trunk, nowMs)}
      </Text>
    </Stack>
  )
}

const registrationTexts: Record<NonNullable<Trunk['registration']>['state'], string> = {
  registering: 'Registering',
  registered: 'Registered',
  failed: 'Not registered',
  closed: 'Not registered',
}

function answerText({ server, lastAnswerAtMs, roundTripMs }: Trunk, nowMs: number): string {
  if (lastAnswerAtMs === undefined) return 'No answer yet'
  const answered = `Last answer ${spokenDuration(nowMs - lastAnswerAtMs)} ago`
  const by = server === undefined ? '' : ` from ${server}`
  return roundTripMs === undefined ? answered + by : `${answered}${by}, in ${roundTripMs} ms`
}
