/**
 * What a checkpoint keeps of the people of a session, as plain JSON: a restart takes the session up again, and a partial
 * update that comes then has something to change.
 */
import type { VendorFacts } from '../../events/siprec.ts'
import type { HeardEntry } from './heard.ts'
import type {
  MetadataGroup,
  MetadataParticipant,
  MetadataPresence,
  MetadataSending,
  MetadataSession,
  MetadataState,
  MetadataStream,
} from './model.ts'

export interface SavedPeople {
  readonly state: SavedState
  readonly heard: readonly HeardEntry[]
  /** Labels that were recorded at some time. */
  readonly labels: readonly string[]
  readonly vendor?: VendorFacts
}

export interface SavedState {
  readonly groups: readonly MetadataGroup[]
  readonly sessions: readonly MetadataSession[]
  readonly participants: readonly MetadataParticipant[]
  readonly streams: readonly MetadataStream[]
  readonly sending: readonly (readonly [string, MetadataSending])[]
  readonly presence: readonly (readonly [string, readonly (readonly [string, MetadataPresence])[]])[]
  readonly callers: readonly string[]
}

export const saveState = (state: MetadataState): SavedState => ({
  groups: [...state.groups.values()],
  sessions: [...state.sessions.values()],
  participants: [...state.participants.values()],
  streams: [...state.streams.values()],
  sending: [...state.sending],
  presence: [...state.presence].map(([id, sessions]) => [id, [...sessions]] as const),
  callers: state.callers,
})

export const restoreState = (saved: SavedState): MetadataState => ({
  groups: byId(saved.groups),
  sessions: byId(saved.sessions),
  participants: byId(saved.participants),
  streams: byId(saved.streams),
  sending: new Map(saved.sending),
  presence: new Map(saved.presence.map(([id, sessions]) => [id, new Map(sessions)])),
  callers: saved.callers,
})

const byId = <Item extends { readonly id: string }>(items: readonly Item[]): Map<string, Item> =>
  new Map(items.map((item) => [item.id, item]))
