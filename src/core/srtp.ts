/**
 * The names and sizes of SRTP that signalling and media share: `sdp/` reads and writes the keys, `rtp/` uses them.
 */

export interface SrtpSuiteSizes {
  /** Bytes of the master key. */
  readonly keyBytes: number
  /** Bytes of the master salt, which stands behind the key in `a=crypto`. */
  readonly saltBytes: number
  /** Bytes that a packet becomes longer. SRTCP has four more, and always the long tag (RFC 4568 §6.2). */
  readonly rtpTagBytes: number
  readonly rtcpTagBytes: number
  /** Encrypted and authenticated in one (RFC 7714), or AES in counter mode and HMAC-SHA1 (RFC 3711). */
  readonly kind: 'gcm' | 'counter'
}

/** By the name in `a=crypto`: RFC 7714 §14.2, RFC 6188 §3, RFC 4568 §6.2. */
export const srtpSuites = {
  AEAD_AES_256_GCM: { keyBytes: 32, saltBytes: 12, rtpTagBytes: 16, rtcpTagBytes: 16, kind: 'gcm' },
  AEAD_AES_128_GCM: { keyBytes: 16, saltBytes: 12, rtpTagBytes: 16, rtcpTagBytes: 16, kind: 'gcm' },
  AES_256_CM_HMAC_SHA1_80: { keyBytes: 32, saltBytes: 14, rtpTagBytes: 10, rtcpTagBytes: 10, kind: 'counter' },
  AES_256_CM_HMAC_SHA1_32: { keyBytes: 32, saltBytes: 14, rtpTagBytes: 4, rtcpTagBytes: 10, kind: 'counter' },
  AES_CM_128_HMAC_SHA1_80: { keyBytes: 16, saltBytes: 14, rtpTagBytes: 10, rtcpTagBytes: 10, kind: 'counter' },
  AES_CM_128_HMAC_SHA1_32: { keyBytes: 16, saltBytes: 14, rtpTagBytes: 4, rtcpTagBytes: 10, kind: 'counter' },
} as const satisfies Record<string, SrtpSuiteSizes>

export type SrtpSuite = keyof typeof srtpSuites

export const isSrtpSuite = (name: string): name is SrtpSuite => Object.hasOwn(srtpSuites, name)

/**
 * Whether the audio of a leg is encrypted.
 *
 * - `none`: plain RTP alone; an offer of RTP/SAVP is refused. Browsers are encrypted nevertheless: they know nothing else.
 * - `accepted`: whoever offers it gets it; we offer plain RTP.
 * - `optional`: we offer it too, as RTP/AVP with keys, which a peer that knows nothing of it answers in plain (RFC 8643).
 * - `mandatory`: RTP/SAVP; a peer without it gets no call.
 * - `dtls`: as mandatory, but the keys that we offer are agreed by DTLS.
 */
export const srtpModes = ['none', 'accepted', 'optional', 'mandatory', 'dtls'] as const
export type SrtpMode = (typeof srtpModes)[number]

/** What one side encrypts with. Secret: never logged, never in an event, an error or a file. */
export interface SrtpKey {
  readonly suite: SrtpSuite
  /** Master key, then master salt. */
  readonly master: Uint8Array
  /** Bytes of the key's number that the side puts into each packet; 0 when it has none. */
  readonly mkiBytes: number
}
