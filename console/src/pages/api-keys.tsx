/** Keys for programs: create (shown once), revoke. */
import { Badge, Button, Card, Group, Modal, NativeSelect, Stack, Text, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { ApiKey } from '../../../src/api/schemas/auth.ts'
import type { Role } from '../../../src/api/schemas/common.ts'
import { useApiKeys, useCreateApiKey, useIsAdmin, useRevokeApiKey } from '../api/queries.ts'
import { shortTime } from '../format.ts'
import { Confirm } from '../ui/confirm.tsx'
import { CopyText } from '../ui/copy.tsx'
import { FormButtons, ShownOnce } from '../ui/dialogs.tsx'
import { KeyIcon, PlusIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'

export function ApiKeysPage() {
  if (useIsAdmin()) return <ApiKeys />
  return (
    <Page title="API keys">
      <Card withBorder>
        <Empty icon={<KeyIcon size={26} />} title="Only administrators see API keys">
          Ask an administrator for a key.
        </Empty>
      </Card>
    </Page>
  )
}

function ApiKeys() {
  const keys = useApiKeys()
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey>()
  const items = keys.data?.items ?? []
  const create = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setCreating(true)}>
      Create key
    </Button>
  )
  return (
    <Page title="API keys" hint="For programs that use the API" actions={items.length > 0 ? create : null}>
      {keys.error ? <ErrorNote error={keys.error} onRetry={() => void keys.refetch()} /> : null}
      <Card withBorder p={0}>
        {keys.isPending ? <Loading what="API keys" /> : null}
        {keys.data && items.length === 0 ? (
          <Empty icon={<KeyIcon size={26} />} title="No API keys yet">
            <Stack align="center" gap="sm">
              A program signs in with a key, not with a person's password. Give each program its own.
              {create}
            </Stack>
          </Empty>
        ) : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label="API keys">
            {items.map((key) => (
              <li key={key.id}>
                <KeyRow apiKey={key} onRevoke={() => setRevoking(key)} />
              </li>
            ))}
          </ul>
        ) : null}
      </Card>
      {creating ? <CreateDialog onClose={() => setCreating(false)} /> : null}
      {revoking ? <RevokeDialog apiKey={revoking} onClose={() => setRevoking(undefined)} /> : null}
    </Page>
  )
}

function KeyRow({ apiKey, onRevoke }: { readonly apiKey: ApiKey; readonly onRevoke: () => void }) {
  const used = apiKey.lastUsedAtMs
  return (
    <Group px="md" py="sm" justify="space-between">
      <div>
        <Group gap="xs">
          <Text fw={600}>{apiKey.name}</Text>
          <Badge variant="light" tt="none" color={apiKey.role === 'admin' ? 'orange' : 'gray'}>
            {apiKey.role === 'admin' ? 'Administrator' : 'Viewer'}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">
          Created {shortTime(apiKey.createdAtMs, Date.now())},{' '}
          {used === undefined ? 'never used' : `last used ${shortTime(used, Date.now())}`}
        </Text>
      </div>
      <Button variant="light" color="red" size="xs" onClick={onRevoke} aria-label={`Revoke ${apiKey.name}`}>
        Revoke
      </Button>
    </Group>
  )
}

function CreateDialog({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const create = useCreateApiKey()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate({ name: name.trim(), role })
  }
  if (create.data) {
    return (
      <ShownOnce title={`Key “${create.data.apiKey.name}” is ready`} what="key" onClose={onClose}>
        Copy it now. It is shown only this once.
        <CopyText text={create.data.key} what="API key" />
      </ShownOnce>
    )
  }
  return (
    <Modal opened onClose={onClose} centered title="Create an API key">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="The program that will use it"
            required
            data-autofocus
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NativeSelect
            label="It may"
            value={role}
            onChange={(event) => setRole(event.currentTarget.value as Role)}
            data={[
              { value: 'viewer', label: 'read (viewer)' },
              { value: 'operator', label: 'read, pause recordings (operator)' },
              { value: 'admin', label: 'read and change (administrator)' },
            ]}
          />
          {create.error ? <ErrorNote error={create.error} /> : null}
          <FormButtons action="Create" busy={create.isPending} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  )
}

function RevokeDialog({ apiKey, onClose }: { readonly apiKey: ApiKey; readonly onClose: () => void }) {
  const revoke = useRevokeApiKey()
  return (
    <Confirm
      opened
      title={`Revoke “${apiKey.name}”?`}
      action="Revoke"
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate(apiKey.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      Programs that use this key are refused from now on. This cannot be undone.
    </Confirm>
  )
}
