/** How long a recording stays and why; administrators hold it, lift holds, delete it. */
import { Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { Hold } from '../../../src/api/schemas/retention.ts'
import { useDeleteRecording, useLiftHold, usePlaceHold, useRecordingRetention } from '../api/keeping-queries.ts'
import { useIsAdmin } from '../api/queries.ts'
import { fullTime } from '../format.ts'
import { AskWhy } from '../ui/ask-why.tsx'
import { ErrorNote, Loading } from '../ui/notes.tsx'
import { holdText, keepText } from './keep-text.ts'

interface KeepingProps {
  readonly callId: string
  readonly recordingId: string
}

export function Keeping({ callId, recordingId }: KeepingProps) {
  const retention = useRecordingRetention(callId, recordingId)
  const isAdmin = useIsAdmin()
  const [asking, setAsking] = useState<'hold' | 'delete' | Hold>()
  const close = () => setAsking(undefined)
  if (retention.error) return <ErrorNote error={retention.error} onRetry={() => void retention.refetch()} />
  if (!retention.data) return <Loading what="how long it is kept" />
  const { holds } = retention.data
  return (
    <Stack gap={6}>
      <Group gap="sm">
        <Text size="sm" data-testid="keep">
          {keepText(retention.data)}
        </Text>
        {isAdmin ? (
          <>
            <Button size="xs" variant="default" onClick={() => setAsking('hold')}>
              Place a legal hold
            </Button>
            <Button
              size="xs"
              variant="subtle"
              color="red"
              disabled={holds.length > 0}
              onClick={() => setAsking('delete')}
            >
              Delete the recording
            </Button>
          </>
        ) : null}
      </Group>
      {holds.length > 0 ? (
        <ul className="plain" aria-label="Legal holds">
          {holds.map((hold) => (
            <li key={hold.id}>
              <Group gap="sm">
                <Text size="sm" className="wrap" title={fullTime(hold.placedAtMs)}>
                  {holdText(hold)}
                </Text>
                {isAdmin ? (
                  <Button size="compact-xs" variant="subtle" onClick={() => setAsking(hold)}>
                    Lift
                  </Button>
                ) : null}
              </Group>
            </li>
          ))}
        </ul>
      ) : null}
      {asking === 'hold' ? <HoldDialog callId={callId} recordingId={recordingId} onClose={close} /> : null}
      {asking === 'delete' ? <DeleteDialog recordingId={recordingId} onClose={close} /> : null}
      {typeof asking === 'object' ? <LiftDialog hold={asking} onClose={close} /> : null}
    </Stack>
  )
}

interface HoldDialogProps extends KeepingProps {
  readonly onClose: () => void
}

function HoldDialog({ callId, recordingId, onClose }: HoldDialogProps) {
  const [wholeCall, setWholeCall] = useState(false)
  const place = usePlaceHold()
  return (
    <AskWhy
      title="Place a legal hold"
      action="Hold"
      busy={place.isPending}
      error={place.error}
      onDone={(why) => place.mutate({ ...(wholeCall ? { callId } : { recordingId }), why }, { onSuccess: onClose })}
      onClose={onClose}
    >
      Nothing of it is deleted or erased while the hold stands.
      <Checkbox
        mt="sm"
        label="The whole call, with all its recordings"
        checked={wholeCall}
        onChange={() => setWholeCall(!wholeCall)}
      />
    </AskWhy>
  )
}

function DeleteDialog({ recordingId, onClose }: { readonly recordingId: string; readonly onClose: () => void }) {
  const remove = useDeleteRecording(recordingId)
  return (
    <AskWhy
      title="Delete this recording?"
      action="Delete"
      busy={remove.isPending}
      error={remove.error}
      onDone={(why) => remove.mutate(why, { onSuccess: onClose })}
      onClose={onClose}
    >
      Its audio is deleted here and in every archive. That cannot be undone. What is known of the call stays.
    </AskWhy>
  )
}

/** Used by the page of retention too. */
export function LiftDialog({ hold, onClose }: { readonly hold: Hold; readonly onClose: () => void }) {
  const lift = useLiftHold()
  return (
    <AskWhy
      title="Lift this hold?"
      action="Lift"
      busy={lift.isPending}
      error={lift.error}
      onDone={(why) => lift.mutate({ id: hold.id, why }, { onSuccess: onClose })}
      onClose={onClose}
    >
      {holdText(hold)}. What the rules of retention say applies again: a recording that is due is deleted soon.
    </AskWhy>
  )
}
