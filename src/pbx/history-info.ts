/**
 * Where a call has been, told as History-Info (RFC 7044): what came with it, the extensions of ours that sent it on, and
 * where it goes now.
 */
import type { NameAddr, SipUri } from '../sip/message/types.ts'
import { sipUri } from '../sip/message/uri.ts'

/** A place of ours that sent the call on. */
export interface Stop {
  readonly user: string
  readonly private: boolean
  /** By a redirection (302), which has its reason told. */
  readonly redirected: boolean
}

/**
 * @param before What came with the call.
 * @param stops The first one first. None: nobody of ours sent it on, and nothing is added.
 * @param host Our name towards who is told.
 */
export function historyOf(
  before: readonly NameAddr[],
  stops: readonly Stop[],
  host: string,
  to: SipUri,
): readonly NameAddr[] {
  if (stops.length === 0) return before
  const uris = [...stops.map((stop) => uriOf(stop, host)), to]
  let index = before.at(-1)?.params.get('index') ?? undefined
  const ours = uris.map((uri, position): NameAddr => {
    const from = index
    // §10.3: one level deeper each time it is sent on.
    index = from === undefined ? '1' : `${from}.1`
    // §10.4: the entry whose user was exchanged for this one.
    const mapped: [string, string][] = position > 0 && from !== undefined ? [['mp', from]] : []
    return { uri, params: new Map([['index', index], ...mapped]) }
  })
  return [...before, ...ours]
}

/** §10.1.2, §10.2: Privacy and Reason stand as headers inside the URI. */
function uriOf({ user, private: hidden, redirected }: Stop, host: string): SipUri {
  const headers = new Map<string, string>()
  if (redirected) headers.set('Reason', 'SIP;cause=302')
  if (hidden) headers.set('Privacy', 'history')
  return { ...sipUri(user, host), headers }
}
