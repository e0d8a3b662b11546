/** What becomes of recordings: tags and notes, proof, copies, how long they stay, holds, deletion. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Labels } from '../../../src/api/schemas/labels.ts'
import type { ProofVerdict } from '../../../src/api/schemas/proofs.ts'
import type { Copies } from '../../../src/api/schemas/recordings.ts'
import type {
  Hold,
  Holds,
  NewHold,
  NewRetentionRule,
  Preview,
  PreviewRequest,
  RecordingRetention,
  RetentionRule,
  RetentionRules,
  SweepResult,
} from '../../../src/api/schemas/retention.ts'
import { request, withQuery } from './client.ts'

const pathOf = (kind: 'calls' | 'recordings' | 'holds' | 'retention/rules', id: string): string =>
  `/api/${kind}/${encodeURIComponent(id)}`

export function useLabels(callId: string) {
  return useQuery({
    queryKey: ['call', callId, 'labels'],
    queryFn: ({ signal }) => request<Labels>('GET', `${pathOf('calls', callId)}/labels`, undefined, signal),
  })
}

export function useTagCall(callId: string) {
  return useKeeping((tags: readonly string[]) => request('PUT', `${pathOf('calls', callId)}/tags`, { tags }))
}

export function useTagRecording(recordingId: string) {
  return useKeeping((tags: readonly string[]) => request('PUT', `${pathOf('recordings', recordingId)}/tags`, { tags }))
}

export function useAddNote(callId: string) {
  return useKeeping((text: string) => request('POST', `${pathOf('calls', callId)}/notes`, { text }))
}

export function useRemoveNote(callId: string) {
  return useKeeping((id: string) => request('DELETE', `${pathOf('calls', callId)}/notes/${encodeURIComponent(id)}`))
}

/** Reads every byte of the recording on the server: only when somebody asks. */
export function useVerifyProof(recordingId: string) {
  return useMutation({
    mutationFn: () => request<ProofVerdict>('POST', `${pathOf('recordings', recordingId)}/proof/verify`),
  })
}

/** Where archives have it. */
export function useCopies(callId: string, recordingId: string) {
  return useQuery({
    queryKey: ['call', callId, 'copies', recordingId],
    queryFn: ({ signal }) => request<Copies>('GET', `${pathOf('recordings', recordingId)}/copies`, undefined, signal),
  })
}

export function useRecordingRetention(callId: string, recordingId: string) {
  return useQuery({
    queryKey: ['call', callId, 'retention', recordingId],
    queryFn: ({ signal }) =>
      request<RecordingRetention>('GET', `${pathOf('recordings', recordingId)}/retention`, undefined, signal),
  })
}

export function useDeleteRecording(recordingId: string) {
  return useKeeping((why: string) => request('DELETE', withQuery(pathOf('recordings', recordingId), { why })))
}

/** @param all Lifted ones too. */
export function useHolds(all: boolean) {
  return useQuery({
    queryKey: ['holds', all],
    queryFn: ({ signal }) => request<Holds>('GET', withQuery('/api/holds', { all: String(all) }), undefined, signal),
    placeholderData: (before) => before,
  })
}

export function usePlaceHold() {
  return useKeeping((hold: NewHold) => request<Hold>('POST', '/api/holds', hold))
}

export function useLiftHold() {
  return useKeeping(({ id, why }: { readonly id: string; readonly why: string }) =>
    request<Hold>('DELETE', withQuery(pathOf('holds', id), { why })),
  )
}

export function useRetentionRules() {
  return useQuery({
    queryKey: ['retention-rules'],
    queryFn: ({ signal }) => request<RetentionRules>('GET', '/api/retention/rules', undefined, signal),
  })
}

/** @param id Of the rule to replace; absent: add one. */
export function useSaveRetentionRule(id: string | undefined) {
  return useKeeping((rule: NewRetentionRule) =>
    id === undefined
      ? request<RetentionRule>('POST', '/api/retention/rules', rule)
      : request<RetentionRule>('PUT', pathOf('retention/rules', id), rule),
  )
}

export function useRemoveRetentionRule() {
  return useKeeping((id: string) => request('DELETE', pathOf('retention/rules', id)))
}

/** What would be deleted now; changes nothing. */
export function useRetentionPreview() {
  return useMutation({
    mutationFn: (wanted: PreviewRequest) => request<Preview>('POST', '/api/retention/preview', wanted),
  })
}

export function useSweep() {
  return useKeeping(() => request<SweepResult>('POST', '/api/retention/sweep'))
}

/** A change that touches calls, recordings and why they stay: few are on a page, and all of them are read anew. */
function useKeeping<Given, Answer>(change: (given: Given) => Promise<Answer>) {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSettled: () =>
      Promise.all(
        ['call', 'recordings', 'holds', 'retention-rules'].map((kind) => cache.invalidateQueries({ queryKey: [kind] })),
      ),
  })
}
