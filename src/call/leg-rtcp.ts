/**
 * RTCP in the descriptions of a leg: on the port of RTP where both know that (RFC 5761), and extended reports (RFC 3611).
 */
import type { PortDescription } from '../media/types.ts'
import { offersRtcpMux } from '../sdp/media.ts'
import { answeredRtcpXr, ourRtcpXr, rtcpXrOf } from '../sdp/rtcp-xr.ts'
import type { SdpAttribute, SdpMedia, SessionDescription } from '../sdp/types.ts'

/** A port takes RTCP on both sockets until the answer says which one it will be (RFC 5761 §5.1.1). */
export const offeredRtcp: readonly SdpAttribute[] = [{ name: 'rtcp-mux' }, ourRtcpXr]

/** What of the offered stream we agree to. */
export const answeredRtcp = (offer: SessionDescription, offered: SdpMedia): readonly SdpAttribute[] => [
  ...(offersRtcpMux(offered) ? [{ name: 'rtcp-mux' }] : []),
  ...answeredRtcpXr(offer, offered),
]

export type WantedReports = Pick<PortDescription, 'extendedReports'>

/** What the port is to report, by the peer's stream. */
export function wantedReports(description: SessionDescription, theirs: SdpMedia): WantedReports {
  const extendedReports = rtcpXrOf(description, theirs)
  return extendedReports ? { extendedReports } : {}
}
