/**
 * Telephone numbers in URIs: `tel:+49-30-555;ext=1`, and the same as the user part of a SIP URI.
 *
 * RFC 3966; its conversion to and from SIP: RFC 3261 §19.1.6. Numbers are held with their visual separators, as written.
 */
import type { Params, SipUri } from './types.ts'

/** `-`, `.`, `(` and `)` are for people (RFC 3966 §3). */
export const withoutSeparators = (number: string): string => number.replaceAll(/[-.()]/g, '')

/** RFC 3966 §4: a parameter that only one of them has makes two tel URIs differ; nothing has case. */
export function sameTel(a: SipUri, b: SipUri): boolean {
  if (digits(a.user) !== digits(b.user) || a.params.size !== b.params.size) return false
  return Array.from(a.params).every(([name, value]) => {
    const other = b.params.get(name)
    return other !== undefined && comparable(name, value) === comparable(name, other)
  })
}

const digits = (number = ''): string => withoutSeparators(number).toLowerCase()

/** A context is a number or a domain: `+1-201` is `+1201`, but dots matter in `example.com`. */
function comparable(name: string, value: string | null): string {
  const text = value ?? ''
  const isNumber = name === 'ext' || (name === 'phone-context' && text.startsWith('+'))
  return isNumber ? digits(text) : text.toLowerCase()
}

/** In this order, then by name: so the SIP URIs of one number are equal (RFC 3261 §19.1.6). */
const order = ['isub', 'ext', 'phone-context']
const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)

/**
 * `tel:+49-30-555;ext=1` at a host: `sip:+49-30-555;ext=1@host;user=phone`.
 * @param host A domain or address whose server can reach the number.
 */
export function telToSip(tel: SipUri, host: string): SipUri {
  const params = Array.from(tel.params).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const subscriber = params.map(([name, value]) => (value === null ? `;${name}` : `;${name}=${value}`)).join('')
  const user = `${tel.user ?? ''}${subscriber}`.toLowerCase()
  return { scheme: 'sip', user, host, params: new Map([['user', 'phone']]), headers: new Map() }
}

/** The tel URI inside `sip:+49-30-555;ext=1@host;user=phone`; undefined when the user part is no telephone number. */
export function sipToTel(uri: SipUri): SipUri | undefined {
  if (uri.scheme === 'tel') return uri
  const [number = '', ...rest] = uri.user?.split(';') ?? []
  if (uri.params.get('user') !== 'phone' || !/^\+?[0-9A-F*#\-.()]+$/i.test(number)) return undefined
  const params: Params = new Map(
    rest.map((piece) => {
      const equals = piece.indexOf('=')
      return equals < 0 ? [piece.toLowerCase(), null] : [piece.slice(0, equals).toLowerCase(), piece.slice(equals + 1)]
    }),
  )
  return { scheme: 'tel', user: number, host: '', params, headers: new Map() }
}
