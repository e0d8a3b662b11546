/** The extensions of the phone system. Declared here, kept by database/. */

/** What digest authentication needs; the password itself is never kept (RFC 7616 §3.4.2, RFC 8760). */
export interface DigestHashes {
  readonly realm: string
  /** HA1 by MD5, hex. */
  readonly md5: string
  /** HA1 by SHA-256, hex. */
  readonly sha256: string
}

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
  readonly createdAtMs: number
}

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
