/** One hook for each thing the pages show or change. Keys start with the kind of thing, so that events can refresh it. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ApiKeyCreated, ApiKeys, CodeLogin, Login, Me, NewApiKey } from '../../../src/api/schemas/auth.ts'
import type { CallDetail, CallsPage, CallsQuery, LiveCalls, Messages } from '../../../src/api/schemas/calls.ts'
import type { ExtensionChanges, ExtensionSaved, Extensions, NewExtension } from '../../../src/api/schemas/extensions.ts'
import type { RecordingsPage, RecordingsQuery } from '../../../src/api/schemas/recordings.ts'
import type { Bans } from '../../../src/api/schemas/security.ts'
import type { Status } from '../../../src/api/schemas/status.ts'
import type { Trunks } from '../../../src/api/schemas/trunks.ts'
import { ApiError, request, withQuery } from './client.ts'
import { usePollMs } from './events.tsx'

const pageSize = 50

/** Who is signed in; null when nobody is. */
export function useMe() {
  return useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }) => {
      try {
        return await request<Me>('GET', '/api/me', undefined, signal)
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null
        throw error
      }
    },
    staleTime: 60_000,
  })
}

/** May the person who is signed in change things? */
export function useIsAdmin(): boolean {
  return useMe().data?.role === 'admin'
}

/** May they pause recordings, tag them, write notes? */
export function useIsOperator(): boolean {
  const role = useMe().data?.role
  return role === 'admin' || role === 'operator'
}

export function useSignIn() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (given: Login | CodeLogin) =>
      request('POST', 'code' in given ? '/api/login/code' : '/api/login', given),
    onSuccess: () => cache.resetQueries(),
  })
}

export function useSignOut() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: () => request('POST', '/api/logout'),
    onSuccess: () => {
      cache.setQueryData(['me'], null)
      cache.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' })
    },
  })
}

export function useStatus() {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => request<Status>('GET', '/status', undefined, signal),
    staleTime: 30_000,
  })
}

/** @param atLeastEveryMs Asked for as often as this, whatever the live connection tells. */
export function useLiveCalls(atLeastEveryMs = Number.POSITIVE_INFINITY) {
  return useQuery({
    queryKey: ['live'],
    queryFn: ({ signal }) => request<LiveCalls>('GET', '/api/calls/live', undefined, signal),
    refetchInterval: Math.min(usePollMs(), atLeastEveryMs),
  })
}

/** Did the latest question to the server stay without an answer? The live calls are asked for the most often. */
export function useIsOffline(): boolean {
  const { failureReason } = useLiveCalls()
  return failureReason instanceof ApiError && failureReason.code === 'console.offline'
}

export type CallFilters = Pick<CallsQuery, 'kind' | 'search' | 'endReason' | 'recorded' | 'fromMs' | 'untilMs'>

export function useCalls(filters: CallFilters) {
  return useInfiniteQuery({
    queryKey: ['calls', filters],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...filters, limit: pageSize, cursor: pageParam } as Record<string, string | number | undefined>
      return request<CallsPage>('GET', withQuery('/api/calls', query), undefined, signal)
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: (before) => before,
  })
}

export function useCall(id: string) {
  const pollMs = usePollMs()
  return useQuery({
    queryKey: ['call', id],
    queryFn: ({ signal }) => request<CallDetail>('GET', `/api/calls/${encodeURIComponent(id)}`, undefined, signal),
    refetchInterval: ({ state }) => (state.data && !isSettled(state.data) ? pollMs : false),
  })
}

/** Nothing about the call will change any more. */
function isSettled({ call, live }: CallDetail): boolean {
  return !live && call.endedAtMs !== undefined && call.recordings.every(({ state }) => state !== 'recording')
}

export function useMessages(callId: string) {
  return useQuery({
    queryKey: ['call', callId, 'messages'],
    queryFn: ({ signal }) =>
      request<Messages>('GET', `/api/calls/${encodeURIComponent(callId)}/messages`, undefined, signal),
  })
}

