/** What to point a phone, an SBC and a program at. */
import { Anchor, Card, List, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useStatus } from '../api/queries.ts'
import { CopyText } from '../ui/copy.tsx'
import { Page } from '../ui/page.tsx'
import { TextLink } from '../ui/text-link.tsx'
import { distinctAddresses, PhoneSettings } from './phone-settings.tsx'

export function ConnectPage() {
  const status = useStatus()
  return (
    <Page title="Connect" hint="What to point a phone, an SBC or a program at">
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Card withBorder component="section">
          <Stack>
            <Title order={2} size="h4">
              A phone
            </Title>
            <Text size="sm">
              <TextLink to="/extensions">Add an extension</TextLink>, then type this into the phone:
            </Text>
            <PhoneSettings />
            <Text size="sm" c="dimmed">
              A registered phone shows up beside its extension within seconds. Any SIP phone or app will do.
            </Text>
          </Stack>
        </Card>
        <Stack>
          <Card withBorder component="section">
            <Stack>
              <Title order={2} size="h4">
                An SBC or PBX that sends recordings (SIPREC)
              </Title>
              <Text size="sm">Set this as the address of the session recording server:</Text>
              {status.data
                ? distinctAddresses(status.data).map(({ address, transports }) => (
                    <div key={address}>
                      <CopyText text={`sip:${address}`} what="recording server" />
                      <Text size="xs" c="dimmed">
                        over {transports}
                      </Text>
                    </div>
                  ))
                : null}
              <List size="sm" spacing={4}>
                <List.Item>Audio as PCMA or PCMU; each stream becomes a track.</List.Item>
                <List.Item>Who is on which track comes from the metadata (RFC 7865).</List.Item>
                <List.Item>
                  Senders on this machine and in private networks are admitted, unless the setting{' '}
                  <span className="mono">SIPREC_ALLOWED_SOURCES</span> says otherwise.
                </List.Item>
              </List>
            </Stack>
          </Card>
          <Card withBorder component="section">
            <Stack>
              <Title order={2} size="h4">
                A program
              </Title>
              <Text size="sm">
                <TextLink to="/keys">Create an API key</TextLink> and send it as <span className="mono">X-API-Key</span>
                . The <Anchor href="/api/docs">description of the API</Anchor> can be browsed;{' '}
                <Anchor href="/metrics">metrics</Anchor> are in Prometheus format.
              </Text>
            </Stack>
          </Card>
        </Stack>
      </SimpleGrid>
    </Page>
  )
}
