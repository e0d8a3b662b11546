/** Peers that carry calls to and from the world. A number goes out only by a rule that names its prefix. */
import { type Networks, parseNetworks } from '../core/networks.ts'
import { resolveSecret } from '../core/settings/load.ts'
import type { TrunkSetting } from '../core/settings/schema.ts'
import { sipToTel, withoutSeparators } from '../sip/message/tel.ts'
import { parseUri, printUri } from '../sip/message/uri.ts'
import type { Credentials } from '../sip/stack.types.ts'

export interface Trunk extends Omit<TrunkSetting, 'sources' | 'password' | 'username'> {
  readonly sources: Networks
  readonly credentials?: Credentials
}

export function readTrunk({ sources, password, username, ...rest }: TrunkSetting): Trunk {
  const credentials = username && password ? { username, password: resolveSecret(password) } : undefined
  return { ...rest, sources: parseNetworks(sources), ...(credentials && { credentials }) }
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
export function trunkUri({ host, port, transport }: Pick<Trunk, 'host' | 'port' | 'transport'>, user: string): string {
  const implied = transport === undefined || (transport === 'udp' && port !== undefined)
  const params = new Map(implied ? [] : [['transport', transport]])
  return printUri({ scheme: 'sip', user, host, ...(port !== undefined && { port }), params, headers: new Map() })
}

export interface OutboundRoute {
  readonly trunk: Trunk
  /** The number as the trunk wants it. */
  readonly number: string
}

/** What a trunk is asked for: digits and the letters of a keypad. An `@` or `;` would aim the call elsewhere. */
const isNumber = (dialled: string): boolean => /^\+?[0-9A-D*#]{1,64}$/i.test(dialled)

/**
 * The trunk and number for what `extension` dialled, by the longest prefix that allows it. None for what is no number:
 * `00@evil.example;x` must not become a host.
 */
export function outboundRoute(trunks: readonly Trunk[], dialled: string, extension: string): OutboundRoute | undefined {
  if (!isNumber(dialled)) return undefined
  const rules = trunks.flatMap((trunk) => trunk.outbound.map((rule) => ({ trunk, rule })))
  const [best] = rules
    .filter(({ rule }) => dialled.startsWith(rule.prefix) && (rule.from.length === 0 || rule.from.includes(extension)))
    .sort((a, b) => b.rule.prefix.length - a.rule.prefix.length)
  return best && { trunk: best.trunk, number: best.rule.add + dialled.slice(best.rule.strip) }
}

/** The extension that a number dialled on this trunk stands for. */
export const inboundExtension = (trunk: Trunk, dialled: string): string | undefined =>
  Object.hasOwn(trunk.inbound, dialled) ? trunk.inbound[dialled] : undefined
