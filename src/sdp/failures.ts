import type { FailureTable } from '../core/failures.ts'

/** What can be wrong with a session description from the network. */
export const sdpFailures = {
  'sdp.too-large': { fault: 'peer', sip: 400, text: 'Session description has too many lines' },
  'sdp.line': { fault: 'peer', sip: 400, text: 'Session description has a line that is not <letter>=<value>' },
  'sdp.version': { fault: 'peer', sip: 400, text: 'Session description does not start with v=0' },
  'sdp.origin': { fault: 'peer', sip: 400, text: 'Session description has no readable o= line' },
  'sdp.connection': { fault: 'peer', sip: 400, text: 'Session description has an unreadable c= line' },
  'sdp.media': { fault: 'peer', sip: 400, text: 'Session description has an unreadable m= line' },
} as const satisfies FailureTable

export type SdpCode = keyof typeof sdpFailures
