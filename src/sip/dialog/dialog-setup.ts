/** What a dialog starts from, read from the INVITE and its answer. RFC 3261 §12.1. */
import { cseqOf, fromTag, toTag } from '../message/fields.ts'
import { parseNameAddr } from '../message/name-addr.ts'
import { detached } from '../message/scan.ts'
import type { SipMessage, SipRequest, SipResponse, SipUri } from '../message/types.ts'
import { parseUri } from '../message/uri.ts'
import type { Credentials, DialogId, Flow } from '../stack.types.ts'
import type { WireFlow } from '../transport/flow.ts'
import { behindNat } from '../transport/response-path.ts'
import type { Context } from './context.ts'
import type { FirstOffer } from './invite-turn.ts'
import { routeSetOf } from './route.ts'

export interface DialogSetup {
  readonly context: Context
  readonly side: 'caller' | 'called'
  readonly id: DialogId
  readonly flow: Flow
  /** From and To of our requests, tags included. */
  readonly local: string
  readonly remote: string
  readonly remoteTarget: SipUri
  readonly routeSet: readonly string[]
  /** CSeq of the last request sent, 0 for none. */
  readonly localSeq: number
  /** CSeq of the last request received. */
  readonly remoteSeq?: number
  readonly stay: boolean
  readonly firstOffer: FirstOffer
  readonly contactUser?: string
  readonly contactParams?: string
  readonly credentials?: Credentials
}

/** The dialog of someone who was called: from the INVITE and our tag (§12.1.1). */
export function calledSetup(context: Context, invite: SipRequest, flow: WireFlow, localTag: string): DialogSetup {
  const text = textOf(invite)
  const contact = parseNameAddr(text('Contact'))
  const uri = parseUri(invite.uri)
  return {
    context,
    side: 'called',
    id: { callId: text('Call-ID'), localTag, remoteTag: detached(fromTag(invite) ?? '') },
    flow,
    local: detached(`${text('To')};tag=${localTag}`),
    remote: text('From'),
    remoteTarget: contact?.uri ?? uriOf(flow),
    routeSet: routeSetOf(invite, 'called'),
    localSeq: 0,
    remoteSeq: cseqOf(invite)?.seq ?? 0,
    stay: behindNat(invite, flow),
    firstOffer: invite.body.length > 0 ? 'theirs' : 'none',
    ...(uri?.user !== undefined && { contactUser: detached(uri.user) }),
  }
}

export interface CallerExtras {
  readonly stay: boolean
  readonly contactUser?: string
  readonly contactParams?: string
  readonly credentials?: Credentials
}

/** The dialog of who called: from the INVITE as sent and its answer, a 2xx or a provisional one with a tag (§12.1.2). */
export function callerSetup(
  context: Context,
  invite: SipRequest,
  response: SipResponse,
  flow: WireFlow,
  extras: CallerExtras,
): DialogSetup {
  const contact = parseNameAddr(textOf(response)('Contact'))
  const requestUri = parseUri(invite.uri)
  return {
    context,
    side: 'caller',
    id: {
      callId: invite.headers.get('Call-ID') ?? '',
      localTag: fromTag(invite) ?? '',
      remoteTag: detached(toTag(response) ?? ''),
    },
    flow,
    local: invite.headers.get('From') ?? '',
    remote: textOf(response)('To'),
    remoteTarget: contact?.uri ?? requestUri ?? uriOf(flow),
    routeSet: routeSetOf(response, 'caller'),
    localSeq: cseqOf(invite)?.seq ?? 0,
    firstOffer: invite.body.length > 0 ? 'ours' : 'none',
    ...extras,
  }
}

/** What a dialog keeps of a message must not keep the whole message. */
const textOf =
  ({ headers }: SipMessage) =>
  (name: string): string =>
    detached(headers.get(name) ?? '')

/** For peers that gave no Contact. */
const uriOf = ({ remote }: Flow): SipUri => ({
  scheme: 'sip',
  host: remote.ip,
  port: remote.port,
  params: new Map(),
  headers: new Map(),
})
