/** The extensions of the phone system. Declared here, kept by database/. */

import type { RecordTo } from '../call/services.ts'
import type { SrtpMode } from '../core/srtp.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import type { Party } from '../events/catalogue.ts'
import type { DigestHashes } from '../sip/auth/digest.ts'

export type { DigestHashes }

export interface Extension {
  /** What people dial, and the user name devices authenticate with: `101`. */
  readonly number: string
  readonly displayName: string
  readonly hashes: DigestHashes
  /** How long its devices ring before a caller hears no answer. */
  readonly ringSeconds: number
  /** Record its calls. */
  readonly record: boolean
  /** Devices that may be registered at a time. */
  readonly maxContacts: number
  /** Whether its audio is encrypted; as the server's setting says when left out. */
  readonly srtp?: SrtpMode | undefined
  /** Names of its codecs, the best first; as those of CODECS when left out. */
  readonly codecs?: readonly string[] | undefined
  /** What is done to its voice; what is done to all when left out. */
  readonly sound?: VoiceProcessing | undefined
  /** Recording servers elsewhere that its calls are sent to; those of RECORD_TO when left out. */
  readonly recordTo?: RecordTo | undefined
  readonly createdAtMs: number
}

/** An extension as the facts name it. */
export const partyOf = ({ number, displayName }: Extension, uri: string): Party => ({
  uri,
  extension: number,
  ...(displayName && { name: displayName }),
})

export interface Directory {
  /** Synchronous: it stands in the path of each INVITE and REGISTER. */
  find(number: string): Extension | undefined
  list(): readonly Extension[]
  /** @throws {DirectoryError} `directory.exists` */
  add(extension: Extension): Promise<void>
  /** @throws {DirectoryError} `directory.not-found` */
  change(number: string, changes: Partial<Omit<Extension, 'number' | 'createdAtMs'>>): Promise<Extension>
  /** @throws {DirectoryError} `directory.not-found` */
  remove(number: string): Promise<void>
  /** Be told of each extension that is gone, whoever removed it: this process or the command line. */
  onRemoved(listener: (number: string) => void): void
  /** Be told of each extension that has another password, whoever changed it. */
  onPasswordChanged(listener: (number: string) => void): void
}

export const directoryFailures = {
  'directory.exists': { fault: 'caller', http: 409, text: 'An extension with this number exists' },
  'directory.not-found': { fault: 'caller', http: 404, text: 'No extension has this number' },
} as const

export class DirectoryError extends Error {
  override readonly name = 'DirectoryError'
  readonly code: keyof typeof directoryFailures
  constructor(code: keyof typeof directoryFailures, options?: ErrorOptions) {
    super(directoryFailures[code].text, options)
    this.code = code
  }
}
