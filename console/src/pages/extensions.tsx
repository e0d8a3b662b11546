/** The extensions with their devices: add (the password is shown once), change, remove. */
import { ActionIcon, Badge, Button, Card, Group, Menu, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { Extension, Registration } from '../../../src/api/schemas/extensions.ts'
import { useDropRegistrations, useExtensions, useIsAdmin, useRemoveExtension } from '../api/queries.ts'
import { spokenDuration } from '../format.ts'
import { Confirm } from '../ui/confirm.tsx'
import { DotsIcon, PeopleIcon, PlusIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { useNow } from '../ui/use-now.ts'
import { ExtensionForm } from './extension-form.tsx'

/** Which dialog is open, and about what. */
type Dialog =
  | { readonly kind: 'add' }
  | { readonly kind: 'change' | 'remove' | 'forget'; readonly extension: Extension }

export function ExtensionsPage() {
  const extensions = useExtensions()
  const isAdmin = useIsAdmin()
  const [dialog, setDialog] = useState<Dialog>()
  const items = extensions.data?.items ?? []
  const close = () => setDialog(undefined)
  const add = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setDialog({ kind: 'add' })}>
      Add extension
    </Button>
  )
  return (
    <Page title="Extensions" hint="Numbers that phones register for" actions={isAdmin && items.length > 0 ? add : null}>
      {extensions.error ? <ErrorNote error={extensions.error} onRetry={() => void extensions.refetch()} /> : null}
      <Card withBorder p={0}>
        {extensions.isPending ? <Loading what="extensions" /> : null}
        {extensions.data && items.length === 0 ? (
          <Empty icon={<PeopleIcon size={26} />} title="No extensions yet">
            <Stack align="center" gap="sm">
              An extension is a number that people dial and that phones sign in with.
              {isAdmin ? add : null}
            </Stack>
          </Empty>
        ) : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label="Extensions">
            {items.map((extension) => (
              <li key={extension.number}>
                <ExtensionRow extension={extension} canChange={isAdmin} onOpen={setDialog} />
              </li>
            ))}
          </ul>
        ) : null}
      </Card>
      {dialog?.kind === 'add' ? <ExtensionForm onClose={close} /> : null}
      {dialog?.kind === 'change' ? <ExtensionForm extension={dialog.extension} onClose={close} /> : null}
      {dialog?.kind === 'remove' ? <RemoveDialog extension={dialog.extension} onClose={close} /> : null}
      {dialog?.kind === 'forget' ? <ForgetDialog extension={dialog.extension} onClose={close} /> : null}
    </Page>
  )
}

interface RowProps {
  readonly extension: Extension
  readonly canChange: boolean
  readonly onOpen: (dialog: Dialog) => void
}

function ExtensionRow({ extension, canChange, onOpen }: RowProps) {
  const { number, displayName, registrations } = extension
  return (
    <Group px="md" py="sm" wrap="nowrap" align="flex-start" justify="space-between">
      <Stack gap={4} miw={0} style={{ flex: 1 }}>
        <Group gap="xs">
          <Text fw={650} className="tabular">
            {number}
          </Text>
          <Text>{displayName}</Text>
          <Badge variant="light" tt="none" color={registrations.length > 0 ? 'green' : 'gray'}>
            {registeredText(registrations.length)}
          </Badge>
          <Text size="sm" c="dimmed">
            {extension.record ? 'records its calls' : 'does not record'}, rings {extension.ringSeconds} s
          </Text>
        </Group>
        {registrations.length > 0 ? <Devices registrations={registrations} /> : null}
      </Stack>
      {canChange ? (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${number}`}>
              <DotsIcon />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => onOpen({ kind: 'change', extension })}>Change…</Menu.Item>
            <Menu.Item disabled={registrations.length === 0} onClick={() => onOpen({ kind: 'forget', extension })}>
              Forget its devices…
            </Menu.Item>
            <Menu.Item color="red" onClick={() => onOpen({ kind: 'remove', extension })}>
              Remove…
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      ) : null}
    </Group>
  )
}

function registeredText(count: number): string {
  if (count === 0) return 'Not registered'
  return count === 1 ? 'Registered' : `${count} devices registered`
}

function Devices({ registrations }: { readonly registrations: readonly Registration[] }) {
  const nowMs = useNow(10_000)
  return (
    <Stack gap={2}>
      {registrations.map((device) => (
        <Text key={device.contact} size="sm" c="dimmed" title={device.contact}>
          {device.userAgent ?? 'Unnamed device'} at <span className="mono">{device.source}</span> over{' '}
          {device.transport.toUpperCase()}, expires in {spokenDuration(device.expiresAtMs - nowMs)}
        </Text>
      ))}
    </Stack>
  )
}

interface DialogProps {
  readonly extension: Extension
  readonly onClose: () => void
}

function RemoveDialog({ extension, onClose }: DialogProps) {
  const remove = useRemoveExtension()
  return (
    <Confirm
      opened
      title={`Remove extension ${extension.number}?`}
      action="Remove"
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(extension.number, { onSuccess: onClose })}
      onClose={onClose}
    >
      Its phones can no longer register or be called. Past calls and recordings stay.
    </Confirm>
  )
}

function ForgetDialog({ extension, onClose }: DialogProps) {
  const drop = useDropRegistrations()
  return (
    <Confirm
      opened
      title={`Forget the devices of ${extension.number}?`}
      action="Forget"
      busy={drop.isPending}
      error={drop.error}
      onConfirm={() => drop.mutate(extension.number, { onSuccess: onClose })}
      onClose={onClose}
    >
      They are not called until they register again, which most phones do within some minutes.
    </Confirm>
  )
}
