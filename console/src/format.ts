/** Facts in words a person reads: names, durations, times, why a call ended. Pure. */
import type { EndReason, Party } from '../../src/api/schemas/common.ts'

/** The best name of someone: display name, extension, user part of the address, the address. */
export function partyName(party: {
  readonly uri?: string | undefined
  readonly name?: string | undefined
  readonly extension?: string | undefined
}): string {
  return party.name || party.extension || userOf(party.uri ?? '') || party.uri || 'Unknown'
}

/** The number or address beside a name; undefined when the name says it already. */
export function partyNumber(party: Partial<Party>): string | undefined {
  const number = party.extension || userOf(party.uri ?? '') || party.uri
  return number && number.toLowerCase() !== partyName(party).toLowerCase() ? number : undefined
}

/** `102` of `sip:102@example.com`, `+4930…` of `tel:+4930…`. */
function userOf(uri: string): string {
  const user = /^(?:sips?|tel):([^@;?]+)(?:@|$|;)/i.exec(uri)?.[1] ?? ''
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}

const two = (n: number): string => String(n).padStart(2, '0')

/** `0:07`, `12:30`, `1:02:03`. */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** `7 s`, `12 min 30 s`, `1 h 2 min`: for sentences. */
export function spokenDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 1) return 'less than a second'
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600)
    return [`${Math.floor(seconds / 60)} min`, seconds % 60 && `${seconds % 60} s`].filter(Boolean).join(' ')
  const minutes = Math.floor(seconds / 60)
  return [`${Math.floor(minutes / 60)} h`, minutes % 60 && `${minutes % 60} min`].filter(Boolean).join(' ')
}

/** `512 B`, `1.4 MB`: thousands, as disks are sold. */
export function fileSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const shortDayYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
const hourMinute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** Date and time in full, in the reader's language and zone. */
export function fullTime(atMs: number): string {
  return dayAndTime.format(atMs)
}

/** `Today 14:03`, `Yesterday 09:12`, `3 Mar 10:00`, with the year when it is another one. */
export function shortTime(atMs: number, nowMs: number): string {
  const at = new Date(atMs)
  const now = new Date(nowMs)
  const yesterday = new Date(nowMs)
  yesterday.setDate(now.getDate() - 1)
  const time = hourMinute.format(at)
  if (at.toDateString() === now.toDateString()) return `Today ${time}`
  if (at.toDateString() === yesterday.toDateString()) return `Yesterday ${time}`
  const day = at.getFullYear() === now.getFullYear() ? shortDay : shortDayYear
  return `${day.format(at)}, ${time}`
}

const withMilliseconds = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})

/** `14:03:07.250` of today, with its day of another: messages follow each other by milliseconds. */
export function traceTime(atMs: number, nowMs: number): string {
  const time = withMilliseconds.format(atMs)
  return new Date(atMs).toDateString() === new Date(nowMs).toDateString() ? time : `${shortDay.format(atMs)}, ${time}`
}

export interface EndText {
  /** For a badge. */
  readonly label: string
  /** For the call's page: a sentence. */
  readonly sentence: string
  readonly color: 'green' | 'gray' | 'orange' | 'red'
}

const endTexts: Record<EndReason, EndText> = {
  hangup: { label: 'Answered', sentence: 'The call was answered and ended normally.', color: 'green' },
  cancelled: { label: 'Cancelled', sentence: 'The caller gave up before anybody answered.', color: 'gray' },
  busy: { label: 'Busy', sentence: 'The called phone was busy.', color: 'orange' },
  declined: { label: 'Declined', sentence: 'The call was declined on the called phone.', color: 'orange' },
  'no-answer': { label: 'No answer', sentence: 'It rang, but nobody answered in time.', color: 'orange' },
  unreachable: {
    label: 'Not reachable',
    sentence: 'No phone is registered for the called extension, or none of them could be reached.',
    color: 'orange',
  },
  'not-found': { label: 'Unknown number', sentence: 'Nobody has the number that was called.', color: 'orange' },
  'not-allowed': {
    label: 'Not allowed',
    sentence: 'The extension may not call this number, or made too many calls to the outside.',
    color: 'orange',
  },
  'no-common-codec': {
    label: 'No common codec',
    sentence:
      'The two phones have no audio codec in common, or one of them insists on encryption. Allow PCMU or PCMA (G.711) on both.',
    color: 'red',
  },
  'encryption-failed': {
    label: 'Not encrypted',
    sentence: 'The call had to be encrypted, but no keys could be agreed on with one of the phones.',
    color: 'red',
  },
  transferred: { label: 'Transferred', sentence: 'The other party was connected to somebody else.', color: 'green' },
  'media-timeout': {
    label: 'Connection lost',
    sentence: 'No more audio arrived, so the call was ended. A phone lost its network, or a firewall closed.',
    color: 'red',
  },
  'media-lost': {
    label: 'Audio lost',
    sentence: 'The part of the server that carried its audio failed. What was recorded until then has been kept.',
    color: 'red',
  },
  limit: {
    label: 'Longest duration',
    sentence: 'The recording had gone on for as long as it may, so it was ended.',
    color: 'gray',
  },
  shutdown: { label: 'Server stopped', sentence: 'The server was stopped during the call.', color: 'gray' },
  interrupted: {
    label: 'Interrupted',
    sentence: 'The server ended unexpectedly during the call. What was recorded until then has been kept.',
    color: 'red',
  },
  failed: { label: 'Failed', sentence: 'The call could not be set up.', color: 'red' },
}

/** How a call ended; undefined reason: it still goes on. */
export function endText(reason: EndReason | undefined): EndText {
  if (!reason) return { label: 'In progress', sentence: 'The call is in progress.', color: 'green' }
  return endTexts[reason]
}

/** For a filter of calls and recordings. */
export const kindChoices: { value: string; label: string }[] = [
  { value: '', label: 'All' },
  { value: 'pbx', label: 'Calls' },
  { value: 'siprec', label: 'SIPREC sessions' },
]

/** All reasons with their label, for a filter. */
export const endReasonChoices = Object.entries(endTexts).map(([value, { label }]) => ({ value, label }))
