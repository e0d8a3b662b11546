/**
 * RTCP in the descriptions of a leg: on the port of RTP where both know that (RFC 5761), and extended reports (RFC 3611).
 */
import type { PortDescription } from '../media/types.ts'
import { offersRtcpMux } from '../sdp/media.ts'
import { answeredRtcpXr, ourRtcpXr, rtcpXrOf } from '../sdp/rtcp-xr.ts'
import type { SdpAttribute, SdpMedia } from '../sdp/types.ts'

/** A port takes RTCP on both sockets until the answer says which one it will be (RFC 5761 §5.1.1). */
export const offeredRtcp: readonly SdpAttribute[] = [{ name: 'rtcp-mux' }, ourRtcpXr]

/** What of the offered stream we agree to. */
export const answeredRtcp = (offered: SdpMedia): readonly SdpAttribute[] => [
  ...(offersRtcpMux(offered) ? [{ name: 'rtcp-mux' }] : []),
  ...answeredRtcpXr(offered),
]

/** What the port is to report, by the peer's stream. */
export function wantedReports(theirs: SdpMedia): Pick<PortDescription, 'extendedReports'> {
  const extendedReports = rtcpXrOf(theirs)
  return extendedReports ? { extendedReports } : {}
}
