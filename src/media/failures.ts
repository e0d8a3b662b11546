/** What can go wrong with media, and whose fault it is. */
import type { FailureTable } from '../core/failures.ts'

export const mediaFailures = {
  'media.no-port': { fault: 'us', sip: 503, http: 503, text: 'No RTP port is free' },
  'media.closed': { fault: 'us', sip: 500, text: 'The media of this call is closed already' },
  'media.worker-lost': { fault: 'us', sip: 500, http: 500, text: 'The media worker of this call died' },
  'media.other-session': { fault: 'us', sip: 500, text: 'The ports to bridge belong to different calls' },
  'media.no-digits': { fault: 'peer', sip: 480, text: 'The peer takes neither digits nor sound that could carry them' },
  'media.already-recording': { fault: 'us', sip: 500, text: 'The port is being recorded already' },
  'media.sound-missing': { fault: 'caller', http: 404, text: 'There is no such sound, or it may not be read' },
  'media.sound-broken': { fault: 'caller', http: 415, text: 'The sound is damaged, or of a kind that is not played' },
  'media.too-many-sounds': { fault: 'us', sip: 500, text: 'Too many sounds are played to this party at once' },
} as const satisfies FailureTable

export type MediaFailure = keyof typeof mediaFailures

export class MediaError extends Error {
  override readonly name = 'MediaError'
  readonly code: MediaFailure
  constructor(code: MediaFailure, options?: ErrorOptions) {
    super(mediaFailures[code].text, options)
    this.code = code
  }
}
