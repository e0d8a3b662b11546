/** Exports, erasures, jobs, the audit record: what administrators look after. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { AuditPage, AuditQuery, AuditVerdict } from '../../../src/api/schemas/audit.ts'
import type {
  Erasure,
  ErasurePreview,
  ErasureRequest,
  Erasures,
  Export,
  ExportRequest,
  Exports,
} from '../../../src/api/schemas/compliance.ts'
import type { JobState, JobsPage } from '../../../src/api/schemas/jobs.ts'
import { request, withQuery } from './client.ts'

const pageSize = 50
/** While something runs in the background, and one looks at how far it is. */
const busyPollMs = 1_000

export function useExports() {
  return useQuery({
    queryKey: ['exports'],
    queryFn: ({ signal }) => request<Exports>('GET', '/api/compliance/exports', undefined, signal),
    refetchInterval: ({ state }) =>
      state.data?.items.some((item) => item.state === 'waiting' || item.state === 'running') ? busyPollMs : false,
  })
}

export function useExport() {
  return useOffice('exports', (wanted: ExportRequest) => request<Export>('POST', '/api/compliance/export', wanted))
}

export function useDeleteExport() {
  return useOffice('exports', (id: string) => request('DELETE', `/api/compliance/exports/${encodeURIComponent(id)}`))
}

export function useErasures() {
  return useQuery({
    queryKey: ['erasures'],
    queryFn: ({ signal }) => request<Erasures>('GET', '/api/compliance/erasures', undefined, signal),
    refetchInterval: ({ state }) => (state.data?.items.some((item) => item.state === 'running') ? busyPollMs : false),
  })
}

type Subject = Pick<ErasureRequest, 'callId' | 'person'>

/** What would go; nothing is changed. */
export function useErasurePreview() {
  return useMutation({
    mutationFn: (subject: Subject) =>
      request<ErasurePreview>('POST', '/api/compliance/erase', { ...subject, dryRun: true }),
  })
}

export function useErase() {
  return useOffice('erasures', (wanted: Subject & { readonly why: string }) =>
    request<Erasure>('POST', '/api/compliance/erase', { ...wanted, dryRun: false }),
  )
}

export interface JobFilters {
  readonly kind: string
  readonly state: JobState | undefined
}

export function useJobs(filters: JobFilters) {
  return useInfiniteQuery({
    queryKey: ['jobs', filters],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...filters, limit: pageSize, cursor: pageParam }
      return request<JobsPage>('GET', withQuery('/api/jobs', query), undefined, signal)
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: (before) => before,
    refetchInterval: 5_000,
  })
}

export function useRetryJob() {
  return useOffice('jobs', (id: string) => request('POST', `/api/jobs/${encodeURIComponent(id)}/retry`))
}

export function useCancelJob() {
  return useOffice('jobs', (id: string) => request('DELETE', `/api/jobs/${encodeURIComponent(id)}`))
}

export interface AuditFilters extends Pick<AuditQuery, 'action' | 'who' | 'subject'> {
  readonly fromMs: number | undefined
  readonly untilMs: number | undefined
}

export function useAudit(filters: AuditFilters) {
  return useInfiniteQuery({
    queryKey: ['audit', filters],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...filters, limit: pageSize, cursor: pageParam }
      return request<AuditPage>('GET', withQuery('/api/audit', query), undefined, signal)
    },
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: (before) => before,
    // A list names its rows by id; records have their number.
    select: ({ pages }) => ({
      pageParams: [],
      pages: pages.map(({ items }) => ({ items: items.map((record) => ({ ...record, id: String(record.sequence) })) })),
    }),
  })
}

/** Reads the whole record on the server: only when somebody asks. */
export function useVerifyAudit() {
  return useMutation({ mutationFn: () => request<AuditVerdict>('GET', '/api/audit/verify') })
}

function useOffice<Given, Answer>(kind: string, change: (given: Given) => Promise<Answer>) {
  const cache = useQueryClient()
  return useMutation({ mutationFn: change, onSettled: () => cache.invalidateQueries({ queryKey: [kind] }) })
}
