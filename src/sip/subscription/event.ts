/** The headers Event and Subscription-State. RFC 6665 §8.2, §8.4. */
import { isToken, parseParams } from '../message/scan.ts'
import type { SipMessage } from '../message/types.ts'

/** Two subscriptions are one when both parts are the same, byte by byte (RFC 6665 §8.2.1). */
export interface EventName {
  readonly name: string
  readonly id: string | undefined
}

export function readEvent(text: string | undefined): EventName | undefined {
  if (text === undefined) return undefined
  const { head, params } = split(text)
  return params && isToken(head) ? { name: head, id: params.get('id') ?? undefined } : undefined
}

export const printEvent = ({ name, id }: EventName): string => (id === undefined ? name : `${name};id=${id}`)

export const sameEvent = (a: EventName, b: EventName): boolean => a.name === b.name && a.id === b.id

export interface SubscriptionState {
  readonly state: 'active' | 'pending' | 'terminated'
  readonly reason?: string
  readonly expiresS?: number
  readonly retryAfterS?: number
}

/**
 * Departs from RFC 6665 §8.4: without the header a NOTIFY counts as `active`, as before RFC 3265; with one that cannot
 * be read too.
 */
export function readSubscriptionState({ headers }: SipMessage): SubscriptionState {
  const { head, params } = split(headers.get('Subscription-State') ?? '')
  const word = head.toLowerCase()
  const state = word === 'pending' || word === 'terminated' ? word : 'active'
  const [reason, expiresS, retryAfterS] = [
    params?.get('reason')?.toLowerCase(),
    seconds(params?.get('expires')),
    seconds(params?.get('retry-after')),
  ]
  return {
    state,
    ...(reason !== undefined && { reason }),
    ...(expiresS !== undefined && { expiresS }),
    ...(retryAfterS !== undefined && { retryAfterS }),
  }
}

function split(text: string) {
  const semicolon = text.indexOf(';')
  return {
    head: (semicolon < 0 ? text : text.slice(0, semicolon)).trim(),
    params: parseParams(semicolon < 0 ? '' : text.slice(semicolon)),
  }
}

const seconds = (text: string | null | undefined): number | undefined =>
  text && /^\d{1,9}$/.test(text) ? Number(text) : undefined
