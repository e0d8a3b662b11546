/** One call: who, how it went, its recording, its legs, its SIP messages. Live calls change while one looks. */
import { Alert, Button, Card, Group, Stack, Text, Title } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import type { Call, LiveCall } from '../../../src/api/schemas/calls.ts'
import { useCall, useHangUp, useIsAdmin } from '../api/queries.ts'
import { Ladder } from '../call/ladder.tsx'
import { Legs } from '../call/legs.tsx'
import { clockTime, endText, fullTime, partyName, spokenDuration } from '../format.ts'
import { Notes } from '../recording/notes.tsx'
import { StoredRecording } from '../recording/stored-recording.tsx'
import { kindText, RecordingNow, ResultBadge } from '../ui/badges.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { BackIcon, HangUpIcon } from '../ui/icons.tsx'
import { ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { PartyText } from '../ui/party.tsx'
import { TextLink } from '../ui/text-link.tsx'
import { useNow } from '../ui/use-now.ts'

export function CallPage() {
  const { id = '' } = useParams()
  const detail = useCall(id)
  if (!detail.data) {
    return (
      <Page title="Call" actions={<Back />}>
        {detail.error ? (
          <ErrorNote error={detail.error} onRetry={() => void detail.refetch()} />
        ) : (
          <Loading what="the call" />
        )}
      </Page>
    )
  }
  const { call, live } = detail.data
  const title = `${partyName(call.from)} → ${partyName(call.to)}`
  return (
    <Page
      title={title}
      actions={
        <Group gap="xs">
          {live ? <HangUp call={live} /> : <TakeAway callId={call.id} />}
          <Back />
        </Group>
      }
    >
      <Summary call={call} live={live} />
      <Section title="Recording">
        <Recordings call={call} />
      </Section>
      <Section title="Notes">
        <Notes callId={call.id} />
      </Section>
      <Section title={call.kind === 'siprec' ? 'Streams' : 'Legs'}>
        <Legs legs={call.legs} liveLegs={live?.legs ?? []} />
      </Section>
      <Section title="SIP messages">
        <Ladder call={call} />
      </Section>
    </Page>
  )
}

/** To the list one came from, with its filters; to the history when the page was opened directly. */
function Back() {
  const navigate = useNavigate()
  const cameFromHere = typeof history.state?.idx === 'number' && history.state.idx > 0
  return cameFromHere ? (
    <Button variant="default" leftSection={<BackIcon size={16} />} onClick={() => void navigate(-1)}>
      Back
    </Button>
  ) : (
    <Button component={Link} to="/calls" variant="default" leftSection={<BackIcon size={16} />}>
      Call history
    </Button>
  )
}

/** To where a call is exported or erased. */
function TakeAway({ callId }: { readonly callId: string }) {
  if (!useIsAdmin()) return null
  return (
    <Button component={Link} to={`/privacy?call=${encodeURIComponent(callId)}`} variant="default">
      Export or erase
    </Button>
  )
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {title}
        </Title>
        {children}
      </Stack>
    </Card>
  )
}

function Summary({ call, live }: { readonly call: Call; readonly live: LiveCall | undefined }) {
  return (
    <Card withBorder>
      <Group justify="space-between" align="flex-start" gap="lg">
        <Stack gap={6}>
          <Group gap="xs">
            <ResultBadge call={call} />
            {live?.recording ? <RecordingNow /> : null}
            <Text size="sm" c="dimmed">
              {kindText(call.kind)}
            </Text>
          </Group>
          <Text data-testid="end-reason">{outcome(call)}</Text>
          <Text size="sm" c="dimmed">
            {timing(call)}
          </Text>
        </Stack>
        <Group gap="xl" align="flex-start">
          <Fact name="From">
            <PartyText party={call.from} />
          </Fact>
          <Fact name="To">
            <PartyText party={call.to} />
          </Fact>
          <Fact name="Started">{fullTime(call.startedAtMs)}</Fact>
          <Fact name={call.kind === 'siprec' || call.answeredAtMs === undefined ? 'Length' : 'Talked'}>
            {live ? (
              <Elapsed sinceMs={call.answeredAtMs ?? call.startedAtMs} />
            ) : (
              <span className="tabular">{length(call)}</span>
            )}
          </Fact>
        </Group>
      </Group>
    </Card>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="wrap">
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text component="div">{children}</Text>
    </div>
  )
}

