/**
 * Headers of a caller's INVITE that go on to whom it reaches, because a setting names them: Alert-Info, User-to-User, X-….
 *
 * A B2BUA makes a new INVITE, so what is not named stays behind. That is the safe way: an Alert-Info or Call-Info from
 * outside makes many phones answer by themselves, into a room where nobody knows of it.
 */
import type { SipRequest } from '../sip/message/types.ts'
import type { ExtraHeaders } from '../sip/stack.types.ts'

/** Bounds, so that no stranger makes the INVITEs to our phones large: header lines, and characters in all. */
export const passedLimits = { lines: 32, chars: 2_048 } as const

/** What a caller who hides its name does not want told (RFC 3323 §4.1). */
const tellsWhoCalls = /^(?:call-info|organization|subject)$/i

/**
 * @param allowed Names; one that ends with `*` stands for all that begin so.
 * @param hidden The caller is private.
 */
export function passedHeaders({ headers }: SipRequest, allowed: readonly string[], hidden: boolean): ExtraHeaders {
  if (allowed.length === 0) return {}
  const passed: Record<string, string[]> = {}
  let chars = 0
  let lines = 0
  for (const [name, value] of headers.entries()) {
    if (!allowed.some((each) => isNamed(name, each)) || (hidden && tellsWhoCalls.test(name))) continue
    chars += name.length + value.length
    if (chars > passedLimits.chars || ++lines > passedLimits.lines) break
    ;(passed[name] ??= []).push(value)
  }
  return passed
}

function isNamed(name: string, allowed: string): boolean {
  const [given, wanted] = [name.toLowerCase(), allowed.toLowerCase()]
  return wanted.endsWith('*') ? given.startsWith(wanted.slice(0, -1)) : given === wanted
}
