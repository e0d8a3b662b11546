/**
 * Streams that a B2BUA carries without understanding them, video and fax: the line of one side as the other side sees it.
 *
 * What belongs to the transport of one side stays there; formats, bandwidth, direction and all else go across.
 */
import { attributeOf, directionOf } from './media.ts'
import { answerDirection } from './offer-answer.ts'
import type { Direction, SdpMedia, SessionDescription } from './types.ts'

/**
 * Any stream but audio over RTP, or UDPTL for T.38 fax, that is not switched off by port 0. Over SRTP too, with keys in the
 * description; by DTLS not.
 */
export const isRelayable = ({ type, port, protocol }: SdpMedia): boolean =>
  type !== 'audio' && port !== 0 && /^(?:RTP\/S?AVPF?|udptl)$/i.test(protocol)

/** T.38 fax: datagrams that SRTP cannot encrypt. */
export const isUdptl = ({ protocol }: SdpMedia): boolean => /^udptl$/i.test(protocol)

/** This profile of RTP for a line: secure or plain, with feedback (RFC 4585) when the line has it. */
export const inProfile = (line: SdpMedia, secure: boolean): SdpMedia => ({
  ...line,
  protocol: `RTP/${secure ? 'S' : ''}AVP${/F$/i.test(line.protocol) ? 'F' : ''}`,
})

/** ICE, keys, grouping: of one hop. Whether RTCP shares the port is for the two sides to agree. */
const ofTransport =
  /^(?:candidate|remote-candidates|end-of-candidates|ice-.*|rtcp|setup|fingerprint|tls-id|crypto|key-mgmt|mid|bundle-only|connection|sendrecv|sendonly|recvonly|inactive)$/

/**
 * The line as we offer it at our port.
 * @param description That it stands in: its direction may be the session's.
 */
export function relayedLine(description: SessionDescription, media: SdpMedia, port: number): SdpMedia {
  const attributes = media.attributes.filter(({ name }) => !ofTransport.test(name))
  return {
    type: media.type,
    port,
    protocol: media.protocol,
    formats: media.formats,
    attributes: [...attributes, { name: directionOf(description, media) }],
    // Titles and bandwidth; a second c= and keys in the clear (k=) are of one hop.
    otherLines: media.otherLines.filter((line) => /^[ib]=/.test(line)),
  }
}

/** RFC 3264 §6: refused, or switched off; protocol and formats are repeated. */
export const refusedLine = ({ type, protocol, formats }: SdpMedia): SdpMedia => ({
  type,
  port: 0,
  protocol,
  formats,
  attributes: [],
  otherLines: [],
})

/** A line as the answer to an offer of this direction: we send only what is taken, and take only what is sent. */
export function answeringLine(line: SdpMedia, offered: Direction): SdpMedia {
  const own = line.attributes.filter(({ name }) => !isDirection(name))
  const wanted = directions.find((name) => attributeOf(line, name) !== undefined) ?? 'sendrecv'
  return { ...line, attributes: [...own, { name: answerDirection(offered, wanted) }] }
}

const directions: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']
const isDirection = (name: string): boolean => directions.some((direction) => direction === name)
