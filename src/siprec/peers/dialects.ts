/**
 * How far a recording client may depart from RFC 7866 and still be recorded, decided by peer (docs/siprec/peers.md).
 *
 * RFC 7866 §6.2: an INVITE asks for a recording session when it requires `siprec` and its Contact has `+sip.src`, both.
 * In the field some send one of the two, some the feature tag in another place or another spelling, some neither. What
 * is only about metadata is no matter of dialect: it never costs the audio.
 */
import { contentTypeOf, optionTags } from '../../sip/message/fields.ts'
import type { SipRequest } from '../../sip/message/types.ts'
import { isSiprec } from '../body.ts'

/**
 * - `no-require`: `Require: siprec` is missing (BroadWorks, Webex Calling).
 * - `no-feature-tag`: the Contact has no `+sip.src`, but `;src` (AudioCodes, BroadWorks), or the tag as a parameter of
 *   the URI (Avaya, Metaswitch), or nothing (jambonz).
 * - `offerless`: no description; we offer, though that is the client's part (§6.1.1).
 * - `plain-call`: nothing says that it is a recording session: every call of this peer is one (Cisco network recording
 *   and Built-in Bridge).
 */
export const deviations = ['no-require', 'no-feature-tag', 'offerless', 'plain-call'] as const
export type Deviation = (typeof deviations)[number]

/** What each dialect lets pass. */
export const dialects = {
  rfc: [],
  lenient: ['no-require', 'no-feature-tag', 'offerless'],
  network: ['no-require', 'no-feature-tag', 'offerless', 'plain-call'],
} as const satisfies Record<string, readonly Deviation[]>

export type Dialect = keyof typeof dialects
export const dialectNames = Object.keys(dialects) as [Dialect, ...Dialect[]]

/** For people: what the request lacks. */
export const deviationTexts: Readonly<Record<Deviation, string>> = {
  'no-require': 'it has no "Require: siprec"',
  'no-feature-tag': 'its Contact has no "+sip.src"',
  offerless: 'it offers no media',
  'plain-call': 'nothing says that it is a recording session',
}

/** How the INVITE that begins a session departs from RFC 7866; empty when it conforms. */
export function deviationsOf(invite: SipRequest): readonly Deviation[] {
  const found: Deviation[] = []
  if (!requiresSiprec(invite)) found.push('no-require')
  if (!hasFeatureTag(invite)) found.push('no-feature-tag')
  if (!mayOffer(invite)) found.push('offerless')
  if (!isSiprec(invite)) found.push('plain-call')
  return found
}

/** Those that the dialect does not let pass. */
export const refusedIn = (dialect: Dialect, invite: SipRequest): readonly Deviation[] => {
  const passed: readonly Deviation[] = dialects[dialect]
  return deviationsOf(invite).filter((deviation) => !passed.includes(deviation))
}

const requiresSiprec = (request: SipRequest): boolean =>
  optionTags(request, 'Require').some((tag) => tag.toLowerCase() === 'siprec')

/** A parameter of the Contact itself, behind the URI and its angle brackets (RFC 3840 §9). */
const hasFeatureTag = (request: SipRequest): boolean =>
  request.headers
    .all('Contact')
    .some((contact) => /;\s*\+sip\.src\s*(?=[;,=]|$)/i.test(contact.replace(/<[^>]*>?/, '')))

/** A description, alone or among the parts: what is broken is refused when it is read. */
function mayOffer(request: SipRequest): boolean {
  if (request.body.length === 0) return false
  const type = contentTypeOf(request)?.type
  if (type === undefined || type === 'application/sdp') return true
  return type.startsWith('multipart/') ? Buffer.from(request.body).includes('v=0') : false
}
