/**
 * What a SIP message is in this program: a start line, headers in their order, a body of bytes.
 *
 * Headers are kept as they came and parsed when asked for, so what nobody looks at costs nothing and is printed back
 * byte for byte. RFC 3261 §7.
 */

/** Parameters in order: name in lower case to value, `null` for a flag without a value. */
export type Params = ReadonlyMap<string, string | null>

/** A SIP, SIPS or tel URI; others keep everything after the colon in `host`. RFC 3261 §19.1, RFC 3966. */
export interface SipUri {
  /** Lower case: `sip`, `sips`, `tel`, … */
  readonly scheme: string
  /** Unescaped user part; a tel URI's number. */
  readonly user?: string
  readonly password?: string
  /** Lower case; IPv6 without brackets. */
  readonly host: string
  readonly port?: number
  readonly params: Params
  /** What follows `?`, as written, unescaped. */
  readonly headers: ReadonlyMap<string, string>
  /** The whole URI as it came: what is sent back to its writer must not differ in a letter. See `writtenUri`. */
  readonly text?: string
}

/** `"Alice" <sip:alice@example.com>;tag=1`: From, To, Contact, Route and their kin. */
export interface NameAddr {
  readonly displayName?: string
  readonly uri: SipUri
  readonly params: Params
}

export interface Via {
  /** Upper case: UDP, TCP, TLS, WS, WSS. */
  readonly transport: string
  readonly host: string
  readonly port?: number
  readonly params: Params
}

export interface CSeq {
  readonly seq: number
  readonly method: string
}

/** The headers of a message in their order. Names compare without case, compact forms count as their long names. */
export interface SipHeaders {
  /** First value of that name as written, unfolded, or undefined. */
  get(name: string): string | undefined
  /** All values of that name; comma lists split where the header's grammar makes it a list. */
  all(name: string): string[]
  has(name: string): boolean
  /** Replace all of that name by these values (one line each), in place of the first, else at the end. */
  set(name: string, ...values: string[]): void
  /** Add below the last of that name, else at the end. */
  append(name: string, value: string): void
  /** Add above the first of that name, else at the top. */
  prepend(name: string, value: string): void
  /** Remove all of that name. */
  remove(name: string): void
  /** Remove the first value of that name only (topmost Via or Route). */
  removeFirst(name: string): void
  entries(): Iterable<readonly [name: string, value: string]>
  clone(): SipHeaders
}

export interface SipRequest {
  readonly kind: 'request'
  readonly method: string
  /** The Request-URI as written. */
  readonly uri: string
  readonly headers: SipHeaders
  readonly body: Uint8Array
}

export interface SipResponse {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
  readonly headers: SipHeaders
  readonly body: Uint8Array
}

export type SipMessage = SipRequest | SipResponse
