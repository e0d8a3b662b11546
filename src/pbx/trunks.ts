/** Peers that carry calls to and from the world. A number goes out only by a rule that names its prefix. */
import { type Networks, parseNetworks } from '../core/networks.ts'
import { resolveSecret } from '../core/settings/load.ts'
import type { TrunkSetting } from '../core/settings/schema.ts'
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
 * Where a number is reached by this trunk. What the settings leave out is left out here: DNS decides it then (RFC 3263),
 * which a port would forbid.
 */
export function trunkUri(
  { host, port, transport }: Pick<Trunk, 'host' | 'port' | 'transport'>,
  number: string,
): string {
  const plain = transport === undefined || (transport === 'udp' && port !== undefined)
  return `sip:${number}@${host}${port === undefined ? '' : `:${port}`}${plain ? '' : `;transport=${transport}`}`
}

export interface OutboundRoute {
  readonly trunk: Trunk
  /** The number as the trunk wants it. */
  readonly number: string
}

/** The trunk and number for what `extension` dialled, by the longest prefix that allows it. */
export function outboundRoute(trunks: readonly Trunk[], dialled: string, extension: string): OutboundRoute | undefined {
  const rules = trunks.flatMap((trunk) => trunk.outbound.map((rule) => ({ trunk, rule })))
  const [best] = rules
    .filter(({ rule }) => dialled.startsWith(rule.prefix) && (rule.from.length === 0 || rule.from.includes(extension)))
    .sort((a, b) => b.rule.prefix.length - a.rule.prefix.length)
  return best && { trunk: best.trunk, number: best.rule.add + dialled.slice(best.rule.strip) }
}

/** The extension that a number dialled on this trunk stands for. */
export const inboundExtension = (trunk: Trunk, dialled: string): string | undefined =>
  Object.hasOwn(trunk.inbound, dialled) ? trunk.inbound[dialled] : undefined
