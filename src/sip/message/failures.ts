import type { FailureTable } from '../../core/failures.ts'

/** What can be wrong with a message from the network. `sip` is the answer when it can be answered at all. */
export const parseFailures = {
  'sip.start-line': { fault: 'peer', sip: 400, text: 'Malformed start line' },
  'sip.version': { fault: 'peer', sip: 505, text: 'Version not supported' },
  'sip.request-uri': { fault: 'peer', sip: 400, text: 'Malformed Request-URI' },
  'sip.header-line': { fault: 'peer', sip: 400, text: 'Malformed header line' },
  'sip.head-unfinished': { fault: 'peer', sip: 400, text: 'No empty line after the headers' },
  'sip.header-missing': { fault: 'peer', sip: 400, text: 'Missing mandatory header' },
  'sip.header-repeated': { fault: 'peer', sip: 400, text: 'Header given more than once' },
  'sip.header-malformed': { fault: 'peer', sip: 400, text: 'Malformed mandatory header' },
  'sip.cseq-method': { fault: 'peer', sip: 400, text: 'CSeq names another method' },
  'sip.content-length': { fault: 'peer', sip: 400, text: 'Malformed Content-Length' },
  'sip.body-short': { fault: 'peer', sip: 400, text: 'Body shorter than Content-Length' },
  'sip.too-large': { fault: 'peer', sip: 513, text: 'Message too large' },
  'sip.too-many-headers': { fault: 'peer', sip: 400, text: 'Too many headers' },
  'sip.line-too-long': { fault: 'peer', sip: 400, text: 'Header line too long' },
} as const satisfies FailureTable

export type ParseCode = keyof typeof parseFailures
