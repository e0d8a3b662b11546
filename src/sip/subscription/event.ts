/** The headers Event and Subscription-State. RFC 6665 §8.2, §8.4. */
import { type HeaderValue, readHeader } from '../message/header-values.ts'
import { Headers } from '../message/headers.ts'
import { isToken } from '../message/scan.ts'
import type { SipMessage } from '../message/types.ts'

/** Two subscriptions are one when both parts are the same, byte by byte (RFC 6665 §8.2.1). */
export interface EventName {
  readonly name: string
  readonly id: string | undefined
}

/** undefined when there is none, or it cannot be read. */
export const readEvent = ({ headers }: Pick<SipMessage, 'headers'>): EventName | undefined =>
  eventOf(readHeader(headers, 'Event'))

/** `presence;id=7`. */
export const parseEvent = (text: string): EventName | undefined =>
  readEvent({ headers: new Headers([['Event', text]]) })

const eventOf = (header: HeaderValue | undefined): EventName | undefined =>
  header && isToken(header.value) ? { name: header.value, id: header.params.get('id') ?? undefined } : undefined

export const printEvent = ({ name, id }: EventName): string => (id === undefined ? name : `${name};id=${id}`)

export const sameEvent = (a: EventName, b: EventName): boolean => a.name === b.name && a.id === b.id

export interface SubscriptionState {
  readonly state: 'active' | 'pending' | 'terminated'
  readonly reason?: string
  readonly expiresS?: number
  readonly retryAfterS?: number
}

/** Departs from RFC 6665 §8.4: a NOTIFY without the header, or with one that cannot be read, counts as `active`. */
export function readSubscriptionState({ headers }: SipMessage): SubscriptionState {
  const header = readHeader(headers, 'Subscription-State')
  const word = header?.value.toLowerCase()
  const state = word === 'pending' || word === 'terminated' ? word : 'active'
  const reason = header?.params.get('reason')?.toLowerCase()
  const expiresS = seconds(header?.params.get('expires'))
  const retryAfterS = seconds(header?.params.get('retry-after'))
  return {
    state,
    ...(reason !== undefined && { reason }),
    ...(expiresS !== undefined && { expiresS }),
    ...(retryAfterS !== undefined && { retryAfterS }),
  }
}

const seconds = (text: string | null | undefined): number | undefined =>
  text && /^\d{1,9}$/.test(text) ? Number(text) : undefined
