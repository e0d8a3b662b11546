/**
 * How a caller is introduced to whom it calls: From, and the headers that say more.
 *
 *   dialplan  ── caller, where the call goes ─▶  here  ── From, headers ─▶  INVITE (call/fork.ts)
 *
 * A private caller is named to nobody but trunks with `trustIdentity` (RFC 3325 §7). Diversion and History-Info that a
 * trusted trunk told go on to phones and trusted trunks, to phones less what is private in them; an extension that sends
 * a call on adds to both, privately where it is private. RFC 3323, 3325, 5806, 7044.
 */
import type { Introduction } from '../call/fork.types.ts'
import { addressAt } from '../call/party.ts'
import type { Party } from '../events/catalogue.ts'
import { readHeader } from '../sip/message/header-values.ts'
import { printNameAddr } from '../sip/message/name-addr.ts'
import { sipToTel, withoutSeparators } from '../sip/message/tel.ts'
import type { NameAddr, SipHeaders } from '../sip/message/types.ts'
import { parseUri, sipUri } from '../sip/message/uri.ts'
import type { ExtraHeaders } from '../sip/stack.types.ts'
import { historyOf, type Stop } from './history-info.ts'
import type { Trunk } from './trunks.ts'

/** RFC 3323 §4.1.1.3. */
export const nobody = '"Anonymous" <sip:anonymous@anonymous.invalid>'

/** An extension that sent a call on. */
export interface Sender {
  readonly extension: string
  /** It had asked for privacy: only trusted trunks hear of it. */
  readonly private: boolean
  /** By a 302 of its phone; by transfer when left out. */
  readonly redirected?: boolean
}

/** What comes with a call and goes on with it, also when it is transferred. */
export interface Luggage {
  readonly diversions: readonly NameAddr[]
  readonly history: readonly NameAddr[]
  /** Extensions that sent it on, by transfer or redirection, the last one first. */
  readonly sentOn: readonly Sender[]
  /** Headers that a setting names (passed-headers.ts). */
  readonly passed: ExtraHeaders
}

/** The same call after this extension sent it on; nothing new when it comes back to the extension itself. */
export const sentOnBy = (luggage: Luggage, sender: Sender, to: string): Luggage =>
  sender.extension === to ? luggage : { ...luggage, sentOn: [sender, ...luggage.sentOn] }

/** What a trusted trunk says of where the call has been. */
export const whereItHasBeen = (headers: SipHeaders): Pick<Luggage, 'diversions' | 'history'> => ({
  diversions: readHeader(headers, 'Diversion') ?? [],
  history: (readHeader(headers, 'Privacy') ?? []).includes('history')
    ? []
    : (readHeader(headers, 'History-Info') ?? []),
})

/** To a phone of ours, at the address it knows us by. @param number It is called by. */
export function introduceToPhone(caller: Party, host: string, luggage: Luggage, number: string): Introduction {
  const { diversions, sentOn, passed } = luggage
  const ours = sentOn.map((sender) => diversion(sender, sender.extension, host))
  const history = historyOf(luggage.history, stops(luggage), host, sipUri(number, host))
  const headers = { ...passed, ...printed([...ours, ...diversions].filter(isOpen), history.filter(isOpen)) }
  if (caller.private) return { from: nobody, headers: { ...headers, Privacy: 'id' } }
  return { from: addressAt(host, caller), headers }
}

/** Not marked private: `privacy=full` of a Diversion, `Privacy=history` inside a History-Info (RFC 7044 §10.1.2). */
function isOpen({ params, uri }: NameAddr): boolean {
  const said = params.get('privacy')
  const inside = [...uri.headers].some(([name, value]) => name.toLowerCase() === 'privacy' && value !== 'none')
  return !inside && (said === undefined || said === null || said === 'off')
}

/** @param numberOf As whom an extension is known there. */
const stops = ({ sentOn }: Luggage, numberOf = (extension: string): string => extension): readonly Stop[] =>
  sentOn
    .map(({ extension, private: hidden, redirected = false }) => ({
      user: numberOf(extension),
      private: hidden,
      redirected,
    }))
    .toReversed()

