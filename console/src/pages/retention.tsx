/** How long recordings are kept: the rules, what would go now, the legal holds. */
import { Button, Card, Group, Stack, Text, Title } from '@mantine/core'
import { useState } from 'react'
import type { RetentionRule } from '../../../src/api/schemas/retention.ts'
import { useRemoveRetentionRule, useRetentionPreview, useRetentionRules, useSweep } from '../api/keeping-queries.ts'
import { useIsAdmin } from '../api/queries.ts'
import { Holds } from '../recording/holds.tsx'
import { ruleText } from '../recording/keep-text.ts'
import { PreviewList } from '../recording/retention-preview.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { RetentionIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { Page } from '../ui/page.tsx'
import { RuleForm } from './rule-form.tsx'

export function RetentionPage() {
  const rules = useRetentionRules()
  const isAdmin = useIsAdmin()
  const [editing, setEditing] = useState<RetentionRule | 'new'>()
  const items = rules.data?.items ?? []
  return (
    <Page
      title="Retention"
      hint="How long recordings are kept: of all that applies to one the longest counts, and a legal hold beats all"
      actions={isAdmin ? <Button onClick={() => setEditing('new')}>Add a rule</Button> : null}
    >
      {rules.error ? <ErrorNote error={rules.error} onRetry={() => void rules.refetch()} /> : null}
      <Card withBorder p={0}>
        {rules.isPending ? <Loading what="rules" /> : null}
        {rules.data && items.length === 0 ? (
          <Empty icon={<RetentionIcon size={26} />} title="No rules yet">
            A rule keeps recordings of a recording client or trunk, with a tag or of an extension for some days, or for
            ever.
          </Empty>
        ) : null}
        {items.length > 0 ? (
          <ul className="rows" aria-label="Rules">
            {items.map((rule) => (
              <li key={rule.id}>
                <RuleRow rule={rule} onEdit={isAdmin ? () => setEditing(rule) : undefined} />
              </li>
            ))}
          </ul>
        ) : null}
      </Card>
      {rules.data ? (
        <Text size="sm" c="dimmed">
          Where nothing else applies, recordings are kept{' '}
          {rules.data.settingDays === 0 ? 'for ever' : `for ${rules.data.settingDays} days`} (
          <span className="mono">RECORDING_CLEANUP_DAYS</span>).
        </Text>
      ) : null}
      {isAdmin ? (
        <>
          <WhatWouldGo />
          <Holds />
        </>
      ) : null}
      {editing ? (
        <RuleForm
          {...(editing !== 'new' && { rule: editing })}
          others={items.filter((rule) => rule !== editing)}
          onClose={() => setEditing(undefined)}
        />
      ) : null}
    </Page>
  )
}

function RuleRow({ rule, onEdit }: { readonly rule: RetentionRule; readonly onEdit: (() => void) | undefined }) {
  const [removing, setRemoving] = useState(false)
  const remove = useRemoveRetentionRule()
  return (
    <Group px="md" py="sm" justify="space-between">
      <div className="wrap">
        <Text fw={650}>{rule.name}</Text>
        <Text size="sm" c="dimmed">
          {ruleText(rule)}
        </Text>
      </div>
      {onEdit ? (
        <Group gap="xs">
          <Button size="xs" variant="default" aria-label={`Change ${rule.name}`} onClick={onEdit}>
            Change
          </Button>
          <Button
            size="xs"
            variant="subtle"
            color="red"
            aria-label={`Delete ${rule.name}`}
            onClick={() => setRemoving(true)}
          >
            Delete
          </Button>
        </Group>
      ) : null}
      <Confirm
        opened={removing}
        title={`Delete the rule ${rule.name}?`}
        action="Delete"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate(rule.id)}
        onClose={() => {
          setRemoving(false)
          remove.reset()
        }}
      >
        Recordings that only this rule keeps are deleted soon. What would go can be tried first: change the rule, and
        select Try it.
      </Confirm>
    </Group>
  )
}

function WhatWouldGo() {
  const preview = useRetentionPreview()
  const sweep = useSweep()
  const [asking, setAsking] = useState(false)
  const deletable = preview.data ? preview.data.due - preview.data.held : 0
  const close = () => {
    setAsking(false)
    sweep.reset()
  }
  return (
    <Card withBorder component="section" aria-label="What would go">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            What would go now
          </Title>
          <Group gap="xs">
            <Button size="xs" variant="default" loading={preview.isPending} onClick={() => preview.mutate({})}>
              Try the rules
            </Button>
            {deletable > 0 ? (
              <Button size="xs" variant="light" color="red" onClick={() => setAsking(true)}>
                Delete them now
              </Button>
            ) : null}
          </Group>
        </Group>
        {preview.error ? <ErrorNote error={preview.error} /> : null}
        {preview.data ? <PreviewList preview={preview.data} /> : null}
        {sweep.data ? (
          <Text size="sm" role="status">
            {sweep.data.deleted} are being deleted, {sweep.data.held} are held.
          </Text>
        ) : null}
      </Stack>
      <Confirm
        opened={asking}
        title={deletable === 1 ? 'Delete 1 recording?' : `Delete ${deletable} recordings?`}
        action="Delete"
        busy={sweep.isPending}
        error={sweep.error}
        onConfirm={() =>
          sweep.mutate(undefined, {
            onSuccess: () => {
              setAsking(false)
              preview.mutate({})
            },
          })
        }
        onClose={close}
      >
        Their audio goes here and in every archive, as it would by itself soon. That cannot be undone.
      </Confirm>
    </Card>
  )
}
