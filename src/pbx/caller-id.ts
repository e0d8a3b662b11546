/**
 * Who is calling: what the INVITE of a trunk or an extension says, and how much of it is believed.
 *
 *   dialplan  ── INVITE, trunk ─▶  here  ──▶  Party, private or not
 *
 * P-Asserted-Identity and Remote-Party-ID count from trunks with `trustIdentity` alone; phones could write anything.
 * RFC 3325, RFC 3323.
 */
import { partyAt } from '../call/party.ts'
import type { Party } from '../events/catalogue.ts'
import { fromOf } from '../sip/message/fields.ts'
import { readHeader } from '../sip/message/header-values.ts'
import type { NameAddr, SipHeaders, SipRequest } from '../sip/message/types.ts'
import type { Trunk } from './trunks.ts'

/** The caller on a trunk: whom it asserts when it is trusted, else whom its From names. */
export function callerOnTrunk(request: SipRequest, { trustIdentity }: Pick<Trunk, 'trustIdentity'>): Party {
  const asserted = trustIdentity ? assertedIn(request.headers, 'calling') : undefined
  const party = partyAt(asserted ?? fromOf(request))
  return wantsPrivacy(request) ? { ...party, private: true } : party
}

/** A telephone number is what people know; an address beside it is not (RFC 3325 §9.1 allows one of each). */
export function assertedIn(headers: SipHeaders, side: 'calling' | 'called'): NameAddr | undefined {
  const asserted = readHeader(headers, 'P-Asserted-Identity') ?? []
  const number = asserted.find(({ uri }) => uri.scheme === 'tel') ?? asserted[0]
  if (number) return { displayName: asserted.find(({ displayName }) => displayName)?.displayName ?? '', ...number }
  return readHeader(headers, 'Remote-Party-ID')?.find(({ params }) => (params.get('party') ?? side) === side)
}

/** Levels that hide the caller; `session`, `history` and `critical` alone do not (RFC 3323 §4.2, RFC 3325 §9.3). */
const hiding: ReadonlySet<string> = new Set(['id', 'user', 'header'])

/** Whether the caller asks not to be named to who is called, by Privacy, by an anonymous From, or in the old style. */
export function wantsPrivacy(request: SipRequest): boolean {
  const uri = fromOf(request)?.uri
  if (uri?.host === 'anonymous.invalid' || uri?.user?.toLowerCase() === 'anonymous') return true
  return hidesIdentity(request.headers)
}

/** Whether who wrote this asks not to be named, by Privacy or in the old style. */
export function hidesIdentity(headers: SipHeaders): boolean {
  const levels = readHeader(headers, 'Privacy') ?? []
  if (levels.some((level) => hiding.has(level))) return true
  const said = readHeader(headers, 'Remote-Party-ID')?.[0]?.params.get('privacy')
  return said !== undefined && said !== null && said !== 'off'
}

/** A party as those may know it who only watch: somebody private is somebody anonymous (RFC 3323 §4.1.1.3). */
export const openly = ({ uri, name, private: hidden }: Party): Pick<Party, 'uri' | 'name'> =>
  hidden ? { uri: 'sip:anonymous@anonymous.invalid' } : { uri, ...(name !== undefined && { name }) }
