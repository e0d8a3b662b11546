/**
 * What stands between a device and us: proxies that want to be passed again on the way back (Path, RFC 3327), and
 * whether the device's flow can be kept (outbound, RFC 5626).
 */
import { optionTags, vias } from '../sip/message/fields.ts'
import { parseNameAddr } from '../sip/message/name-addr.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Answer, Flow } from '../sip/stack.types.ts'

export interface FirstHop {
  /** Values of Route for requests to the device. */
  readonly path: readonly string[]
  /** Headers for the 200. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
}

export interface Refusal {
  readonly status: number
  readonly answer: Answer
}

/** Bounds what one REGISTER may leave behind. */
const maxPath = 8
const maxPathLength = 500

/** RFC 5626 §4.4.1, §4.4.2: the seconds of silence that connections and NATs bear. */
const flowTimers = { datagrams: 25, connections: 120 }

/**
 * A Path is taken also for devices that do not know of it, and not answered 420 (RFC 3327 §5.3 leaves it to policy):
 * requests to the device go where its REGISTER came from in any case, so a Path leads them to nobody else (§6.1).
 */
export function readFirstHop(request: SipRequest, flow: Flow): FirstHop | Refusal {
  const supported = optionTags(request, 'Supported')
  const path = request.headers.all('Path').filter((value) => value !== '')
  const uris = path.map((value) => parseNameAddr(value)?.uri)
  if (path.length > maxPath || path.some(({ length }) => length > maxPathLength) || uris.includes(undefined))
    return { status: 400, answer: { reason: 'Bad Path' } }
  const headers = { ...(path.length > 0 && supported.includes('path') && { Path: path }) }
  if (!wantsOutbound(request, supported)) return { path, headers }
  // §6: the proxy next to the device must have said that it keeps the flow; the one below all others.
  const isDirect = (vias(request)?.length ?? 1) === 1
  if (!isDirect && !uris.at(-1)?.params.has('ob'))
    return { status: 439, answer: { reason: 'First Hop Lacks Outbound Support' } }
  const seconds = flow.reliable ? flowTimers.connections : flowTimers.datagrams
  return { path, headers: { ...headers, Require: 'outbound', ...(isDirect && { 'Flow-Timer': String(seconds) }) } }
}

const wantsOutbound = (request: SipRequest, supported: readonly string[]): boolean =>
  supported.includes('outbound') &&
  request.headers.all('Contact').some((contact) => {
    const params = parseNameAddr(contact)?.params
    return params?.has('+sip.instance') === true && params.has('reg-id')
  })
