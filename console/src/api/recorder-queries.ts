/** What the pages of the recorder show and change: recordings that are being made, recording clients. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { LiveRecording, LiveRecordings } from '../../../src/api/schemas/live-recordings.ts'
import type { RecordingServers } from '../../../src/api/schemas/recording-servers.ts'
import type {
  NewSiprecPeer,
  SiprecPeer,
  SiprecPeerChanges,
  SiprecPeers,
} from '../../../src/api/schemas/siprec-peers.ts'
import { request } from './client.ts'
import { usePollMs } from './events.tsx'

/** By call id. */
export function useLiveRecordings() {
  return useQuery({
    queryKey: ['live', 'recordings'],
    queryFn: ({ signal }) => request<LiveRecordings>('GET', '/api/recordings/live', undefined, signal),
    refetchInterval: usePollMs(),
    select: ({ items }): ReadonlyMap<string, LiveRecording> => new Map(items.map((item) => [item.callId, item])),
  })
}

export interface RecordingOrder {
  readonly callId: string
  readonly order: 'pause' | 'resume' | 'mute' | 'unmute'
  /** Of these legs only: for `mute` and `unmute`. */
  readonly legIds?: readonly string[]
  /** For `pause`: goes on by itself. */
  readonly autoResumeSeconds?: number
}

/** Pause, resume, mute: what comes meanwhile never reaches the disk. */
export function useOrderRecording() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: ({ callId, order, ...body }: RecordingOrder) =>
      request<LiveRecording>('POST', `/api/recordings/live/${encodeURIComponent(callId)}/${order}`, body),
    onSettled: () => cache.invalidateQueries({ queryKey: ['live'] }),
  })
}

export function useSiprecPeers() {
  return useQuery({
    queryKey: ['siprec-peers'],
    queryFn: ({ signal }) => request<SiprecPeers>('GET', '/api/siprec-peers', undefined, signal),
    refetchInterval: 4 * usePollMs(),
  })
}

/** Servers elsewhere that calls are sent to. */
export function useRecordingServers() {
  return useQuery({
    queryKey: ['recording-servers'],
    queryFn: ({ signal }) => request<RecordingServers>('GET', '/api/recording-servers', undefined, signal),
    refetchInterval: 4 * usePollMs(),
  })
}

export function useAddSiprecPeer() {
  return usePeerChange((peer: NewSiprecPeer) => request<SiprecPeer>('POST', '/api/siprec-peers', peer))
}

export function useChangeSiprecPeer() {
  return usePeerChange(({ id, changes }: { readonly id: string; readonly changes: SiprecPeerChanges }) =>
    request<SiprecPeer>('PATCH', `/api/siprec-peers/${encodeURIComponent(id)}`, changes),
  )
}

export function useRemoveSiprecPeer() {
  return usePeerChange((id: string) => request('DELETE', `/api/siprec-peers/${encodeURIComponent(id)}`))
}

function usePeerChange<Given, Answer>(change: (given: Given) => Promise<Answer>) {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSettled: () => cache.invalidateQueries({ queryKey: ['siprec-peers'] }),
  })
}
