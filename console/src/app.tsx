/** The routes, and the guard before them: who is not signed in signs in first and then comes back. */
import { Center, Container, Loader } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { Navigate, Route, Routes, useLocation } from 'react-router'
import { EventsProvider } from './api/events.tsx'
import { useMe } from './api/queries.ts'
import { ApiKeysPage } from './pages/api-keys.tsx'
import { AuditPage } from './pages/audit.tsx'
import { ConnectPage } from './pages/connect.tsx'
import { ExtensionsPage } from './pages/extensions.tsx'
import { HistoryPage } from './pages/history.tsx'
import { JobsPage } from './pages/jobs.tsx'
import { LivePage } from './pages/live.tsx'
import { MessagesPage } from './pages/messages.tsx'
import { NotFoundPage } from './pages/not-found.tsx'
import { PeersPage } from './pages/peers.tsx'
import { PrivacyPage } from './pages/privacy.tsx'
import { RecordingsPage } from './pages/recordings.tsx'
import { RetentionPage } from './pages/retention.tsx'
import { SecurityPage } from './pages/security.tsx'
import { SignInPage } from './pages/sign-in.tsx'
import { TrunksPage } from './pages/trunks.tsx'
import { Shell } from './shell/shell.tsx'
import { ErrorNote } from './ui/notes.tsx'

const CallPage = lazy(async () => ({ default: (await import('./pages/call.tsx')).CallPage }))

export function App() {
  return (
    <Routes>
      <Route path="/sign-in" element={<SignInPage />} />
      <Route path="*" element={<SignedIn />} />
    </Routes>
  )
}

function SignedIn() {
  const me = useMe()
  const { pathname, search } = useLocation()
  if (me.data) {
    return (
      <EventsProvider>
        <Shell me={me.data}>
          <Pages />
        </Shell>
      </EventsProvider>
    )
  }
  if (me.data === null) {
    const here = `${pathname}${search}`
    return <Navigate to={here === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(here)}`} replace />
  }
  if (me.error) {
    return (
      <Container size="xs" pt={96}>
        <ErrorNote error={me.error} onRetry={() => void me.refetch()} />
      </Container>
    )
  }
  return <PageLoader />
}

function Pages() {
  return (
    <Suspense fallback={<PageLoader />}>
      <Routes>
        <Route path="/" element={<LivePage />} />
        <Route path="/calls" element={<HistoryPage />} />
        <Route path="/calls/:id" element={<CallPage />} />
        <Route path="/recordings" element={<RecordingsPage />} />
        <Route path="/extensions" element={<ExtensionsPage />} />
        <Route path="/trunks" element={<TrunksPage />} />
        <Route path="/peers" element={<PeersPage />} />
        <Route path="/keys" element={<ApiKeysPage />} />
        <Route path="/security" element={<SecurityPage />} />
        <Route path="/messages" element={<MessagesPage />} />
        <Route path="/retention" element={<RetentionPage />} />
        <Route path="/privacy" element={<PrivacyPage />} />
        <Route path="/jobs" element={<JobsPage />} />
        <Route path="/audit" element={<AuditPage />} />
        <Route path="/connect" element={<ConnectPage />} />
        <Route path="*" element={<NotFoundPage />} />
      </Routes>
    </Suspense>
  )
}

function PageLoader() {
  return (
    <Center h="60vh" role="status" aria-label="Loading">
      <Loader />
    </Center>
  )
}
