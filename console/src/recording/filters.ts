/** The filters of the recordings page, from the words of its address to those of the API. Pure. */
import type { CallKind } from '../../../src/api/schemas/common.ts'
import type { RecordingState } from '../../../src/api/schemas/recordings.ts'
import type { RecordingFilters } from '../api/queries.ts'
import { dayEndMs, dayStartMs } from '../ui/days.ts'

interface Choice {
  readonly value: string
  readonly label: string
}
const all: Choice = { value: '', label: 'All' }

export const lengthChoices: readonly Choice[] = [
  all,
  { value: '-10', label: 'Under 10 seconds' },
  { value: '60', label: '1 minute or more' },
  { value: '600', label: '10 minutes or more' },
  { value: '3600', label: '1 hour or more' },
]

/** Codes of docs/media.md. */
export const verdictChoices: readonly Choice[] = [
  all,
  { value: 'no-audio', label: 'No audio' },
  { value: 'one-way-audio', label: 'One-way audio' },
  { value: 'wrong-address', label: 'Wrong address' },
  { value: 'wrong-codec', label: 'Wrong codec' },
  { value: 'wrong-key', label: 'Wrong key' },
  { value: 'silence', label: 'Silence' },
  { value: 'clipping', label: 'Clipping' },
  { value: 'echo', label: 'Echo' },
  { value: 'high-loss', label: 'Loss' },
  { value: 'high-jitter', label: 'Jitter' },
  { value: 'high-delay', label: 'Delay' },
]

export const heldChoices: readonly Choice[] = [
  all,
  { value: 'true', label: 'Held' },
  { value: 'false', label: 'Not held' },
]

export const stateChoices: readonly Choice[] = [
  all,
  { value: 'recording', label: 'Recording' },
  { value: 'stored', label: 'Recorded' },
  { value: 'interrupted', label: 'Interrupted' },
  { value: 'failed', label: 'Failed' },
  { value: 'deleting', label: 'Being deleted' },
  { value: 'deleted', label: 'Deleted' },
]

/** Fields behind the button *More filters*. */
export const moreFilters = ['person', 'peer', 'tag', 'length', 'verdict', 'held', 'state'] as const

/** @param get What the address says of a filter; empty: nothing. Words that are no choice are left out. */
export function recordingFilters(get: (name: string) => string): RecordingFilters {
  const chosen = (name: string, choices: readonly Choice[]) =>
    choices.some(({ value }) => value === get(name)) ? get(name) || undefined : undefined
  const seconds = Number(chosen('length', lengthChoices) ?? 0)
  const kind = get('kind')
  return {
    search: get('search') || undefined,
    kind: kind === 'pbx' || kind === 'siprec' ? (kind satisfies CallKind) : undefined,
    fromMs: dayStartMs(get('from')),
    untilMs: dayEndMs(get('until')),
    person: get('person') || undefined,
    peer: get('peer') || undefined,
    tag: get('tag') || undefined,
    minDurationMs: seconds > 0 ? seconds * 1000 : undefined,
    maxDurationMs: seconds < 0 ? -seconds * 1000 : undefined,
    verdict: chosen('verdict', verdictChoices),
    held: chosen('held', heldChoices) as 'true' | 'false' | undefined,
    state: chosen('state', stateChoices) as RecordingState | undefined,
  }
}
