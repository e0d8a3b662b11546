/**
 * What a datagram on a media port is, told by its first two bytes.
 *
 *   socket  ── bytes ─▶  here  ─▶  ICE (stun) · keys (dtls, zrtp) · packets (rtp) · reports (rtcp)
 *
 * RFC 7983 §7 (first byte), RFC 5761 §4 (RTCP by its packet type). A kind is a guess by two bytes: whoever takes the
 * datagram still has to parse it.
 */

/** `turn`: channel data of a relay. `unknown`: nothing that may come here. */
export type DatagramKind = 'rtp' | 'rtcp' | 'stun' | 'dtls' | 'zrtp' | 'turn' | 'unknown'

/** By first byte: RFC 7983 figure 3. 2 to 15, 80 to 127 and 192 to 255 are nobody's. */
const kinds: readonly (readonly [first: number, last: number, kind: DatagramKind])[] = [
  [0, 3, 'stun'],
  [16, 19, 'zrtp'],
  [20, 63, 'dtls'],
  [64, 79, 'turn'],
  [128, 191, 'rtp'],
]

const byFirstByte: readonly DatagramKind[] = Array.from(
  { length: 256 },
  (_, byte) => kinds.find(([first, last]) => byte >= first && byte <= last)?.[2] ?? 'unknown',
)

/** RTCP packet types lie in 192..223; payload types 64 to 95 are therefore not used beside RTCP (RFC 5761 §4). */
const isReportType = (type: number): boolean => type >= 192 && type <= 223

/** A header of either, and a source. */
const leastReportBytes = 8

/** Of an empty datagram `unknown`. */
export function datagramKind(bytes: Uint8Array): DatagramKind {
  const kind = byFirstByte[bytes[0] ?? 255] ?? 'unknown'
  if (kind !== 'rtp' || !isReportType(bytes[1] ?? 0)) return kind
  return bytes.length < leastReportBytes ? 'unknown' : 'rtcp'
}
