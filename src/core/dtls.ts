/** The words of DTLS-SRTP that signalling and media share: `sdp/` reads and writes them, `dtls/` shakes hands by them. */

/** What a session description says of a certificate (RFC 8122 §5). */
export interface Fingerprint {
  /** Lower case: `sha-256`. */
  readonly hash: string
  /** Upper case, with colons. */
  readonly value: string
}

/** Who sends the first message of the handshake: the client (`a=setup:active`). */
export type DtlsSide = 'client' | 'server'
