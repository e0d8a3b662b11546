/** What the 200 to a REGISTER says of our Contact. RFC 3261 §10.2.4, RFC 3608, RFC 5627 §4.2. */
import { contactsOf, expiresOf } from '../message/fields.ts'
import type { NameAddr, SipResponse } from '../message/types.ts'
import { parseUri, sameUri } from '../message/uri.ts'

export interface Granted {
  readonly expiresS: number
  readonly serviceRoute: readonly string[]
  readonly publicGruu?: string
  readonly temporaryGruu?: string
}

/** @param asked Our Contact URI, what else tells it from those of other devices, and the seconds we asked for. */
export function readGranted(
  response: SipResponse,
  asked: { readonly contact: string; readonly instance?: string; readonly regId?: number; readonly expiresS: number },
): Granted {
  const contacts = contactsOf(response)
  const own = Array.isArray(contacts) ? ownOf(contacts, asked) : undefined
  const [publicGruu, temporaryGruu] = ['pub-gruu', 'temp-gruu'].map((name) => own?.params.get(name) ?? undefined)
  return {
    expiresS: secondsOf(own?.params.get('expires')) ?? expiresOf(response) ?? asked.expiresS,
    serviceRoute: response.headers.all('Service-Route'),
    ...(publicGruu !== undefined && { publicGruu }),
    ...(temporaryGruu !== undefined && { temporaryGruu }),
  }
}

/** Ours among those of all devices. Some registrars write down where it came from instead of what it said. */
function ownOf(contacts: readonly NameAddr[], asked: Parameters<typeof readGranted>[1]): NameAddr | undefined {
  const ours = parseUri(asked.contact)
  const named = contacts.find(({ uri }) => ours && sameUri(uri, ours))
  if (named) return named
  const instance = contacts.find(
    ({ params }) =>
      asked.instance !== undefined &&
      params.get('+sip.instance')?.toLowerCase() === `<${asked.instance}>`.toLowerCase() &&
      (params.get('reg-id') ?? '') === String(asked.regId ?? ''),
  )
  return instance ?? (contacts.length === 1 ? contacts[0] : undefined)
}

const secondsOf = (text: string | null | undefined): number | undefined =>
  text && /^\d{1,10}$/.test(text) ? Number(text) : undefined
