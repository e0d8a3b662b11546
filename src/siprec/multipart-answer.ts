/**
 * An answer in two parts, session description and recording metadata, as loreste/siprec gave it by default before 1.3 and
 * gives it with MULTIPART_RESPONSE=true. RFC 7866 has metadata go from the client to the server alone, so that the
 * second part says nothing; some clients cannot read such an answer.
 */
import type { Payload } from '../sip/stack.types.ts'

const boundary = 'patchbay-recording-answer'

export function multipartAnswer(sdp: string): Payload {
  const parts = [
    ['Content-Type: application/sdp', 'Content-Disposition: session;handling=required', '', sdp],
    [
      'Content-Type: application/rs-metadata+xml',
      'Content-Disposition: recording-session',
      '',
      '<?xml version="1.0" encoding="UTF-8"?>\r\n<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode></recording>\r\n',
    ],
  ]
  const body = [...parts.map((lines) => `--${boundary}\r\n${lines.join('\r\n')}`), `--${boundary}--\r\n`].join('')
  return { contentType: `multipart/mixed;boundary=${boundary}`, body }
}
