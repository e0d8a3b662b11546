/**
 * Under which keys a person is kept and found: by number and by address, however either was written.
 *
 *   stored:  `sip:+49%2030-123@gw.example;user=phone`  ─▶  `number:4930123`, `address:+4930-123@gw.example`
 *   asked:   `+49 30 123`, `tel:+49-30-123`            ─▶  `number:4930123`
 *            `sip:alice@example.com`                   ─▶  `address:alice@example.com`
 *
 * A number is its digits without a leading `+` or `00` (the international prefix of most countries). National forms
 * are other numbers: `030123` is not found under `+4930123`, for nobody here knows whose country it is.
 */

/** Longer than any number or address that a person has; what is longer is cut. */
const mostLength = 200
/** ITU-T E.164 has 15 digits at most; with a prefix to dial out a few more. Not an IPv4 address. */
const numberText = /^(?!\d+\.\d+\.\d+\.\d+$)\+?[0-9](?:[0-9().\- /]{0,30}[0-9])?$/

/** All keys of somebody at an end of a call. Of text that is neither number nor address: itself as an address. */
export function personKeys(uri: string, extension?: string): readonly string[] {
  const { user, host, isTel } = partsOf(uri)
  const number = numberOf(user)
  const keys = new Set<string>()
  if (number !== undefined) keys.add(`number:${number}`)
  if (!isTel && user !== '' && (host !== '' || number === undefined)) keys.add(addressKey(user, host))
  if (extension !== undefined) keys.add(`number:${extension}`)
  return [...keys]
}

/**
 * The key of whom somebody asks for: a number, or an address with an `@`. A SIP URI of a global number (`+…` or
 * `;user=phone`) means the number, whichever gateway it came by.
 * @returns undefined when the text is neither.
 */
export function personKey(asked: string): string | undefined {
  const { user, host, isTel, isPhone } = partsOf(asked.trim())
  const number = numberOf(user)
  const meansNumber = isTel || isPhone || host === '' || user.startsWith('+')
  if (number !== undefined && meansNumber) return `number:${number}`
  return host !== '' && user !== '' && !isTel ? addressKey(user, host) : undefined
}

const addressKey = (user: string, host: string): string =>
  `address:${host === '' ? user : `${user}@${host}`}`.toLowerCase().slice(0, mostLength)

interface Parts {
  readonly user: string
  readonly host: string
  readonly isTel: boolean
  readonly isPhone: boolean
}

/** Lenient: recording clients send addresses without a scheme, with blanks around, unescaped. */
function partsOf(text: string): Parts {
  const scheme = /^\s*<?\s*(sips?|tel):/i.exec(text)
  const rest = text.slice(scheme?.[0].length ?? 0).replace(/[>\s]+$/, '')
  const isTel = scheme?.[1]?.toLowerCase() === 'tel'
  const isPhone = /;user=phone(?:[;?]|$)/i.test(rest)
  const at = isTel ? -1 : rest.lastIndexOf('@')
  const beforeHost = at < 0 ? rest : rest.slice(0, at)
  const user = unescaped(beforeHost.split(/[;:?]/, 1)[0] ?? '').trim()
  const host = at < 0 ? '' : hostOf(rest.slice(at + 1))
  return { user, host, isTel, isPhone }
}

/** Without port and parameters. */
const hostOf = (text: string): string => /^(\[[^\]]*\]|[^:;?>\s]*)/.exec(text)?.[1] ?? ''

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function numberOf(user: string): string | undefined {
  if (!numberText.test(user)) return undefined
  const digits = user.replaceAll(/[^0-9]/g, '')
  return !user.startsWith('+') && digits.startsWith('00') && digits.length > 6 ? digits.slice(2) : digits
}
