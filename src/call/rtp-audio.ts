/**
 * Audio over RTP and SRTP between SDP and the media plane, for calls and recording sessions alike: which streams and formats
 * can be carried, and what the plane is told of them.
 * What is encrypted is said by leg-crypto.ts.
 */
import type { MediaAddress, PayloadFormat } from '../media/types.ts'
import { isSecureProtocol } from '../sdp/crypto.ts'
import { isDtlsProtocol } from '../sdp/dtls.ts'
import { connectionOf, pcma, pcmu, rtcpAddressOf, sameFormat, telephoneEvent } from '../sdp/media.ts'
import type { SdpFormat, SdpMedia, SessionDescription } from '../sdp/types.ts'

/** In the order we prefer when we are the ones to offer. */
export const supportedFormats: readonly SdpFormat[] = [pcmu, pcma, telephoneEvent]

/** An m-line that can be carried, and is not switched off by port 0. */
export const isRtpAudio = (media: SdpMedia): boolean =>
  media.type === 'audio' &&
  media.port !== 0 &&
  (media.protocol === 'RTP/AVP' || media.protocol === 'RTP/AVPF' || isSecureProtocol(media) || isDtlsProtocol(media))

/** Where the peer says its end of the stream is; undefined without a connection line. */
export function mediaAddressOf(description: SessionDescription, media: SdpMedia): MediaAddress | undefined {
  const ip = connectionOf(description, media)?.address
  if (ip === undefined) return undefined
  return { ip, rtpPort: media.port, rtcpPort: rtcpAddressOf(description, media)?.port ?? media.port + 1 }
}

/** @param format Among the supported ones, with the peer's payload type and spelling. */
export const payloadFormat = (format: SdpFormat): PayloadFormat => ({
  payloadType: format.payloadType,
  encoding: (supportedFormats.find((known) => sameFormat(known, format)) ?? format).encoding,
  clockRateHz: format.clockRateHz,
})
