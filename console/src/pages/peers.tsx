/** Recording clients (SIPREC): which of them record here now, when they were heard last, and what went wrong. */
import { Badge, Button, Card, Group, Stack, Switch, Text } from '@mantine/core'
import { useState } from 'react'
import type { SiprecPeer, SiprecPeerState } from '../../../src/api/schemas/siprec-peers.ts'
import { useIsAdmin } from '../api/queries.ts'
import { useChangeSiprecPeer, useRemoveSiprecPeer, useSiprecPeers } from '../api/recorder-queries.ts'
import { fullTime, spokenDuration } from '../format.ts'
import { Confirm } from '../ui/confirm.tsx'
import { RecorderIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { useNow } from '../ui/use-now.ts'
import { PeerForm } from './peer-form.tsx'
import { RecordingServerList } from './recording-servers.tsx'

export function PeersPage() {
  const peers = useSiprecPeers()
  const isAdmin = useIsAdmin()
  const nowMs = useNow(10_000)
  const [editing, setEditing] = useState<SiprecPeer | 'new'>()
  const [removing, setRemoving] = useState<SiprecPeer>()
  const remove = useRemoveSiprecPeer()
  const items = peers.data?.items ?? []
  const close = () => {
    setRemoving(undefined)
    remove.reset()
  }
  return (
    <Page
      title="Recording clients"
      hint="SBCs and phone systems that send calls here to be recorded (SIPREC)"
      actions={isAdmin ? <Button onClick={() => setEditing('new')}>Add a client</Button> : null}
    >
      {peers.error ? <ErrorNote error={peers.error} onRetry={() => void peers.refetch()} /> : null}
      <Card withBorder p={0}>
        {peers.isPending ? <Loading what="recording clients" /> : null}
        {peers.data && items.length === 0 ? (
          <Empty icon={<RecorderIcon size={26} />} title="No client has a name yet">
            Clients of the networks in <span className="mono">SIPREC_ALLOWED_SOURCES</span> are recorded without one. A
            name gives a client rules of its own: what it may leave out, its keys, how long its recordings are kept.
          </Empty>
        ) : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label="Recording clients">
            {items.map((peer) => (
              <li key={peer.id}>
                <PeerRow
                  peer={peer}
                  nowMs={nowMs}
                  onEdit={isAdmin && peer.origin === 'api' ? () => setEditing(peer) : undefined}
                  onRemove={isAdmin && peer.origin === 'api' ? () => setRemoving(peer) : undefined}
                />
              </li>
            ))}
          </ul>
        ) : null}
      </Card>
      {peers.data ? (
        <Text size="sm" c="dimmed">
          Clients without a name: {stateText(peers.data.unnamed, nowMs)}
        </Text>
      ) : null}
      <RecordingServerList />
      {editing ? (
        <PeerForm {...(editing !== 'new' && { peer: editing })} onClose={() => setEditing(undefined)} />
      ) : null}
      <Confirm
        opened={removing !== undefined}
        title={`Delete ${removing?.name ?? ''}?`}
        action="Delete"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => removing && remove.mutate(removing.id, { onSuccess: close })}
        onClose={close}
      >
        Sessions that live go on, and recordings stay. What it sends later is taken only if a network of the settings
        admits it.
      </Confirm>
    </Page>
  )
}

interface PeerRowProps {
  readonly peer: SiprecPeer
  readonly nowMs: number
  /** Absent for who may only look, and for clients of the settings file. */
  readonly onEdit: (() => void) | undefined
  readonly onRemove: (() => void) | undefined
}

function PeerRow({ peer, nowMs, onEdit, onRemove }: PeerRowProps) {
  const { id, name, enabled, dialect, state, tags } = peer
  const change = useChangeSiprecPeer()
  return (
    <Stack px="md" py="sm" gap={4}>
      <Group justify="space-between" align="flex-start">
        <Group gap="xs">
          <Text fw={650}>{name}</Text>
          <Text className="mono">{knownBy(peer)}</Text>
          <Badge variant="light" tt="none" color={state.sessionsNow > 0 ? 'green' : 'gray'}>
            {state.sessionsNow === 1 ? '1 session' : `${state.sessionsNow} sessions`}
          </Badge>
          <Badge variant="light" tt="none" color="gray">
            {dialect}
          </Badge>
          {tags.map((tag) => (
            <Badge key={tag} variant="outline" tt="none" color="gray">
              {tag}
            </Badge>
          ))}
        </Group>
        <Group gap="xs">
          <Switch
            label={enabled ? 'On' : 'Off'}
            aria-label={`${name} is recorded`}
            checked={enabled}
            disabled={!onEdit || change.isPending}
            onChange={() => change.mutate({ id, changes: { enabled: !enabled } })}
          />
          {onEdit ? (
            <Button size="xs" variant="default" onClick={onEdit}>
              Change
            </Button>
          ) : null}
          {onRemove ? (
            <Button size="xs" variant="subtle" color="red" onClick={onRemove}>
              Delete
            </Button>
          ) : null}
        </Group>
      </Group>
      {change.error ? <ErrorNote error={change.error} /> : null}
      {state.lastError ? (
        <Text size="sm" c="red" title={fullTime(state.lastError.atMs)}>
          {state.lastError.text} ({state.lastError.code}), {spokenDuration(nowMs - state.lastError.atMs)} ago
        </Text>
      ) : null}
      <Text size="sm" c="dimmed">
        {stateText(state, nowMs)}
        {peer.origin === 'file' ? '. Of patchbay.yaml' : ''}
      </Text>
    </Stack>
  )
}

function knownBy({ sources, username, certificate }: SiprecPeer): string {
  const ways = [...sources, ...(username === undefined ? [] : [username]), ...(certificate ? [certificate] : [])]
  return ways.join(', ')
}

function stateText({ sessions, lastSessionAtMs, lastPingAtMs, lastSource }: SiprecPeerState, nowMs: number): string {
  const ago = (atMs: number) => `${spokenDuration(nowMs - atMs)} ago`
  const parts = [`${sessions} ${sessions === 1 ? 'session' : 'sessions'} since the start`]
  if (lastSessionAtMs !== undefined) parts.push(`the last ${ago(lastSessionAtMs)}`)
  if (lastPingAtMs !== undefined) parts.push(`asked for us by OPTIONS ${ago(lastPingAtMs)}`)
  if (lastSource !== undefined) parts.push(`from ${lastSource}`)
  return parts.join(', ')
}