/** Anybody's, the latest that fit; asked for again while one looks. */
export function useSipMessages(wanted: { readonly search: string; readonly address: string }) {
  return useQuery({
    queryKey: ['sip-messages', wanted],
    queryFn: ({ signal }) =>
      request<Messages>('GET', withQuery('/api/sip/messages', { ...wanted, limit: 200 }), undefined, signal),
    refetchInterval: 3_000,
    placeholderData: (before) => before,
  })
}

export function useHangUp() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request('DELETE', `/api/calls/${encodeURIComponent(id)}`),
    onSettled: () => Promise.all([invalidate(cache, 'live'), invalidate(cache, 'call'), invalidate(cache, 'calls')]),
  })
}

export type RecordingFilters = Omit<RecordingsQuery, 'limit' | 'cursor' | 'count'>

/** The first page counts them all. */
export function useRecordings(filters: RecordingFilters) {
  return useInfiniteQuery({
    queryKey: ['recordings', filters],
    queryFn: ({ pageParam, signal }) => {
      const count = pageParam === undefined ? 'true' : undefined
      const query = { ...filters, limit: pageSize, cursor: pageParam, count } as Record<
        string,
        string | number | undefined
      >
      return request<RecordingsPage>('GET', withQuery('/api/recordings', query), undefined, signal)
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: (before) => before,
  })
}

export function useExtensions() {
  return useQuery({
    queryKey: ['extensions'],
    queryFn: ({ signal }) => request<Extensions>('GET', '/api/extensions', undefined, signal),
    refetchInterval: 4 * usePollMs(),
  })
}

export function useAddExtension() {
  return useChange('extensions', (extension: NewExtension) =>
    request<ExtensionSaved>('POST', '/api/extensions', extension),
  )
}

export function useChangeExtension() {
  return useChange('extensions', ({ number, changes }: { number: string; changes: ExtensionChanges }) =>
    request<ExtensionSaved>('PATCH', `/api/extensions/${encodeURIComponent(number)}`, changes),
  )
}

export function useRemoveExtension() {
  return useChange('extensions', (number: string) => request('DELETE', `/api/extensions/${encodeURIComponent(number)}`))
}

export function useDropRegistrations() {
  return useChange('extensions', (number: string) =>
    request('DELETE', `/api/extensions/${encodeURIComponent(number)}/registrations`),
  )
}

export function useTrunks() {
  return useQuery({
    queryKey: ['trunks'],
    queryFn: ({ signal }) => request<Trunks>('GET', '/api/trunks', undefined, signal),
    refetchInterval: 4 * usePollMs(),
  })
}

export function useApiKeys() {
  return useQuery({
    queryKey: ['api-keys'],
    queryFn: ({ signal }) => request<ApiKeys>('GET', '/api/api-keys', undefined, signal),
  })
}

export function useCreateApiKey() {
  return useChange('api-keys', (key: NewApiKey) => request<ApiKeyCreated>('POST', '/api/api-keys', key))
}

export function useRevokeApiKey() {
  return useChange('api-keys', (id: string) => request('DELETE', `/api/api-keys/${encodeURIComponent(id)}`))
}

export function useBans() {
  return useQuery({
    queryKey: ['bans'],
    queryFn: ({ signal }) => request<Bans>('GET', '/api/security/bans', undefined, signal),
    refetchInterval: 4 * usePollMs(),
  })
}

export function useReleaseBan() {
  return useChange('bans', (source: string) => request('DELETE', withQuery('/api/security/bans', { source })))
}

/** A change after which the list of that kind is read anew. */
function useChange<Given, Answer>(kind: string, change: (given: Given) => Promise<Answer>) {
  const cache = useQueryClient()
  return useMutation({ mutationFn: change, onSettled: () => invalidate(cache, kind) })
}

function invalidate(cache: ReturnType<typeof useQueryClient>, kind: string): Promise<void> {
  return cache.invalidateQueries({ queryKey: [kind] })
}
