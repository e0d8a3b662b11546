/**
 * What a request of a recording session carries: a session description, recording metadata, both or neither
 * (RFC 7866 §9.1), and how to tell such a request from an ordinary call.
 */
import { contentTypeOf, optionTags } from '../sip/message/fields.ts'
import { type BodyPart, leafParts, parseMultipart } from '../sip/message/multipart.ts'
import type { SipRequest } from '../sip/message/types.ts'
import { SiprecError } from './failures.ts'

export interface MetadataPart {
  readonly bytes: Uint8Array
  /** Of the Content-Type; beats what the XML declares. */
  readonly charset?: string
}

export interface SiprecBody {
  readonly sdp?: string
  readonly metadata?: MetadataPart
}

/** RFC 7865 says `+xml`, RFC 7866 its examples without (RFC 9806 settles on `+xml`). */
const metadataType = /^application\/rs-metadata(\+xml)?$/

/**
 * A request for a recording session. RFC 7866 §6.2 wants both the option tag and the feature tag; of real clients some
 * send one of them (`;src` too, or the tag inside the angle brackets), and some neither but metadata.
 */
export function isSiprec(request: SipRequest): boolean {
  if (optionTags(request, 'Require').some((tag) => tag.toLowerCase() === 'siprec')) return true
  if (request.headers.all('Contact').some((contact) => /;\s*(\+sip\.)?src\s*(?=[;>,]|$)/i.test(contact))) return true
  const type = contentTypeOf(request)?.type
  if (type === undefined || metadataType.test(type)) return type !== undefined
  return type.startsWith('multipart/') && Buffer.from(request.body).includes('application/rs-metadata')
}

/** @throws {SiprecError} `siprec.bad-multipart`, `siprec.unknown-body`. */
export function readBody(request: SipRequest): SiprecBody {
  if (request.body.length === 0) return {}
  const contentType = contentTypeOf(request)
  if (!contentType) throw new SiprecError('siprec.unknown-body')
  if (contentType.type.startsWith('multipart/')) {
    const parts = parseMultipart(request.headers.get('Content-Type') ?? '', request.body)
    if (!parts) throw new SiprecError('siprec.bad-multipart')
    return fromParts(leafParts(parts))
  }
  const only: BodyPart = { contentType, headers: request.headers, body: request.body }
  const body = fromParts([only])
  if (body.sdp === undefined && !body.metadata) throw new SiprecError('siprec.unknown-body')
  return body
}

/** The first of each kind; other parts (ISUP, vendors' data) are passed over. */
function fromParts(parts: readonly BodyPart[]): SiprecBody {
  const sdp = parts.find((part) => part.contentType.type === 'application/sdp')
  const metadata = parts.find(isMetadata)
  const charset = metadata?.contentType.params.get('charset')
  return {
    ...(sdp && { sdp: Buffer.from(sdp.body).toString('utf8') }),
    ...(metadata && { metadata: { bytes: metadata.body, ...(charset && { charset }) } }),
  }
}

/** By its type, or by its disposition where the type is something else of XML (RFC 7866 §9.1). */
function isMetadata({ contentType, headers }: BodyPart): boolean {
  if (metadataType.test(contentType.type)) return true
  const disposition = headers.get('Content-Disposition')?.split(';')[0]?.trim().toLowerCase()
  return disposition === 'recording-session' && contentType.type.endsWith('xml')
}