const printed = (diversions: readonly NameAddr[], history: readonly NameAddr[]): ExtraHeaders => ({
  ...(diversions.length > 0 && { Diversion: diversions.map(printNameAddr) }),
  ...(history.length > 0 && { 'History-Info': history.map(printNameAddr) }),
})

export interface TrunkCall {
  readonly trunk: Trunk
  /** Our address towards the trunk. */
  readonly host: string
  /** Called there. */
  readonly number: string
  /** The extension that calls, or that sent a call of somebody else here. */
  readonly by: string
  readonly luggage: Luggage
}

/**
 * To a trunk, by its settings. It is shown a number of ours: that of the extension, else that of the trunk. A trusted
 * trunk is shown a caller from outside whom an extension sent on, and told by Diversion which extension that was.
 */
export function introduceToTrunk(caller: Party, { trunk, host, number: called, by, luggage }: TrunkCall): Introduction {
  const { callerIdIn = 'from', trustIdentity = false, credentials, register } = trunk
  // A registrar knows its accounts by its own domain.
  const domain = trunk.fromDomain ?? (register ? trunk.host : host)
  const fromOutside = caller.extension === undefined
  const told = !fromOutside || trustIdentity
  const number = (fromOutside && told ? telephoneOf(caller) : undefined) ?? numberOf(trunk, caller.extension ?? by)
  const identity = addressOf(number, domain, told ? caller.name : undefined)
  const ours = luggage.sentOn.map((sender) => diversion(sender, numberOf(trunk, sender.extension), domain))
  const sentBy = stops(luggage, (extension) => numberOf(trunk, extension))
  const history = historyOf(luggage.history, sentBy, domain, sipUri(called, trunk.host))
  const where = trustIdentity ? printed([...ours, ...luggage.diversions], history) : {}
  const headers = { ...luggage.passed, ...where }
  // A trunk that is told nothing of a caller from outside is shown who sent the call there.
  if (caller.private || (!told && luggage.sentOn[0]?.private)) {
    const asserted = trustIdentity
      ? inHeader(callerIdIn === 'from' ? 'p-asserted-identity' : callerIdIn, identity, true)
      : {}
    return { from: nobody, headers: { ...headers, ...asserted, Privacy: 'id' } }
  }
  if (callerIdIn === 'from') return { from: identity, headers }
  const from = credentials ? addressOf(credentials.username, domain) : identity
  return { from, headers: { ...headers, ...inHeader(callerIdIn, identity, false) } }
}

export const addressOf = (user: string, host: string, name?: string): string =>
  addressAt(host, { uri: '', extension: user, ...(name !== undefined && { name }) })

function inHeader(
  where: Exclude<NonNullable<Trunk['callerIdIn']>, 'from'>,
  identity: string,
  hidden: boolean,
): ExtraHeaders {
  if (where === 'p-asserted-identity') return { 'P-Asserted-Identity': identity }
  if (where === 'p-preferred-identity') return { 'P-Preferred-Identity': identity }
  return { 'Remote-Party-ID': `${identity};party=calling;screen=yes;privacy=${hidden ? 'full' : 'off'}` }
}

/** What the world dials to reach this extension by this trunk, else the trunk's own number, else the extension. */
export function numberOf(trunk: Trunk, extension: string): string {
  const dialled = Object.entries(trunk.inbound).find(([, reached]) => reached === extension)?.[0]
  return dialled ?? trunk.callerNumber ?? extension
}

export function telephoneOf({ uri }: Party): string | undefined {
  const parsed = parseUri(uri)
  const number = parsed && (sipToTel(parsed)?.user ?? parsed.user)
  return number !== undefined && /^\+?[0-9\-.()]+$/.test(number) ? withoutSeparators(number) : undefined
}

/** RFC 5806 §4: topmost is the last one. */
const diversion = (sender: Sender, user: string, host: string): NameAddr => ({
  uri: sipUri(user, host),
  params: new Map([
    ['reason', 'unconditional'],
    ['counter', '1'],
    ['privacy', sender.private ? 'full' : 'off'],
    ['screen', 'no'],
  ]),
})
