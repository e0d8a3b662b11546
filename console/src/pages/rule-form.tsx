/** The dialog that adds or changes a rule of retention, and tries it before it is saved. */
import { Button, Group, Modal, NativeSelect, NumberInput, Stack, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { CallKind } from '../../../src/api/schemas/common.ts'
import type { NewRetentionRule, RetentionRule } from '../../../src/api/schemas/retention.ts'
import { useRetentionPreview, useSaveRetentionRule } from '../api/keeping-queries.ts'
import { kindChoices } from '../format.ts'
import { PreviewList } from '../recording/retention-preview.tsx'
import { FormButtons } from '../ui/dialogs.tsx'
import { ErrorNote } from '../ui/notes.tsx'

interface RuleFormProps {
  /** The one to change; absent: add one. */
  readonly rule?: RetentionRule
  /** All the others: a trial is of all together. */
  readonly others: readonly RetentionRule[]
  readonly onClose: () => void
}

export function RuleForm({ rule, others, onClose }: RuleFormProps) {
  const [name, setName] = useState(rule?.name ?? '')
  const [kind, setKind] = useState<CallKind | ''>(rule?.kind ?? '')
  const [peer, setPeer] = useState(rule?.peer ?? '')
  const [tag, setTag] = useState(rule?.tag ?? '')
  const [extension, setExtension] = useState(rule?.extension ?? '')
  const [days, setDays] = useState<number | ''>(rule?.days ?? '')
  const save = useSaveRetentionRule(rule?.id)
  const preview = useRetentionPreview()

  const wanted = (): NewRetentionRule => ({
    name: name.trim(),
    ...(kind && { kind }),
    ...(peer.trim() && { peer: peer.trim() }),
    ...(tag.trim() && { tag: tag.trim() }),
    ...(extension.trim() && { extension: extension.trim() }),
    ...(days !== '' && { days }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate(wanted(), { onSuccess: onClose })
  }
  const tryIt = () => {
    const rest = others.map(({ id: _id, createdAtMs: _createdAtMs, ...other }) => other)
    preview.mutate({ rules: [...rest, { ...wanted(), name: name.trim() || 'This rule' }] })
  }

  return (
    <Modal opened onClose={onClose} centered title={rule ? `Change ${rule.name}` : 'Add a rule'}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            placeholder="Sales, 90 days"
            required
            data-autofocus
            maxLength={128}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NumberInput
            label="Days after the end of the recording"
            description="Empty: for ever"
            min={1}
            max={36_500}
            allowDecimal={false}
            value={days}
            onChange={(value) => setDays(typeof value === 'number' ? value : '')}
          />
          <NativeSelect
            label="Kind"
            data={kindChoices}
            value={kind}
            onChange={(event) => setKind(event.currentTarget.value as CallKind | '')}
          />
          <TextInput
            label="Recording client or trunk"
            description="Its name; empty: any"
            maxLength={128}
            value={peer}
            onChange={(event) => setPeer(event.currentTarget.value)}
          />
          <TextInput
            label="Tag"
            description="Of the recording; empty: any"
            maxLength={64}
            value={tag}
            onChange={(event) => setTag(event.currentTarget.value)}
          />
          <TextInput
            label="Extension"
            description="Who took part; empty: anybody"
            maxLength={64}
            value={extension}
            onChange={(event) => setExtension(event.currentTarget.value)}
          />
          <Group>
            <Button size="xs" variant="default" loading={preview.isPending} onClick={tryIt}>
              Try it
            </Button>
          </Group>
          {preview.error ? <ErrorNote error={preview.error} /> : null}
          {preview.data ? <PreviewList preview={preview.data} /> : null}
          {save.error ? <ErrorNote error={save.error} /> : null}
          <FormButtons action={rule ? 'Save' : 'Add'} busy={save.isPending} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  )
}
