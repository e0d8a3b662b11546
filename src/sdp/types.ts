/**
 * A session description, kept line by line so that what we do not know is printed back (RFC 8866).
 */

export interface SdpOrigin {
  readonly username: string
  readonly sessionId: string
  readonly sessionVersion: string
  readonly netType: string
  readonly addressType: 'IP4' | 'IP6'
  readonly address: string
}

export interface SdpConnection {
  readonly addressType: 'IP4' | 'IP6'
  readonly address: string
}

/** `a=name` or `a=name:value`. */
export interface SdpAttribute {
  readonly name: string
  readonly value?: string
}

/** A payload type with its encoding, from rtpmap or the static table of RFC 3551 §6. */
export interface SdpFormat {
  readonly payloadType: number
  /** As written; compare without case. Empty when a dynamic type has no rtpmap. */
  readonly encoding: string
  readonly clockRateHz: number
  readonly channels: number
  /** The text after `a=fmtp:<pt> `. */
  readonly fmtp?: string
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

export interface SdpMedia {
  /** audio, video, image, application, … */
  readonly type: string
  readonly port: number
  /** `49170/2`: how many port pairs; one when absent (RFC 8866 §5.14). */
  readonly portCount?: number
  readonly protocol: string
  /** The fmt tokens as written. */
  readonly formats: readonly string[]
  readonly connection?: SdpConnection
  readonly attributes: readonly SdpAttribute[]
  /** Lines we do not interpret (i=, b=, k=), as written without the line end, in their order. */
  readonly otherLines: readonly string[]
}

export interface SessionDescription {
  readonly origin: SdpOrigin
  readonly name: string
  readonly connection?: SdpConnection
  readonly attributes: readonly SdpAttribute[]
  /** t=, b=, i=, … between s= and the first m=, as written, in their order. */
  readonly otherLines: readonly string[]
  readonly media: readonly SdpMedia[]
}
