/**
 * Audio over RTP and SRTP between SDP and the media plane, for calls and recording sessions alike: which streams can be
 * carried, and what the plane is told of their formats.
 * What is encrypted is said by leg-crypto.ts, which codecs there are by codec-rules.ts.
 */
import type { MediaAddress, OpusWishes, PayloadFormat } from '../media/types.ts'
import { isSecureProtocol } from '../sdp/crypto.ts'
import { isDtlsProtocol } from '../sdp/dtls.ts'
import { parseFmtp } from '../sdp/fmtp.ts'
import { connectionOf, rtcpAddressOf } from '../sdp/media.ts'
import type { SdpFormat, SdpMedia, SessionDescription } from '../sdp/types.ts'
import type { OpusSettings } from './codec-rules.ts'

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

/** Names that are not written in capitals, by what they are in capitals. */
const spelling = new Map(
  ['opus', 'telephone-event', 'iLBC', 'speex'].map((name): [string, string] => [name.toUpperCase(), name]),
)

/** As in the IANA registry, however the peer writes it. */
export const encodingName = ({ encoding }: SdpFormat): string =>
  spelling.get(encoding.toUpperCase()) ?? encoding.toUpperCase()

const plain = (format: SdpFormat): PayloadFormat => ({
  payloadType: format.payloadType,
  encoding: encodingName(format),
  clockRateHz: format.clockRateHz,
  channels: format.channels,
})

/** What arrives: the number is ours, and what the peer says of its sending is in its own description. */
export function receivedFormat(format: SdpFormat, peers: SdpFormat | undefined): PayloadFormat {
  const received = plain(format)
  if (received.encoding !== 'opus') return received
  const stereo = parseFmtp(peers?.fmtp).get('sprop-stereo') === '1'
  return { ...received, opus: { stereo, fec: true, dtx: true } }
}

/** What we send: number and parameters are the peer's, within what our settings allow. */
export function sentFormat(format: SdpFormat, settings: OpusSettings): PayloadFormat {
  const sent = plain(format)
  return sent.encoding === 'opus' ? { ...sent, opus: opusWishes(format, settings) } : sent
}

/** RFC 7587 §6.1 */
function opusWishes({ fmtp }: SdpFormat, settings: OpusSettings): OpusWishes {
  const said = parseFmtp(fmtp)
  const playbackRateHz = within(said.get('maxplaybackrate'), 8_000, 48_000)
  const theirs = within(said.get('maxaveragebitrate'), 6_000, 510_000)
  const rates = [theirs, settings.bitsPerSecond].filter((rate) => rate !== undefined)
  return {
    stereo: said.get('stereo') === '1',
    fec: settings.fec && said.get('useinbandfec') === '1',
    dtx: settings.dtx || said.get('usedtx') === '1',
    cbr: said.get('cbr') === '1',
    complexity: settings.complexity,
    ...(rates.length > 0 && { bitsPerSecond: Math.min(...rates) }),
    ...(playbackRateHz !== undefined && { playbackRateHz }),
  }
}

/** A whole number within its bounds; what lies beyond them is ignored. */
function within(text: string | undefined, least: number, most: number): number | undefined {
  const number = /^\d{1,7}$/.test(text ?? '') ? Number(text) : Number.NaN
  return number >= least && number <= most ? number : undefined
}
