/**
 * The way back: what we note in a request's topmost Via, and where its responses go.
 *
 * RFC 3261 §18.2.1 and §18.2.2, RFC 3581 §4. Departs from RFC 3261 §18.2.2: `maddr` is not followed, and no new
 * connection is opened when the request's own is gone. Answers go to the address the request came from and nowhere
 * else, so that nobody can aim them at a third party.
 */
import { sameIp } from '../../core/ip.ts'
import { topVia } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import { printVia } from '../message/via.ts'
import type { Address, Flow } from '../stack.types.ts'
import type { WireFlow } from './flow.ts'

const defaultPort = 5060

/** Write `received` and `rport` into the topmost Via; values that the sender put there are not believed. */
export function noteSource(request: SipRequest, source: Address): void {
  const via = topVia(request)
  if (!via) return
  const wantsPort = via.params.has('rport')
  const otherHost = !sameIp(via.host, source.ip)
  if (!wantsPort && !otherHost && !via.params.has('received')) return
  const params = new Map(via.params)
  params.delete('received')
  if (wantsPort) params.set('rport', String(source.port))
  if (wantsPort || otherHost) params.set('received', source.ip)
  request.headers.removeFirst('Via')
  request.headers.prepend('Via', printVia({ ...via, params }))
}

/** @param towards Makes the flow from the same socket to another port of the same peer. */
export function responseFlow(request: SipRequest, flow: WireFlow, towards: (to: Address) => WireFlow): WireFlow {
  if (flow.reliable) return flow
  const via = topVia(request)
  if (!via || via.params.has('rport')) return flow
  const port = via.port ?? defaultPort
  return port === flow.remote.port ? flow : towards({ ip: flow.remote.ip, port })
}

/** True when the sender sits behind NAT: its Via names another address than the one its request came from. */
export function behindNat(request: SipRequest, flow: Flow): boolean {
  const via = topVia(request)
  return via !== undefined && !sameIp(via.host, flow.remote.ip)
}
