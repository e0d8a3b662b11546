/**
 * Where a device is that a proxy we trust speaks for: the proxy noted it in the Via that the device wrote (RFC 3261
 * §18.2.1, RFC 3581 §4). Of several proxies in a row the one outside says it.
 */
import { isIP } from '../core/ip.ts'
import type { Networks } from '../core/networks.ts'
import { vias } from '../sip/message/fields.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Address } from '../sip/stack.types.ts'

const defaultPort = 5060

/**
 * @param request Came from a trusted address: what stands below its topmost Via is as true as that.
 * @returns undefined when the proxy hides it, or there is none.
 */
export function deviceBehind(request: SipRequest, trusted: Networks): Address | undefined {
  for (const { host, port, params } of vias(request)?.slice(1) ?? []) {
    const ip = (params.get('received') ?? host).replace(/^\[(.*)\]$/, '$1')
    if (isIP(ip) === 0) return undefined
    if (!trusted.has(ip)) return { ip, port: Number(params.get('rport') ?? port ?? defaultPort) }
  }
  return undefined
}
