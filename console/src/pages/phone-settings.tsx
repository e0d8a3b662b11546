/** What to type into a phone: server, user name, password. */
import { Table, Text } from '@mantine/core'
import type { Status } from '../../../src/api/schemas/status.ts'
import { useStatus } from '../api/queries.ts'
import { CopyText } from '../ui/copy.tsx'
import { ErrorNote, Loading } from '../ui/notes.tsx'

interface PhoneSettingsProps {
  readonly number?: string
  readonly password?: string
}

export function PhoneSettings({ number, password }: PhoneSettingsProps) {
  const status = useStatus()
  if (status.error) return <ErrorNote error={status.error} onRetry={() => void status.refetch()} />
  if (!status.data) return <Loading what="the server's addresses" />
  const { domain } = status.data.sip
  return (
    <Table variant="vertical" withTableBorder layout="auto">
      <Table.Tbody>
        <Table.Tr>
          <Table.Th>Server</Table.Th>
          <Table.Td>
            {distinctAddresses(status.data).map(({ address, transports }) => (
              <div key={address}>
                <CopyText text={address} what="server address" />
                <Text size="xs" c="dimmed">
                  {transports}
                </Text>
              </div>
            ))}
          </Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>Domain</Table.Th>
          <Table.Td>
            <CopyText text={domain} what="domain" />
          </Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>User name</Table.Th>
          <Table.Td>
            {number === undefined ? 'the number of the extension' : <CopyText text={number} what="user name" />}
          </Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>Password</Table.Th>
          <Table.Td>
            {password === undefined ? (
              'shown when the extension was added'
            ) : (
              <CopyText text={password} what="password" />
            )}
          </Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>Codecs</Table.Th>
          <Table.Td>PCMA or PCMU (G.711)</Table.Td>
        </Table.Tr>
      </Table.Tbody>
    </Table>
  )
}

/** One line an address, whatever transports it speaks. */
export function distinctAddresses(status: Status): readonly { address: string; transports: string }[] {
  const byAddress = new Map<string, string[]>()
  for (const { transport, ip, port } of status.sip.listeners) {
    const address = `${ip.includes(':') ? `[${ip}]` : ip}:${port}`
    byAddress.set(address, [...(byAddress.get(address) ?? []), transport.toUpperCase()])
  }
  return [...byAddress].map(([address, transports]) => ({ address, transports: transports.join(' or ') }))
}
