/** The calls that live now: who, since when, with which codec, recorded or not; hang up. */
import { Button, Card, Group, SimpleGrid, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import type { LiveCall } from '../../../src/api/schemas/calls.ts'
import type { LiveRecording } from '../../../src/api/schemas/live-recordings.ts'
import { useHangUp, useIsAdmin, useLiveCalls } from '../api/queries.ts'
import { useLiveRecordings } from '../api/recorder-queries.ts'
import { clockTime, partyName } from '../format.ts'
import { LiveRecordingControls } from '../live/live-recording.tsx'
import { KindIcon, kindText, RecordingNow } from '../ui/badges.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { HangUpIcon, LiveIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { PartyText } from '../ui/party.tsx'
import { TextLink } from '../ui/text-link.tsx'
import { useNow } from '../ui/use-now.ts'

/** How often levels are asked for while one looks. */
const levelsEveryMs = 3_000

export function LivePage() {
  const live = useLiveCalls(levelsEveryMs)
  const calls = live.data?.items ?? []
  return (
    <Page title="Live calls" hint={live.data ? countText(calls.length) : ' '}>
      {live.error ? <ErrorNote error={live.error} onRetry={() => void live.refetch()} /> : null}
      {live.isPending ? <Loading what="live calls" /> : null}
      {live.data && calls.length === 0 ? (
        <Card withBorder>
          <Empty icon={<LiveIcon size={26} />} title="No calls right now">
            Calls appear here as they start. To place one, <TextLink to="/extensions">add an extension</TextLink> for
            each phone and see <TextLink to="/connect">what to type into it</TextLink>.
          </Empty>
        </Card>
      ) : null}
      {calls.length > 0 ? <LiveCards calls={calls} /> : null}
    </Page>
  )
}

function countText(count: number): string {
  if (count === 0) return 'Nothing is going on'
  return count === 1 ? '1 call in progress' : `${count} calls in progress`
}

function LiveCards({ calls }: { readonly calls: readonly LiveCall[] }) {
  const nowMs = useNow(1_000)
  const isAdmin = useIsAdmin()
  const recordings = useLiveRecordings().data
  const [ending, setEnding] = useState<LiveCall>()
  const hangUp = useHangUp()
  const close = () => {
    setEnding(undefined)
    hangUp.reset()
  }
  return (
    <>
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        {calls.map((call) => (
          <LiveCard
            key={call.id}
            call={call}
            recording={recordings?.get(call.id)}
            nowMs={nowMs}
            onHangUp={isAdmin ? () => setEnding(call) : undefined}
          />
        ))}
      </SimpleGrid>
      <Confirm
        opened={ending !== undefined}
        title="Hang up this call?"
        action="Hang up"
        busy={hangUp.isPending}
        error={hangUp.error}
        onConfirm={() => ending && hangUp.mutate(ending.id, { onSuccess: close })}
        onClose={close}
      >
        {ending ? `${partyName(ending.from)} and ${partyName(ending.to)} will be cut off at once.` : null}
      </Confirm>
    </>
  )
}

interface LiveCardProps {
  readonly call: LiveCall
  readonly recording: LiveRecording | undefined
  readonly nowMs: number
  /** Absent for who may only look. */
  readonly onHangUp: (() => void) | undefined
}

function LiveCard({ call, recording, nowMs, onHangUp }: LiveCardProps) {
  const codecs = [...new Set(call.legs.map(({ codec }) => codec).filter((codec) => codec !== undefined))]
  return (
    <Card withBorder component="article" aria-label={`${partyName(call.from)} to ${partyName(call.to)}`}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Stack gap={2} miw={0}>
            <PartyText party={call.from} />
            <Group gap={6} wrap="nowrap">
              <Text c="dimmed" component="span" aria-label="to">
                →
              </Text>
              <PartyText party={call.to} />
            </Group>
          </Stack>
          <Text size="xl" fw={600} className="tabular" role="timer" aria-label="Elapsed time">
            {clockTime(nowMs - (call.answeredAtMs ?? call.startedAtMs))}
          </Text>
        </Group>
        <Group gap="xs">
          <Group gap={4} c="dimmed" wrap="nowrap">
            <KindIcon kind={call.kind} size={16} />
            <Text size="sm">{kindText(call.kind)}</Text>
          </Group>
          <Text size="sm">{stateText(call)}</Text>
          {codecs.length > 0 ? (
            <Text size="sm" c="dimmed" className="mono">
              {codecs.join(' / ')}
            </Text>
          ) : null}
          {call.recording && !recording ? <RecordingNow /> : null}
        </Group>
        {recording ? <LiveRecordingControls call={call} recording={recording} nowMs={nowMs} /> : null}
        <Group justify="space-between" mt={4}>
          <Button component={Link} to={`/calls/${encodeURIComponent(call.id)}`} variant="default" size="xs">
            Details
          </Button>
          {onHangUp ? (
            <Button color="red" variant="light" size="xs" leftSection={<HangUpIcon size={16} />} onClick={onHangUp}>
              Hang up
            </Button>
          ) : null}
        </Group>
      </Stack>
    </Card>
  )
}

function stateText(call: LiveCall): string {
  if (call.answeredAtMs !== undefined) return call.kind === 'siprec' ? 'Receiving' : 'Talking'
  return call.legs.some(({ state }) => state === 'ringing') ? 'Ringing' : 'Calling'
}
