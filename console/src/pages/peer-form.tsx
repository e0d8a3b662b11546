/** The dialog that adds or changes a recording client. */
import { Modal, NativeSelect, NumberInput, PasswordInput, Stack, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { SiprecPeer } from '../../../src/api/schemas/siprec-peers.ts'
import { useAddSiprecPeer, useChangeSiprecPeer } from '../api/recorder-queries.ts'
import { FormButtons } from '../ui/dialogs.tsx'
import { ErrorNote } from '../ui/notes.tsx'

interface PeerFormProps {
  /** The one to change; absent: add one. */
  readonly peer?: SiprecPeer
  readonly onClose: () => void
}

const dialects = [
  { value: 'lenient', label: 'Lenient: option tag or feature tag may be missing' },
  { value: 'rfc', label: 'Strict: as RFC 7866 has it' },
  { value: 'network', label: 'Network recording: each of its calls is recorded' },
] as const

const encryptions = [
  { value: '', label: 'As the settings say' },
  { value: 'none', label: 'Not encrypted' },
  { value: 'accepted', label: 'Encrypted when it offers so' },
  { value: 'mandatory', label: 'Encrypted, or refused' },
] as const

type Dialect = SiprecPeer['dialect']
type Srtp = NonNullable<SiprecPeer['srtp']>

export function PeerForm({ peer, onClose }: PeerFormProps) {
  const [name, setName] = useState(peer?.name ?? '')
  const [sources, setSources] = useState(peer?.sources.join(', ') ?? '')
  const [username, setUsername] = useState(peer?.username ?? '')
  const [password, setPassword] = useState('')
  const [certificate, setCertificate] = useState(peer?.certificate ?? '')
  const [dialect, setDialect] = useState<Dialect>(peer?.dialect ?? 'lenient')
  const [srtp, setSrtp] = useState<Srtp | ''>(peer?.srtp ?? '')
  const [days, setDays] = useState<number | ''>(peer?.retentionDays ?? '')
  const [tags, setTags] = useState(peer?.tags.join(', ') ?? '')
  const add = useAddSiprecPeer()
  const change = useChangeSiprecPeer()
  const { error, isPending } = peer ? change : add

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const always = { name: name.trim(), sources: listIn(sources), dialect, tags: listIn(tags) }
    if (peer) {
      const changes = {
        ...always,
        username: username.trim() || null,
        certificate: certificate.trim() || null,
        srtp: srtp || null,
        retentionDays: days || null,
        ...(password && { password }),
      }
      change.mutate({ id: peer.id, changes }, { onSuccess: onClose })
      return
    }
    const wanted = {
      ...always,
      ...(username.trim() && { username: username.trim(), password }),
      ...(certificate.trim() && { certificate: certificate.trim() }),
      ...(srtp && { srtp }),
      ...(days && { retentionDays: days }),
    }
    add.mutate(wanted, { onSuccess: onClose })
  }

  return (
    <Modal opened onClose={onClose} centered title={peer ? `Change ${peer.name}` : 'Add a recording client'}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            placeholder="Oracle SBC, Frankfurt"
            required
            data-autofocus
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label="Addresses"
            description="Where it sends from: addresses and networks, with commas between"
            placeholder="192.0.2.10, 10.20.0.0/16"
            value={sources}
            onChange={(event) => setSources(event.currentTarget.value)}
          />
          <TextInput
            label="User name"
            description="When it signs in by digest, from anywhere"
            autoComplete="off"
            maxLength={100}
            value={username}
            onChange={(event) => setUsername(event.currentTarget.value)}
          />
          {username.trim() === '' ? null : (
            <PasswordInput
              label={peer?.username === username.trim() ? 'New password' : 'Password'}
              description={peer?.username === username.trim() ? 'Empty: it stays as it is' : 'Kept as hashes only'}
              autoComplete="new-password"
              required={peer?.username !== username.trim()}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
          )}
          <TextInput
            label="TLS certificate"
            description="A name in it, or its SHA-256 fingerprint"
            maxLength={255}
            value={certificate}
            onChange={(event) => setCertificate(event.currentTarget.value)}
          />
          <NativeSelect
            label="How strictly"
            data={dialects}
            value={dialect}
            onChange={(event) => setDialect(event.currentTarget.value as Dialect)}
          />
          <NativeSelect
            label="Encryption of its streams"
            data={encryptions}
            value={srtp}
            onChange={(event) => setSrtp(event.currentTarget.value as Srtp | '')}
          />
          <NumberInput
            label="Days its recordings are kept"
            description="Empty: as the rules of retention say"
            min={1}
            max={36_500}
            allowDecimal={false}
            value={days}
            onChange={(value) => setDays(typeof value === 'number' ? value : '')}
          />
          <TextInput
            label="Tags of its recordings"
            description="With commas between"
            value={tags}
            onChange={(event) => setTags(event.currentTarget.value)}
          />
          {error ? <ErrorNote error={error} /> : null}
          <FormButtons action={peer ? 'Save' : 'Add'} busy={isPending} onCancel={onClose} />
        </Stack>
      </form>
    </Modal>
  )
}

const listIn = (typed: string): string[] =>
  typed
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
