/** The session description that a message carries, alone or in a multipart body. */
import { sessionDescriptionOf } from '../sip/message/multipart.ts'
import type { SipMessage } from '../sip/message/types.ts'

/** Empty when there is none: as an answer it cannot be read. */
export function sdpOf(message: SipMessage): string {
  const described = sessionDescriptionOf(message)
  return typeof described === 'object' ? described.sdp : ''
}