function Elapsed({ sinceMs }: { readonly sinceMs: number }) {
  const nowMs = useNow(1_000)
  return <span className="tabular">{clockTime(nowMs - sinceMs)}</span>
}

function length({ startedAtMs, answeredAtMs, endedAtMs }: Call): string {
  return endedAtMs === undefined ? '' : clockTime(endedAtMs - (answeredAtMs ?? startedAtMs))
}

/** How it went, in a sentence; the SIP status beside it where the sentence alone could puzzle. */
function outcome(call: Call): string {
  const { sentence } = endText(call.endReason)
  if (call.kind === 'siprec' && call.endReason === 'hangup') return 'The session ended normally.'
  return call.sipStatus !== undefined && call.sipStatus >= 400 ? `${sentence} (SIP ${call.sipStatus})` : sentence
}

function timing({ kind, startedAtMs, answeredAtMs, endedAtMs }: Call): string {
  if (kind === 'siprec' || answeredAtMs === undefined) {
    return endedAtMs === undefined ? '' : `It lasted ${spokenDuration(endedAtMs - startedAtMs)}.`
  }
  const rang = `Answered after ${spokenDuration(answeredAtMs - startedAtMs)}`
  return endedAtMs === undefined ? `${rang}.` : `${rang}, talked for ${spokenDuration(endedAtMs - answeredAtMs)}.`
}

/** A number of the house: there is no leg but the caller's. */
const answeredByServer = ({ kind, legs }: Call): boolean =>
  kind === 'pbx' && legs.every(({ role }) => role === 'caller')

function Recordings({ call }: { readonly call: Call }) {
  if (call.recordings.length === 0) {
    return (
      <Text c="dimmed">
        {call.answeredAtMs === undefined ? (
          'Nothing is recorded before somebody answers.'
        ) : answeredByServer(call) ? (
          'Conference rooms and the echo test are not recorded.'
        ) : (
          <>
            The call was not recorded. Whether calls are is a setting of the{' '}
            <TextLink to="/extensions">extension</TextLink>.
          </>
        )}
      </Text>
    )
  }
  return call.recordings.map((recording) => {
    if (recording.state === 'recording') {
      return <Text key={recording.id}>The recording can be played here when the call has ended.</Text>
    }
    if (recording.state === 'deleting' || recording.state === 'deleted') {
      return (
        <Alert key={recording.id} color="gray" title="Deleted">
          {recording.deletedAtMs === undefined
            ? 'Its files are being deleted.'
            : `Its files were deleted ${fullTime(recording.deletedAtMs)}. The audit record says by whom and why.`}
        </Alert>
      )
    }
    if (recording.files.length === 0) {
      return (
        <Alert key={recording.id} color="orange" title="There is no file">
          The recording could not be written, or no audio arrived. The server's log says why.
        </Alert>
      )
    }
    return <StoredRecording key={recording.id} recording={recording} legs={call.legs} />
  })
}

function HangUp({ call }: { readonly call: LiveCall }) {
  const [asking, setAsking] = useState(false)
  const hangUp = useHangUp()
  const isAdmin = useIsAdmin()
  if (!isAdmin) return null
  return (
    <>
      <Button color="red" variant="light" leftSection={<HangUpIcon size={16} />} onClick={() => setAsking(true)}>
        Hang up
      </Button>
      <Confirm
        opened={asking}
        title="Hang up this call?"
        action="Hang up"
        busy={hangUp.isPending}
        error={hangUp.error}
        onConfirm={() => hangUp.mutate(call.id, { onSuccess: () => setAsking(false) })}
        onClose={() => setAsking(false)}
      >
        {partyName(call.from)} and {partyName(call.to)} will be cut off at once.
      </Confirm>
    </>
  )
}
