/**
 * A session that we ask a client for (RFC 7866 §6.1.1): an INVITE without a description, the client offers in its
 * answer, and we answer in the ACK. From then on it is a session like any other (session.ts).
 */
import { hostText } from '../../core/ip.ts'
import type { SipResponse } from '../../sip/message/types.ts'
import type { Payload, SipStack } from '../../sip/stack.types.ts'
import { readBody } from '../body.ts'
import { acceptedTypes, SiprecError } from '../failures.ts'
import { metadataOf } from '../metadata/from-request.ts'
import type { MetadataDocument } from '../metadata/model.ts'
import type { Offer } from '../offer.ts'
import type { SessionParts } from './parts.ts'

/** Streams that a session of ours asks for; a client that has one refuses the other. */
export const orderedStreams = 2

/** @param signal Aborted when it is ended before the answer. */
export const askForSession = (
  { services, exchange, sipCallId }: SessionParts,
  contact: string,
  signal: AbortSignal,
  takeOffer: (response: SipResponse) => Payload,
): ReturnType<SipStack['invite']>['outcome'] =>
  services.stack.invite({
    target: { uri: contact },
    from: `<sip:recorder@${hostText(exchange.ours.address)}>`,
    to: `<${contact}>`,
    callId: sipCallId,
    contactParams: ';+sip.srs',
    headers: { Require: 'siprec', Accept: acceptedTypes },
    signal,
    ackBody: takeOffer,
  }).outcome

/**
 * The offer in the answer to an order of ours. What cannot be read gets no answer, and the session ends.
 *
 * @param record Begins the recording.
 */
export function takeOrdered(
  parts: SessionParts,
  { headers, body }: SipResponse,
  record: (offer: Offer, document: MetadataDocument | undefined) => void,
): Payload {
  const { invite, streams, exchange, recorded, log } = parts
  try {
    const request = { ...invite.request, headers, body }
    const { sdp, metadata } = readBody(request)
    if (sdp === undefined) throw new SiprecError('siprec.no-offer')
    const offer = streams.known(streams.suitable(exchange.read(sdp)))
    if (offer.streams.length === 0) throw new SiprecError('siprec.no-audio')
    // Their ports are open, so all of it is done at once.
    void streams.apply(offer)
    const document = metadata && metadataOf(request, metadata)
    if (document) recorded.learn(document, request)
    record(offer, document)
    return exchange.answer(offer)
  } catch (error) {
    log.warn('The offer of a recording client could not be read', { error: String(error) })
    return {}
  }
}
