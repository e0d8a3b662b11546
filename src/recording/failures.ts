import type { FailureTable } from '../core/failures.ts'
import { SealingError } from '../sealing/failures.ts'

/** Why a recording is not, or not wholly, what was asked for. Told in `recording.failed` or in the log. */
export const recordingFailures = {
  'recording.disk-full': { fault: 'us', text: 'The disk of the recording folder is full' },
  'recording.folder-unwritable': { fault: 'us', text: 'The recording folder cannot be written' },
  'recording.write-failed': { fault: 'us', text: 'A file of the recording could not be written' },
  'recording.no-audio': { fault: 'peer', text: 'No audio came' },
  'recording.files-gone': { fault: 'us', text: 'The files were removed while the call was recorded' },
  'recording.too-long': { fault: 'us', text: 'The combined file would pass the 4 GiB of a WAV, so there is none' },
  'recording.key-missing': { fault: 'us', text: 'The key of the sealed recording cannot be had' },
  'recording.damaged': { fault: 'us', text: 'A sealed file of the recording was changed or damaged' },
  'recording.decoder-failed': { fault: 'us', text: 'A leg could not be decoded, and stays packets' },
  'recording.manifest-unreadable': { fault: 'us', text: 'The notes of an interrupted recording cannot be read' },
} as const satisfies FailureTable

export type RecordingFailure = keyof typeof recordingFailures

export class RecordingError extends Error {
  override readonly name = 'RecordingError'
  readonly code: RecordingFailure
  constructor(code: RecordingFailure, options?: ErrorOptions) {
    super(recordingFailures[code].text, options)
    this.code = code
  }
}

/** The code for whatever the file system threw. */
export function failureOf(error: unknown): RecordingFailure {
  if (error instanceof RecordingError) return error.code
  if (error instanceof SealingError)
    return error.code.startsWith('sealing.key-') ? 'recording.key-missing' : 'recording.damaged'
  return ofSystemError((error as NodeJS.ErrnoException | undefined)?.code)
}

/** The code for an error of the file system that came as text from another thread: `ENOSPC: no space left …`. */
export const codeIn = (text: string): RecordingFailure => ofSystemError(/\bE[A-Z]{2,}\b/.exec(text)?.[0])

function ofSystemError(code: string | undefined): RecordingFailure {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'recording.disk-full'
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return 'recording.folder-unwritable'
    default:
      return 'recording.write-failed'
  }
}
