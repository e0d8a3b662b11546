/** What stands around each page: name and switches above, the way to the pages beside (behind a button on a phone). */
import { ActionIcon, AppShell, Badge, Burger, Group, Menu, NavLink, Text, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { Link, useLocation } from 'react-router'
import type { Me } from '../../../src/api/schemas/auth.ts'
import { type Connection, useConnection } from '../api/events.tsx'
import { useIsOffline, useLiveCalls, useSignOut, useStatus } from '../api/queries.ts'
import {
  AuditIcon,
  HistoryIcon,
  JobsIcon,
  KeyIcon,
  LiveIcon,
  MessagesIcon,
  PeopleIcon,
  PersonOutIcon,
  PlugIcon,
  RecorderIcon,
  RetentionIcon,
  ShieldIcon,
  SignOutIcon,
  TrunkIcon,
  WaveIcon,
} from '../ui/icons.tsx'
import { ColorSchemeSwitch } from './color-scheme-switch.tsx'

const places = [
  { to: '/', label: 'Live calls', icon: <LiveIcon /> },
  { to: '/calls', label: 'Call history', icon: <HistoryIcon /> },
  { to: '/recordings', label: 'Recordings', icon: <WaveIcon /> },
  { to: '/extensions', label: 'Extensions', icon: <PeopleIcon /> },
  { to: '/trunks', label: 'Trunks', icon: <TrunkIcon /> },
  { to: '/peers', label: 'Recording clients', icon: <RecorderIcon /> },
  { to: '/keys', label: 'API keys', icon: <KeyIcon /> },
  { to: '/security', label: 'Security', icon: <ShieldIcon /> },
  { to: '/messages', label: 'SIP messages', icon: <MessagesIcon /> },
  { to: '/retention', label: 'Retention', icon: <RetentionIcon /> },
  { to: '/privacy', label: 'Export and erasure', icon: <PersonOutIcon /> },
  { to: '/jobs', label: 'Jobs', icon: <JobsIcon /> },
  { to: '/audit', label: 'Audit record', icon: <AuditIcon /> },
  { to: '/connect', label: 'Connect', icon: <PlugIcon /> },
]

interface ShellProps {
  readonly me: Me
  readonly children: ReactNode
}

export function Shell({ me, children }: ShellProps) {
  const [opened, { toggle, close }] = useDisclosure(false)
  const { pathname } = useLocation()
  const live = useLiveCalls().data?.items.length ?? 0
  const status = useStatus()

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 230, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <a className="skip-link" href="#content">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label="Menu"
              aria-expanded={opened}
            />
            <img src="/favicon.svg" alt="" width={28} height={28} />
            <Text fw={700} size="lg">
              Patchbay
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ConnectionMark />
            <ColorSchemeSwitch />
            <UserMenu me={me} />
          </Group>
        </Group>
      </AppShell.Header>

      <AppShell.Navbar p="xs" aria-label="Pages">
        <AppShell.Section grow>
          {places.map(({ to, label, icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              leftSection={icon}
              active={isAt(pathname, to)}
              {...(isAt(pathname, to) ? { 'aria-current': 'page' as const } : {})}
              onClick={close}
              rightSection={to === '/' && live > 0 ? <Badge circle={live < 10}>{live}</Badge> : null}
              styles={{ root: { borderRadius: 'var(--mantine-radius-md)' } }}
              py="xs"
            />
          ))}
        </AppShell.Section>
        <AppShell.Section p="xs">
          <Text size="xs" c="dimmed">
            {status.data ? `Version ${status.data.version}` : ' '}
          </Text>
        </AppShell.Section>
      </AppShell.Navbar>

      <AppShell.Main id="content">{children}</AppShell.Main>
    </AppShell>
  )
}

function isAt(pathname: string, place: string): boolean {
  return place === '/' ? pathname === '/' : pathname === place || pathname.startsWith(`${place}/`)
}

const connectionTexts: Record<Connection | 'offline', { label: string; explained: string; color: string }> = {
  open: { label: 'Live', explained: 'Changes appear at once.', color: 'green' },
  connecting: { label: 'Connecting', explained: 'Opening the live connection.', color: 'gray' },
  lost: {
    label: 'Polling',
    explained: 'The live connection is lost. The page asks every 3 seconds meanwhile.',
    color: 'orange',
  },
  offline: {
    label: 'No answer',
    explained: 'The server does not answer: what is shown may be old. The page tries again by itself.',
    color: 'red',
  },
}

function ConnectionMark() {
  const connection = useConnection()
  const offline = useIsOffline()
  const { label, explained, color } = connectionTexts[connection !== 'open' && offline ? 'offline' : connection]
  return (
    <Tooltip label={explained}>
      <Badge variant="dot" color={color} tt="none" role="status" style={{ flexShrink: 0 }}>
        {label}
      </Badge>
    </Tooltip>
  )
}

function UserMenu({ me }: { readonly me: Me }) {
  const signOut = useSignOut()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="light" size="lg" radius="xl" aria-label={`Signed in as ${me.name}`}>
          <Text fw={700} size="sm">
            {me.name.slice(0, 1).toUpperCase()}
          </Text>
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.name}, {me.role === 'admin' ? 'administrator' : me.role}
        </Menu.Label>
        <Menu.Item leftSection={<SignOutIcon size={16} />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
