/**
 * Extended reports of RTCP in a description: `a=rtcp-xr`. RFC 3611 §5.
 *
 * In an answer stands what both know. `voip-metrics` asks the other side for its view of the call; `rcvr-rtt` promises
 * answers to the reference times of who receives.
 */
import { attributeOf } from './media.ts'
import type { SdpAttribute, SdpMedia, SessionDescription } from './types.ts'

/** What its writer asks for. */
export interface RtcpXr {
  readonly voipMetrics: boolean
  readonly receiverRoundTrip: boolean
}

const name = 'rtcp-xr'

/** All that we offer: how the peer hears us, and round trips for who only receives. */
export const ourRtcpXr: SdpAttribute = { name, value: 'voip-metrics rcvr-rtt=all' }

/** Of the stream, else of the whole session (RFC 3611 §5.1). */
const lineOf = (description: SessionDescription, media: SdpMedia): string | undefined =>
  attributeOf(media, name) ?? attributeOf(description, name)

/** @returns Undefined when the line is missing. */
export function rtcpXrOf(description: SessionDescription, media: SdpMedia): RtcpXr | undefined {
  const value = lineOf(description, media)
  if (value === undefined) return undefined
  const formats = value.trim().split(/\s+/)
  return {
    voipMetrics: formats.some((format) => /^voip-metrics(?:=|$)/i.test(format)),
    receiverRoundTrip: formats.some((format) => /^rcvr-rtt=(?:all|sender)(?::|$)/i.test(format)),
  }
}

/** The line of an answer to that offer; none when there is nothing in common. */
export function answeredRtcpXr(offer: SessionDescription, offered: SdpMedia): SdpAttribute[] {
  const wanted = rtcpXrOf(offer, offered)
  // A mode is answered as it was offered (RFC 3611 §5.2).
  const mode = /\brcvr-rtt=(all|sender)\b/i.exec(lineOf(offer, offered) ?? '')?.[1]?.toLowerCase()
  const formats = [wanted?.voipMetrics ? 'voip-metrics' : '', mode ? `rcvr-rtt=${mode}` : ''].filter(Boolean)
  return formats.length === 0 ? [] : [{ name, value: formats.join(' ') }]
}
