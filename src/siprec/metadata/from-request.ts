/**
 * The metadata of a request: its metadata part, or what two of Cisco's clients say in headers instead.
 *
 *   CUBE, network recording:  X-Cisco-Recording-Participant: sip:1001@cube;media-index="0"     (one a participant)
 *   phones, built-in bridge:  From: <sip:2000@cucm;x-nearend;x-refci=1;x-farendaddr=1000>      (one call a voice)
 */
import { fromOf } from '../../sip/message/fields.ts'
import { splitOutside } from '../../sip/message/scan.ts'
import type { SipRequest, SipUri } from '../../sip/message/types.ts'
import { withScheme } from './document/addresses.ts'
import { parseMetadata } from './document/read.ts'
import { type MetadataDocument, type MetadataState, noMetadata } from './model.ts'

/** As body.ts finds it. */
interface MetadataPart {
  readonly bytes: Uint8Array
  readonly charset?: string
}

/** Undefined when the request says nothing of participants. */
export function metadataOf(request: SipRequest, part: MetadataPart | undefined): MetadataDocument | undefined {
  if (part) return parseMetadata(part.bytes, part.charset)
  return ofMediaIndexes(request) ?? ofNearAndFarEnd(request)
}

interface Voice {
  readonly uri: string
  /** Places of the m-lines it is on; none when it is on another call's. */
  readonly places: readonly number[]
}

function ofMediaIndexes({ headers }: SipRequest): MetadataDocument | undefined {
  const values = headers
    .all('X-Cisco-Recording-Participant')
    .flatMap((value) => splitOutside(value, ','))
    .filter((value) => value !== '')
  const voices = values.flatMap((value): Voice[] => {
    const uri = /^(?:"[^"]*"\s*)?<?([^\s;>"]+)/.exec(value)?.[1]
    const indexes = /;\s*media-index\s*=\s*"?([\d\s]+)/i.exec(value)?.[1]?.trim().split(/\s+/).map(Number) ?? []
    return uri === undefined ? [] : [{ uri: withScheme(uri), places: indexes }]
  })
  if (voices.length === 0) return undefined
  // Some releases count m-lines from 1.
  const from = Math.min(...voices.flatMap(({ places }) => places)) === 1 ? 1 : 0
  const counted = voices.map(({ uri, places }) => ({ uri, places: places.map((place) => place - from) }))
  return documentOf(counted, values.map((value) => `X-Cisco-Recording-Participant: ${value}`).join('\r\n'))
}

/** One call brings the voice of the recorded phone, another that of the far end; each names both. */
function ofNearAndFarEnd(request: SipRequest): MetadataDocument | undefined {
  const uri = fromOf(request)?.uri
  if (!uri || !(uri.params.has('x-nearend') || uri.params.has('x-farend'))) return undefined
  const isNear = uri.params.has('x-nearend')
  const near = addressOf(uri, uri.params.get('x-nearendaddr') ?? uri.user)
  const far = addressOf(uri, uri.params.get('x-farendaddr'))
  const voices: Voice[] = [
    ...(near === undefined ? [] : [{ uri: near, places: isNear ? [0] : [] }]),
    ...(far === undefined ? [] : [{ uri: far, places: isNear ? [] : [0] }]),
  ]
  return voices.length === 0 ? undefined : documentOf(voices, `From: ${request.headers.get('From') ?? ''}`)
}

const addressOf = ({ host }: SipUri, user: string | null | undefined): string | undefined =>
  user ? `sip:${user}@${host}` : undefined

const idOf = (index: number): string => `participant ${index}`

function documentOf(voices: readonly Voice[], raw: string): MetadataDocument {
  const places = [...new Set(voices.flatMap((voice) => voice.places))]
  const state: MetadataState = {
    ...noMetadata,
    participants: new Map(voices.map(({ uri }, index) => [idOf(index), { id: idOf(index), uris: [uri], names: [] }])),
    streams: new Map(places.map((place) => [String(place), { id: String(place), place }])),
    sending: new Map(voices.map(({ places: on }, index) => [idOf(index), { send: on.map(String), receive: [] }])),
  }
  return { ...state, mode: 'complete', raw, problems: [], extensions: [] }
}
