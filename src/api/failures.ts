import type { FailureTable } from '../core/failures.ts'

export const apiFailures = {
  'api.invalid': { fault: 'caller', http: 400, text: 'The request is not what this route takes' },
  'api.not-found': { fault: 'caller', http: 404, text: 'There is nothing at this address' },
  'api.ban-not-found': { fault: 'caller', http: 404, text: 'This source is not banned' },
  'api.call-not-found': { fault: 'caller', http: 404, text: 'No call has this id' },
  'api.call-not-live': { fault: 'caller', http: 409, text: 'The call has ended already' },
  'api.call-not-recorded': { fault: 'caller', http: 409, text: 'The call is not being recorded' },
  'api.leg-not-recorded': { fault: 'caller', http: 409, text: 'The recording has no such leg now' },
  'api.call-not-sent': { fault: 'caller', http: 409, text: 'The call is sent to no recording server, or cannot be' },
  'api.server-not-found': { fault: 'caller', http: 404, text: 'No recording server has this name' },
  'api.session-not-found': { fault: 'caller', http: 404, text: 'No live recording session has this id' },
  'api.recording-not-found': { fault: 'caller', http: 404, text: 'No recording has this id' },
  'api.file-not-found': { fault: 'caller', http: 404, text: 'The recording has no such file' },
  'api.note-not-found': { fault: 'caller', http: 404, text: 'The call has no such note' },
  'api.too-many-notes': { fault: 'caller', http: 409, text: 'The call has as many notes as it may' },
  'api.no-audio': { fault: 'caller', http: 404, text: 'The recording has no file with all its voices' },
  'api.precondition-failed': { fault: 'caller', http: 412, text: 'The file has changed' },
  'api.no-reload': { fault: 'caller', http: 409, text: 'The settings of this server cannot be read again' },
  'api.settings-refused': {
    fault: 'caller',
    http: 422,
    text: 'The settings were not taken; those of before stay in force',
  },
  'api.too-large': { fault: 'caller', http: 413, text: 'The request is too large' },
  'api.unsupported-media-type': { fault: 'caller', http: 415, text: 'Send JSON' },
  'api.range-not-satisfiable': { fault: 'caller', http: 416, text: 'The file has no such range' },
  'api.upgrade-required': { fault: 'caller', http: 426, text: 'This address speaks WebSocket only' },
  'api.too-many-requests': { fault: 'caller', http: 429, text: 'Too many requests; slow down' },
  'api.internal': { fault: 'us', http: 500, text: 'Something went wrong here; the log says what' },
  'api.not-built': { fault: 'caller', http: 501, text: 'This is not built yet' },
  'api.stopping': { fault: 'us', http: 503, text: 'The server is stopping' },
  'api.port-in-use': { fault: 'caller', text: 'The HTTP port is in use by another program' },
  'api.cannot-listen': { fault: 'caller', text: 'The HTTP address cannot be listened on' },
} as const satisfies FailureTable

export type ApiFailure = keyof typeof apiFailures

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ApiFailure
  constructor(code: ApiFailure, detail?: string, options?: ErrorOptions) {
    super(detail ? `${apiFailures[code].text}: ${detail}` : apiFailures[code].text, options)
    this.code = code
  }
}
