/**
 * Session timers as far as we take part: the peer may refresh, and we agree to that. RFC 4028 §9.
 *
 * Missing: refreshing ourselves, and ending a call whose peer stopped refreshing.
 */

import { optionTags } from '../message/fields.ts'
import type { SipRequest } from '../message/types.ts'
import type { ExtraHeaders } from '../stack.types.ts'

const sessionExpires = /^(\d{1,9})\s*(?:;.*?\brefresher\s*=\s*(uac|uas))?/i

/** Headers for the 2xx: the offered interval with the peer as refresher. Nothing when it wants us to refresh. */
export function sessionExpiresFor(request: SipRequest): ExtraHeaders {
  const offered = sessionExpires.exec(request.headers.get('Session-Expires') ?? '')
  const [, seconds, refresher] = offered ?? []
  if (seconds === undefined || refresher?.toLowerCase() === 'uas') return {}
  if (!optionTags(request, 'Supported').includes('timer') && !optionTags(request, 'Require').includes('timer'))
    return {}
  return { 'Session-Expires': `${seconds};refresher=uac`, Require: 'timer' }
}
