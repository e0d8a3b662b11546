/** Peers that carry calls to and from the world. A number goes out only by a rule that names its prefix. */
import { type Networks, parseNetworks } from '../core/networks.ts'
import { resolveSecret } from '../core/settings/load.ts'
import type { TrunkSetting } from '../core/settings/schema.ts'
import { toOf } from '../sip/message/fields.ts'
import { parseNameAddr } from '../sip/message/name-addr.ts'
import { sipToTel, withoutSeparators } from '../sip/message/tel.ts'
import type { SipRequest } from '../sip/message/types.ts'
import { parseUri, printUri } from '../sip/message/uri.ts'
import type { Credentials } from '../sip/stack.types.ts'

export interface Trunk extends Omit<TrunkSetting, 'sources' | 'password' | 'username'> {
  readonly sources: Networks
  /** User part of the address that we register there. */
  readonly account: string
  readonly credentials?: Credentials
}

export function readTrunk({ sources, password, username, ...rest }: TrunkSetting): Trunk {
  const credentials = username && password ? { username, password: resolveSecret(password) } : undefined
  return {
    ...rest,
    sources: parseNetworks(sources),
    account: username ?? 'patchbay',
    ...(credentials && { credentials }),
  }
}

/**
 * What a Request-URI asks for: its user part, or the number of a tel URI. Of a telephone number (RFC 3966 §3: tel, or
 * `user=phone`) the parameters and visual separators go: `tel:+49-30-555;ext=1` is `+4930555`.
 */
export function dialledNumber(requestUri: string): string | undefined {
  const uri = parseUri(requestUri)
  const number = uri && sipToTel(uri)?.user
  return number === undefined ? uri?.user : withoutSeparators(number)
}

/**
 * Where a number is reached by this trunk. What the settings leave out is left out here: DNS decides it then (RFC 3263),
 * which a port would forbid.
 */
export function trunkUri(
  { host, port, transport }: Pick<Trunk, 'host' | 'port' | 'transport'>,
  user: string | undefined,
): string {
  const implied = transport === undefined || (transport === 'udp' && port !== undefined)
  const params = new Map(implied ? [] : [['transport', transport]])
  return printUri({
    scheme: 'sip',
    ...(user !== undefined && { user }),
    host,
    ...(port !== undefined && { port }),
    params,
    headers: new Map(),
  })
}

export interface OutboundRoute {
  readonly trunk: Trunk
  /** The number as the trunk wants it. */
  readonly number: string
  /** The rule allows dear numbers. */
  readonly highRisk: boolean
}

/** What a trunk is asked for: digits and the letters of a keypad. An `@` or `;` would aim the call elsewhere. */
const isNumber = (dialled: string): boolean => /^\+?[0-9A-D*#]{1,64}$/i.test(dialled)

/**
 * The trunks and numbers for what `extension` dialled, by the longest prefix that allows it, in the order of the
 * settings. Several when several trunks have a rule for that same prefix: a shorter one would make another number of it.
 * None for what is no number: `00@evil.example;x` must not become a host.
 */
export function outboundRoutes(trunks: readonly Trunk[], dialled: string, extension: string): OutboundRoute[] {
  if (!isNumber(dialled)) return []
  const rules = trunks
    .flatMap((trunk) => trunk.outbound.map((rule) => ({ trunk, rule })))
    .filter(({ rule }) => dialled.startsWith(rule.prefix) && (rule.from.length === 0 || rule.from.includes(extension)))
  const longest = Math.max(...rules.map(({ rule }) => rule.prefix.length))
  const best = rules.filter(({ rule }) => rule.prefix.length === longest)
  return best
    .filter(({ trunk }, index) => best.findIndex((other) => other.trunk === trunk) === index)
    .map(({ trunk, rule }) => ({
      trunk,
      number: rule.add + dialled.slice(rule.strip),
      highRisk: rule.highRisk ?? false,
    }))
}

/**
 * The number that a call on this trunk is for: what the Request-URI asks for. Carriers that call the Contact we
 * registered, which names our account, have it in P-Called-Party-ID (RFC 7315) or in To.
 */
export function numberCalled(trunk: Trunk, request: SipRequest): string | undefined {
  const dialled = dialledNumber(request.uri)
  const isAccount = dialled === undefined || dialled === trunk.account
  if (!trunk.register || !isAccount || Object.hasOwn(trunk.inbound, dialled ?? '')) return dialled
  const called = request.headers.get('P-Called-Party-ID')
  const uri = (called === undefined ? undefined : parseNameAddr(called)?.uri) ?? toOf(request)?.uri
  return (uri && dialledNumber(printUri({ ...uri, headers: new Map() }))) ?? dialled
}

/** The extension that a number dialled on this trunk stands for. */
export const inboundExtension = (trunk: Trunk, dialled: string): string | undefined =>
  Object.hasOwn(trunk.inbound, dialled) ? trunk.inbound[dialled] : undefined
