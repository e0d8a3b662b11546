/**
 * New messages: a request from its parts, and the response to a request with what RFC 3261 §8.2.6 has it copy.
 */
import { toTag as tagOfTo } from './fields.ts'
import { Headers } from './headers.ts'
import type { SipHeaders, SipRequest, SipResponse } from './types.ts'

const nothing = new Uint8Array(0)

/** @param headers Taken over as they are when they are SipHeaders. Content-Length is written when printed. */
export function createRequest(
  method: string,
  uri: string,
  headers: SipHeaders | Iterable<readonly [name: string, value: string]>,
  body: string | Uint8Array = nothing,
): SipRequest {
  return {
    kind: 'request',
    method,
    uri,
    headers: 'get' in headers ? headers : new Headers(headers),
    body: bytesOf(body),
  }
}

export interface ResponseParts {
  readonly reason?: string
  /** Added to To unless the request's To has a tag already. */
  readonly toTag?: string
  /** Added after the copied ones; a copied one of the same name is replaced. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
  readonly contentType?: string
}

const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'] as const

/** Requests whose 1xx (above 100) and 2xx answers make a dialog: RFC 3261 §12.1.1, RFC 6665 §4.2.1.1. */
const makesDialog = new Set(['INVITE', 'SUBSCRIBE', 'NOTIFY', 'REFER'])

export function createResponse(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
  const headers = new Headers()
  const names = [...copied, ...(status === 100 ? ['Timestamp'] : [])]
  if (makesDialog.has(request.method) && status > 100 && status < 300) names.push('Record-Route')
  for (const name of names) for (const value of request.headers.all(name)) headers.append(name, value)
  const to = headers.get('To')
  if (parts.toTag !== undefined && to !== undefined && tagOfTo(request) === undefined) {
    headers.set('To', `${to};tag=${parts.toTag}`)
  }
  for (const [name, value] of Object.entries(parts.headers ?? {})) {
    headers.set(name, ...(typeof value === 'string' ? [value] : value))
  }
  if (parts.contentType !== undefined) headers.set('Content-Type', parts.contentType)
  const reason = parts.reason ?? reasonPhrase(status)
  return { kind: 'response', status, reason, headers, body: bytesOf(parts.body ?? nothing) }
}

const bytesOf = (body: string | Uint8Array): Uint8Array => (typeof body === 'string' ? Buffer.from(body) : body)

/** RFC 3261 §21 and the registry of later RFCs. */
const reasons: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  181: 'Call Is Being Forwarded',
  182: 'Queued',
  183: 'Session Progress',
  199: 'Early Dialog Terminated',
  200: 'OK',
  202: 'Accepted',
  204: 'No Notification',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  305: 'Use Proxy',
  380: 'Alternative Service',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  412: 'Conditional Request Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  421: 'Extension Required',
  422: 'Session Interval Too Small',
  423: 'Interval Too Brief',
  428: 'Use Identity Header',
  429: 'Provide Referrer Identity',
  430: 'Flow Failed',
  433: 'Anonymity Disallowed',
  436: 'Bad Identity Info',
  437: 'Unsupported Credential',
  438: 'Invalid Identity Header',
  439: 'First Hop Lacks Outbound Support',
  440: 'Max-Breadth Exceeded',
  469: 'Bad Info Package',
  470: 'Consent Needed',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  484: 'Address Incomplete',
  485: 'Ambiguous',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  493: 'Undecipherable',
  494: 'Security Agreement Required',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
  513: 'Message Too Large',
  580: 'Precondition Failure',
  600: 'Busy Everywhere',
  603: 'Decline',
  604: 'Does Not Exist Anywhere',
  606: 'Not Acceptable',
  607: 'Unwanted',
  608: 'Rejected',
}

export const reasonPhrase = (status: number): string => reasons[status] ?? 'Unknown'
