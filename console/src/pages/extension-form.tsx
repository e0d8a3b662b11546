/** The dialog that adds or changes an extension, and shows a generated password once. */
import { Checkbox, Group, Modal, NativeSelect, NumberInput, Stack, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { Extension, ExtensionSaved, Sound } from '../../../src/api/schemas/extensions.ts'
import type { SrtpMode } from '../../../src/core/srtp.ts'
import { useAddExtension, useChangeExtension } from '../api/queries.ts'
import { FormButtons, ShownOnce } from '../ui/dialogs.tsx'
import { ErrorNote } from '../ui/notes.tsx'
import { PhoneSettings } from './phone-settings.tsx'

interface ExtensionFormProps {
  /** The one to change; absent: add one. */
  readonly extension?: Extension
  readonly onClose: () => void
}

export function ExtensionForm({ extension, onClose }: ExtensionFormProps) {
  const [saved, setSaved] = useState<ExtensionSaved>()
  if (saved?.password !== undefined) {
    const { number } = saved.extension
    return (
      <ShownOnce title={`Extension ${number} is ready`} what="password" onClose={onClose}>
        Type this into the phone. The password is shown only now.
        <PhoneSettings number={number} password={saved.password} />
      </ShownOnce>
    )
  }
  const done = (answer: ExtensionSaved) => (answer.password === undefined ? onClose() : setSaved(answer))
  return (
    <Modal
      opened
      onClose={onClose}
      centered
      title={extension ? `Change extension ${extension.number}` : 'Add an extension'}
    >
      {extension ? (
        <ChangeForm extension={extension} onDone={done} onCancel={onClose} />
      ) : (
        <AddForm onDone={done} onCancel={onClose} />
      )}
    </Modal>
  )
}

interface FormProps {
  readonly onDone: (saved: ExtensionSaved) => void
  readonly onCancel: () => void
}

function AddForm({ onDone, onCancel }: FormProps) {
  const [number, setNumber] = useState('')
  const [settings, setSettings] = useState<Settings>({
    displayName: '',
    ringSeconds: 30,
    record: true,
    maxContacts: 5,
    srtp: null,
    codecs: '',
    sound: null,
  })
  const add = useAddExtension()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const { srtp, codecs, sound, ...others } = settings
    const named = namesIn(codecs)
    add.mutate(
      {
        number: number.trim(),
        ...others,
        ...(srtp && { srtp }),
        ...(named && { codecs: named }),
        ...(sound && { sound }),
      },
      { onSuccess: onDone },
    )
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="Number"
          description="What people dial, and the user name of the phone"
          placeholder="101"
          required
          data-autofocus
          maxLength={32}
          value={number}
          onChange={(event) => setNumber(event.currentTarget.value)}
        />
        <SettingsFields settings={settings} onChange={setSettings} />
        {add.error ? <ErrorNote error={add.error} /> : null}
        <FormButtons action="Add" busy={add.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  )
}

function ChangeForm({ extension, onDone, onCancel }: FormProps & { readonly extension: Extension }) {
  const { displayName, ringSeconds, record, maxContacts, srtp = null, codecs = [], sound = null } = extension
  const [settings, setSettings] = useState<Settings>({
    displayName,
    ringSeconds,
    record,
    maxContacts,
    srtp,
    codecs: codecs.join(', '),
    sound,
  })
  const [newPassword, setNewPassword] = useState(false)
  const change = useChangeExtension()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const wanted = { ...settings, codecs: namesIn(settings.codecs) }
    const changes = newPassword ? { ...wanted, generatePassword: true as const } : wanted
    change.mutate({ number: extension.number, changes }, { onSuccess: onDone })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <SettingsFields settings={settings} onChange={setSettings} />
        <Checkbox
          label="Give it a new password"
          description="It is shown once; phones with the old one no longer register"
          checked={newPassword}
          onChange={(event) => setNewPassword(event.currentTarget.checked)}
        />
        {change.error ? <ErrorNote error={change.error} /> : null}
        <FormButtons action="Save" busy={change.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  )
}

interface Settings extends Pick<Extension, 'displayName' | 'ringSeconds' | 'record' | 'maxContacts'> {
  /** Null: as the server says. */
  readonly srtp: SrtpMode | null
  /** As written; empty: as the server says. */
  readonly codecs: string
  /** Null: as the server says. */
  readonly sound: Sound | null
}

/** Null when there are none. */
function namesIn(text: string): string[] | null {
  const names = text.split(/[\s,]+/).filter((name) => name !== '')
  return names.length > 0 ? names : null
}

const srtpChoices: readonly { readonly value: SrtpMode | ''; readonly label: string }[] = [
  { value: '', label: 'As the server says' },
  { value: 'none', label: 'Never' },
  { value: 'accepted', label: 'When the phone asks for it' },
  { value: 'optional', label: 'Offered to the phone' },
  { value: 'mandatory', label: 'Always' },
  { value: 'dtls', label: 'Always, keys by DTLS' },
]

/** A usual level of speech. */
const usualGainDbov = -20
const asItComes: Sound = { echo: false, denoise: false }

interface SettingsFieldsProps {
  readonly settings: Settings
  readonly onChange: (settings: Settings) => void
}

function SettingsFields({ settings, onChange }: SettingsFieldsProps) {
  return (
    <>
      <TextInput
        label="Name"
        placeholder="Alice"
        maxLength={100}
        value={settings.displayName}
        onChange={(event) => onChange({ ...settings, displayName: event.currentTarget.value })}
      />
      <Group grow align="flex-start">
        <NumberInput
          label="Rings for"
          suffix=" s"
          min={5}
          max={300}
          allowDecimal={false}
          value={settings.ringSeconds}
          onChange={(value) => onChange({ ...settings, ringSeconds: Number(value) })}
        />
        <NumberInput
          label="Devices at a time"
          min={1}
          max={20}
          allowDecimal={false}
          value={settings.maxContacts}
          onChange={(value) => onChange({ ...settings, maxContacts: Number(value) })}
        />
      </Group>
      <NativeSelect
        label="Encrypts its audio"
        data={srtpChoices}
        value={settings.srtp ?? ''}
        onChange={(event) => {
          const chosen = srtpChoices.find(({ value }) => value === event.currentTarget.value)?.value
          onChange({ ...settings, srtp: chosen || null })
        }}
      />
      <TextInput
        label="Codecs, the best first"
        placeholder="As the server says"
        description="Such as opus, G722, PCMA; others allows all that are not named."
        value={settings.codecs}
        onChange={(event) => onChange({ ...settings, codecs: event.currentTarget.value })}
      />
      <Checkbox
        label="Its voice in its own way"
        description="Not as the server says for all"
        checked={settings.sound !== null}
        onChange={(event) => onChange({ ...settings, sound: event.currentTarget.checked ? asItComes : null })}
      />
      {settings.sound ? (
        <SoundFields sound={settings.sound} onChange={(sound) => onChange({ ...settings, sound })} />
      ) : null}
      <Checkbox
        label="Record its calls"
        checked={settings.record}
        onChange={(event) => onChange({ ...settings, record: event.currentTarget.checked })}
      />
    </>
  )
}

interface SoundFieldsProps {
  readonly sound: Sound
  readonly onChange: (sound: Sound) => void
}

function SoundFields({ sound, onChange }: SoundFieldsProps) {
  const { echo, denoise, gainDbov } = sound
  return (
    <Group pl="xl">
      <Checkbox
        label="Without echo"
        checked={echo}
        onChange={(event) => onChange({ ...sound, echo: event.currentTarget.checked })}
      />
      <Checkbox
        label="Without noise"
        checked={denoise}
        onChange={(event) => onChange({ ...sound, denoise: event.currentTarget.checked })}
      />
      <Checkbox
        label="Always as loud"
        checked={gainDbov !== undefined}
        onChange={(event) =>
          onChange({ echo, denoise, ...(event.currentTarget.checked && { gainDbov: usualGainDbov }) })
        }
      />
    </Group>
  )
}
