/**
 * Messages as this stack writes them: who we are, where we are reached, what the caller added.
 *
 * Headers given by the caller replace ours of the same name.
 */
import { createRequest, createResponse } from '../message/build.ts'
import { requestUriOf } from '../message/fields.ts'
import { Headers } from '../message/headers.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'
import { asRequestUri, printUri } from '../message/uri.ts'
import type { Answer, Flow, Payload } from '../stack.types.ts'
import type { Context, Identity } from './context.ts'
import { SipError } from './failures.ts'
import { sessionAnswer } from './session-timer.ts'

/**
 * `<sip:user@ip:port;transport=tcp>`: where the peer of that flow reaches us.
 *
 * @param requestUri Whose scheme the Contact of a dialog follows: sips to sips (RFC 3261 §8.1.1.8, §12.1.1).
 */
export function contactFor(
  context: Pick<Context, 'transport'>,
  flow: Flow,
  user?: string,
  requestUri?: string,
): string {
  const { ip, port } = context.transport.ownAddress(flow)
  const scheme = requestUri?.toLowerCase().startsWith('sips:') ? 'sips' : 'sip'
  const implied = flow.transport === 'udp' || (scheme === 'sips' && flow.transport === 'tls') // RFC 5630 §3.1.4
  const params = new Map(implied ? [] : [['transport', flow.transport === 'wss' ? 'ws' : flow.transport]]) // RFC 7118 §5.3
  return `<${printUri({ scheme, ...(user && { user }), host: ip, port, params, headers: new Map() })}>`
}

export interface RequestParts {
  readonly method: string
  readonly uri: string
  readonly from: string
  readonly to: string
  readonly callId: string
  readonly seq: number
  readonly routes?: readonly string[]
  readonly contact?: string
  readonly payload?: Payload
}

/** A request without Via: the transaction adds it. RFC 3261 §8.1.1. */
export function writeRequest(identity: Identity, parts: RequestParts): SipRequest {
  const { method, payload = {} } = parts
  const headers = new Headers()
  for (const route of parts.routes ?? []) headers.append('Route', route)
  headers.append('Max-Forwards', '70')
  headers.append('From', parts.from)
  headers.append('To', parts.to)
  headers.append('Call-ID', parts.callId)
  headers.append('CSeq', `${parts.seq} ${method}`)
  if (parts.contact !== undefined) headers.append('Contact', parts.contact)
  if (method === 'INVITE' || method === 'UPDATE' || method === 'OPTIONS') describe(headers, identity)
  if (identity.userAgent !== undefined) headers.append('User-Agent', identity.userAgent)
  for (const [name, value] of Object.entries(payload.headers ?? {})) headers.set(name, ...listOf(value))
  if (payload.contentType !== undefined) headers.set('Content-Type', payload.contentType)
  checkType(headers, payload)
  return createRequest(method, asRequestUri(parts.uri), headers, payload.body)
}

/** A response inside a transaction: with our name, and with Contact, Allow and Supported where they belong. */
export function writeResponse(
  context: Context,
  request: SipRequest,
  flow: Flow,
  status: number,
  answer: Answer = {},
  toTag?: string,
): SipResponse {
  const { identity } = context
  const headers: Record<string, string | readonly string[]> = {}
  const success = status >= 200 && status < 300
  const ofDialog = request.method === 'INVITE' || request.method === 'UPDATE'
  if ((ofDialog || request.method === 'REFER') && status > 100 && status < 300)
    headers['Contact'] = contactFor(context, flow, requestUriOf(request)?.user, request.uri)
  if (success && (ofDialog || request.method === 'OPTIONS')) {
    headers['Allow'] = identity.allow.join(', ')
    if (identity.supported.length > 0) headers['Supported'] = identity.supported.join(', ')
  }
  if (success && ofDialog) Object.assign(headers, sessionAnswer(identity.session, request))
  if (status === 405 || status === 501) headers['Allow'] = identity.allow.join(', ')
  if (identity.userAgent !== undefined) headers['Server'] = identity.userAgent
  const response = createResponse(request, status, {
    ...(answer.reason !== undefined && { reason: answer.reason }),
    ...(toTag !== undefined && { toTag }),
    headers: { ...headers, ...answer.headers },
    ...(answer.body !== undefined && { body: answer.body }),
    ...(answer.contentType !== undefined && { contentType: answer.contentType }),
  })
  checkType(response.headers, answer)
  return response
}

/** A final response that nobody sent: 408, 481, 487 or 503 for what happened here. */
export const localResponse = (request: SipRequest, status: number, reason?: string): SipResponse =>
  createResponse(request, status, reason === undefined ? {} : { reason })

/** What stands for the answer of a server that gave none; its reason tells it from an answer that came. */
export const unanswered = (request: SipRequest, why: 'timeout' | 'transport'): SipResponse =>
  why === 'timeout' ? localResponse(request, 408, 'No Answer') : localResponse(request, 503, 'Cannot Be Reached')

function describe(headers: Headers, identity: Identity): void {
  headers.append('Allow', identity.allow.join(', '))
  if (identity.supported.length > 0) headers.append('Supported', identity.supported.join(', '))
}

function checkType(headers: { has(name: string): boolean }, payload: Payload): void {
  if (payload.body !== undefined && payload.body.length > 0 && !headers.has('Content-Type')) {
    throw new SipError('sip.body-without-type')
  }
}

const listOf = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value)
