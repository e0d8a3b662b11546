/**
 * Session descriptions of a simulated phone: one audio stream of G.711 with telephone-events (RFC 4733).
 *
 * Says what was agreed in the words of Talker and Listener, so that nobody else in this folder reads SDP.
 */
import type { G711Law } from '../codec/g711.ts'
import {
  connectionOf,
  directionOf,
  formatsOf,
  isHold,
  isTelephoneEvent,
  pcma,
  pcmu,
  telephoneEvent,
} from '../sdp/media.ts'
import { answerDirection, answerOffer, commonFormats, createAudioOffer } from '../sdp/offer-answer.ts'
import { parseSdp } from '../sdp/parse.ts'
import { printSdp } from '../sdp/print.ts'
import type { Direction, SdpFormat, SdpMedia, SessionDescription } from '../sdp/types.ts'
import type { Address } from '../sip/stack.types.ts'

export const sdpType = 'application/sdp'

const lawFormats: Readonly<Record<G711Law, SdpFormat>> = { PCMU: pcmu, PCMA: pcma }

/** What this phone has to say about itself. */
export interface LocalMedia {
  readonly address: Address
  readonly sessionId: string
  /** Counts up with each description we send (RFC 3264 §8). */
  readonly version: number
  /** What this phone speaks, the one it likes best first. */
  readonly laws: readonly G711Law[]
  readonly direction: Direction
}

/** What both sides agreed. */
export interface Agreed {
  readonly remote: Address
  readonly law: G711Law
  readonly payloadType: number
  /** All that may come, by payload type: a sender may change between them (RFC 3264 §5.1). */
  readonly receive: ReadonlyMap<number, G711Law>
  readonly eventPayloadType?: number
  /** False when the peer holds us. */
  readonly maySend: boolean
}

export function printOffer(local: LocalMedia): string {
  const { direction } = local
  const formats = formatsOfPhone(local)
  return printSdp(createAudioOffer({ ...session(local), port: local.address.port, formats, direction, ptimeMs: 20 }))
}

/** @returns undefined when it is no SDP, or nothing in it is for us. */
export function readAgreed(body: Uint8Array, laws: readonly G711Law[]): Agreed | undefined {
  const found = audioOf(body)
  return found && agreedOf(found.description, found.media, laws)
}

/** Take the first audio stream of an offer. @returns undefined when there is no codec in common. */
export function printAnswer(
  offer: Uint8Array,
  local: LocalMedia,
): { readonly sdp: string; readonly agreed: Agreed } | undefined {
  const found = audioOf(offer)
  const agreed = found && agreedOf(found.description, found.media, local.laws)
  if (!agreed) return undefined
  const { description, media } = found
  const answer = answerOffer(description, {
    ...session(local),
    accept: (stream) =>
      stream === media
        ? {
            port: local.address.port,
            formats: commonFormats(formatsOf(stream), formatsOfPhone(local)),
            direction: answerDirection(directionOf(description, stream), local.direction),
          }
        : undefined,
  })
  return { sdp: printSdp(answer), agreed }
}

const session = ({ address, sessionId, version }: LocalMedia) => ({ address: address.ip, sessionId, version })

const formatsOfPhone = ({ laws }: LocalMedia): SdpFormat[] => [...laws.map((law) => lawFormats[law]), telephoneEvent]

function audioOf(body: Uint8Array): { description: SessionDescription; media: SdpMedia } | undefined {
  const parsed = parseSdp(body)
  if (!parsed.ok) return undefined
  const media = parsed.description.media.find(({ type, port }) => type === 'audio' && port !== 0)
  return media && { description: parsed.description, media }
}

function agreedOf(description: SessionDescription, media: SdpMedia, laws: readonly G711Law[]): Agreed | undefined {
  const connection = connectionOf(description, media)
  const formats = formatsOf(media)
  const receive = new Map<number, G711Law>()
  for (const { encoding, payloadType } of formats) {
    const law = laws.find((one) => one === encoding.toUpperCase())
    if (law) receive.set(payloadType, law)
  }
  const [best] = receive
  if (!connection || !best) return undefined
  const [payloadType, law] = best
  const events = formats.find(isTelephoneEvent)
  return {
    remote: { ip: connection.address, port: media.port },
    law,
    payloadType,
    receive,
    ...(events ? { eventPayloadType: events.payloadType } : {}),
    maySend: !isHold(description, media),
  }
}
