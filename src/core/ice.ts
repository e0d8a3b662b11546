/** The words of ICE that signalling and media share: `sdp/` reads and writes them, `ice/` checks by them. */

/** What one side of a connectivity check is known by. The password is secret: it goes into descriptions alone. */
export interface IceCredentials {
  /** Ufrag: 4 to 256 of A-Z, a-z, 0-9, + and / (RFC 8839 §5.4). */
  readonly user: string
  /** 22 to 256 of them. */
  readonly password: string
}
