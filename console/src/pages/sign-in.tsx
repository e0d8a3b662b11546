/** Sign in with name and password, or with a one-time code that the server printed; then back to where one came from. */
import { Anchor, Box, Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { type FormEvent, useEffect, useState } from 'react'
import { Navigate, useSearchParams } from 'react-router'
import { ApiError } from '../api/client.ts'
import { useMe, useSignIn } from '../api/queries.ts'
import { ColorSchemeSwitch } from '../shell/color-scheme-switch.tsx'
import { ErrorNote } from '../ui/notes.tsx'

export function SignInPage() {
  const me = useMe()
  const [parameters] = useSearchParams()
  const [withCode, setWithCode] = useState(false)
  useEffect(() => {
    document.title = 'Sign in · Patchbay'
  }, [])
  if (me.data) return <Navigate to={ownPath(parameters.get('next'))} replace />

  return (
    <Box component="main" px="md">
      <Group justify="flex-end" pt="sm">
        <ColorSchemeSwitch />
      </Group>
      <Center mih="80vh">
        <Paper withBorder shadow="sm" p="xl" w="100%" maw={400}>
          <Stack>
            <Group gap="sm">
              <img src="/favicon.svg" alt="" width={36} height={36} />
              <Title order={1} size="h3">
                Sign in to Patchbay
              </Title>
            </Group>
            {withCode ? <CodeForm /> : <PasswordForm />}
            <Anchor component="button" type="button" size="sm" onClick={() => setWithCode(!withCode)}>
              {withCode ? 'Use name and password' : 'Use a one-time code'}
            </Anchor>
          </Stack>
        </Paper>
      </Center>
    </Box>
  )
}

function PasswordForm() {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useSignIn()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate({ name, password })
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          autoComplete="username"
          autoCapitalize="none"
          required
          withAsterisk={false}
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <SignInError error={signIn.error} hint="The first start of the server printed the password of “admin”." />
        <Button type="submit" loading={signIn.isPending} fullWidth>
          Sign in
        </Button>
      </Stack>
    </form>
  )
}

function CodeForm() {
  const [code, setCode] = useState('')
  const signIn = useSignIn()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate({ code: code.trim() })
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label="One-time code"
          description="Printed by the demo; good for one sign-in."
          autoComplete="one-time-code"
          required
          withAsterisk={false}
          autoFocus
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <SignInError
          error={signIn.error}
          hint="A code works once and for a short time. Start again to get a new one."
        />
        <Button type="submit" loading={signIn.isPending} fullWidth>
          Sign in
        </Button>
      </Stack>
    </form>
  )
}

function SignInError({ error, hint }: { readonly error: unknown; readonly hint: string }) {
  if (!error) return null
  return (
    <div>
      <ErrorNote error={error} />
      {error instanceof ApiError && error.status === 401 ? (
        <Text size="xs" c="dimmed" mt={6}>
          {hint}
        </Text>
      ) : null}
    </div>
  )
}

/** Only a path of this site: `next` came with the address and may be anybody's. */
function ownPath(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : '/'
}
