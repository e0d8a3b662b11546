/**
 * Recording metadata (RFC 7865): who takes part in the recorded call and which stream carries whose voice.
 *
 *   server.ts ── bytes of the metadata part ─▶  parseMetadata ─▶ MetadataDocument
 *                                               mergeMetadata ─▶ MetadataState  ─▶ attribution.ts
 *
 * Reads RFC 7865 and what the field sends in its name: four namespaces or none, prefixes, `id`/`session` for
 * `participant_id`/`session_id`, `send` inside the participant, `aor` as an element, addresses without a scheme.
 * A fault in the document is told in `problems`; the rest of it counts. Ids are opaque strings (they are base64
 * UUIDs by the RFC, anything in the field).
 * Missing: times, extension data beyond who called; the raw document is kept, so nothing is lost.
 */
import { parseXml, type XmlElement } from '../core/xml.ts'

export interface MetadataParticipant {
  readonly id: string
  /** Addresses of record, `sip:bob@example.com`; the first is shown. */
  readonly uris: readonly string[]
  readonly name?: string
  /** True: the calling party; false: the called one; absent: not said (vendors' extensions). */
  readonly calling?: boolean
}

/** What a participant sends and receives now, by stream id (RFC 7865 §6.9.2). */
export interface MetadataSending {
  readonly send: readonly string[]
  readonly receive: readonly string[]
}

export interface MetadataState {
  readonly participants: ReadonlyMap<string, MetadataParticipant>
  /** Stream id to label. */
  readonly labels: ReadonlyMap<string, string>
  /** By participant id. */
  readonly sending: ReadonlyMap<string, MetadataSending>
  /** Participant id to session id to whether it takes part; no entry says nothing. */
  readonly presence: ReadonlyMap<string, ReadonlyMap<string, boolean>>
}

export interface MetadataDocument extends MetadataState {
  readonly mode: 'complete' | 'partial'
  /** As received. */
  readonly raw: string
  readonly problems: readonly string[]
}

export const noMetadata: MetadataState = {
  participants: new Map(),
  labels: new Map(),
  sending: new Map(),
  presence: new Map(),
}

/** Namespaces of RFC 7865, of its drafts (Oracle, Ribbon, Metaswitch, AudioCodes) and of BroadWorks. */
const namespaces = new Set([
  'urn:ietf:params:xml:ns:recording:1',
  'urn:ietf:params:xml:ns:recording',
  'urn:ietf:params:xml:ns:siprec:1',
  'urn:ietf:params:xml:ns:siprec',
  '',
])
const rootNames = new Set(['recording', 'recording_metadata'])

/** Never throws; what cannot be read at all gives an empty document with its problems. */
export function parseMetadata(bytes: Uint8Array, charset?: string): MetadataDocument {
  const { root, problems: found } = parseXml(bytes, charset)
  const problems = [...found]
  const raw = new TextDecoder().decode(bytes)
  if (!root) return { ...noMetadata, mode: 'complete', raw, problems }
  if (!rootNames.has(root.name)) problems.push(`the root is <${root.name}>, not <recording>`)
  if (!namespaces.has(root.namespace)) problems.push(`unknown namespace ${root.namespace}`)
  const reader = new Reader(root)
  return {
    mode: reader.all('datamode')[0]?.text.toLowerCase() === 'partial' ? 'partial' : 'complete',
    participants: reader.participants(problems),
    labels: reader.labels(),
    sending: reader.sending(),
    presence: reader.presence(),
    raw,
    problems,
  }
}

/**
 * A complete document replaces all; a partial one only what it names, keyed by ids (RFC 7865 §6.1.1). A `send` that
 * the new association of a participant does not list has stopped.
 */
export function mergeMetadata(before: MetadataState, update: MetadataDocument): MetadataState {
  if (update.mode === 'complete') return update
  const presence = new Map(before.presence)
  for (const [participant, sessions] of update.presence) {
    presence.set(participant, new Map([...(presence.get(participant) ?? []), ...sessions]))
  }
  return {
    participants: new Map([...before.participants, ...update.participants]),
    labels: new Map([...before.labels, ...update.labels]),
    sending: new Map([...before.sending, ...update.sending]),
    presence,
  }
}

/** Takes part in at least one session, or nothing was said about it. */
export function isPresent(state: MetadataState, participantId: string): boolean {
  const sessions = state.presence.get(participantId)
  return !sessions || sessions.size === 0 || [...sessions.values()].includes(true)
}

/** Walks the elements that are the recording's own; extension data of foreign namespaces is looked at only by name. */
class Reader {
  readonly #namespace: string
  readonly #elements: XmlElement[] = []

  constructor(root: XmlElement) {
    this.#namespace = root.namespace
    this.#collect(root)
  }

  /** In document order, wherever they stand: a forgotten end tag nests what follows. */
  #collect(element: XmlElement): void {
    for (const child of element.children) {
      if (!this.#isOwn(child)) continue
      this.#elements.push(child)
      this.#collect(child)
    }
  }

  #isOwn(element: XmlElement): boolean {
    return element.namespace === this.#namespace || namespaces.has(element.namespace)
  }

  all(name: string): XmlElement[] {
    return this.#elements.filter((element) => element.name === name)
  }

  #childrenOf(element: XmlElement, name: string): XmlElement[] {
    return element.children.filter((child) => child.name === name && this.#isOwn(child))
  }

  participants(problems: string[]): Map<string, MetadataParticipant> {
    const found = new Map<string, MetadataParticipant>()
    for (const element of this.all('participant')) {
      const id = idOf(element, 'participant_id')
      const nameIds = this.#childrenOf(element, 'nameid')
      // A `participant` without a name inside an association is a reference to one.
      if (id === '' || (nameIds.length === 0 && found.has(id))) continue
      if (found.has(id)) problems.push(`two participants have the id ${id}`)
      const name = nameIds
        .flatMap((nameId) => this.#childrenOf(nameId, 'name'))
        .find((child) => child.text !== '')?.text
      const calling = callingOf(element)
      found.set(id, {
        id,
        uris: nameIds.map((nameId) => this.#aorOf(nameId)).filter((uri) => uri !== ''),
        ...(name !== undefined && { name }),
        ...(calling !== undefined && { calling }),
      })
    }
    return found
  }

  #aorOf(nameId: XmlElement): string {
    const aor = nameId.attributes.get('aor') ?? this.#childrenOf(nameId, 'aor')[0]?.text ?? ''
    return withScheme(aor.trim())
  }

  labels(): Map<string, string> {
    const found = new Map<string, string>()
    for (const stream of this.all('stream')) {
      const id = idOf(stream, 'stream_id')
      const label = this.#childrenOf(stream, 'label')[0]?.text ?? ''
      if (id !== '' && label !== '') found.set(id, label)
    }
    return found
  }

  /** From the associations; without any for a participant, from `send` and `recv` inside it, as the drafts had it. */
  sending(): Map<string, MetadataSending> {
    const found = new Map<string, MetadataSending>()
    for (const element of this.all('participant')) {
      const sending = this.#sendingOf(element)
      if (sending.send.length + sending.receive.length > 0) found.set(idOf(element, 'participant_id'), sending)
    }
    for (const element of this.all('participantstreamassoc')) {
      const id = this.#referenceOf(element, 'participant')
      if (id !== '') found.set(id, this.#sendingOf(element))
    }
    return found
  }

  #sendingOf(element: XmlElement): MetadataSending {
    const ids = (name: string) =>
      this.#childrenOf(element, name)
        .map((child) => child.text)
        .filter((id) => id !== '')
    return { send: ids('send'), receive: ids('recv') }
  }

  presence(): Map<string, Map<string, boolean>> {
    const found = new Map<string, Map<string, boolean>>()
    for (const element of this.all('participantsessionassoc')) {
      const participant = this.#referenceOf(element, 'participant')
      if (participant === '') continue
      const sessions = found.get(participant) ?? new Map<string, boolean>()
      found.set(participant, sessions.set(this.#referenceOf(element, 'session'), this.#isPresent(element)))
    }
    return found
  }

  /** Left, unless it came back later than it left: a participant may come and go several times. */
  #isPresent(association: XmlElement): boolean {
    const left = this.#latest(association, 'disassociate-time')
    return left === undefined || (this.#latest(association, 'associate-time') ?? Number.NEGATIVE_INFINITY) > left
  }

  /** A time that cannot be read is the oldest there is. */
  #latest(association: XmlElement, name: string): number | undefined {
    const times = this.#childrenOf(association, name).map((child) => Date.parse(child.text) || 0)
    return times.length === 0 ? undefined : Math.max(...times)
  }

  /** `participant_id="x"`, `participant="x"`, or a child element of that name. */
  #referenceOf(element: XmlElement, what: 'participant' | 'session'): string {
    const attribute = element.attributes.get(`${what}_id`) ?? element.attributes.get(what)
    return attribute ?? this.#childrenOf(element, what)[0]?.text ?? (what === 'participant' ? idOf(element, 'id') : '')
  }
}

const idOf = (element: XmlElement, attribute: string): string =>
  element.attributes.get(attribute) ?? element.attributes.get('id') ?? ''

/** Oracle says `callingParty` in its extension data, others `role` in the participant. */
function callingOf(element: XmlElement): boolean | undefined {
  for (const child of element.children) {
    if (child.name === 'callingparty' && /^(true|false)$/i.test(child.text)) return /true/i.test(child.text)
    if (child.name === 'role' && /^call(ing|er|ed|ee)$/i.test(child.text)) return /^call(ing|er)$/i.test(child.text)
    const inside = child.name === 'extensiondata' ? callingOf(child) : undefined
    if (inside !== undefined) return inside
  }
  return undefined
}

/** `bob@example.com` is a SIP address, `+1 202 555 0123` a telephone number; anything with a scheme stays. */
function withScheme(aor: string): string {
  if (aor === '' || /^[a-z][a-z0-9+.-]*:(?!\d+$)/i.test(aor)) return aor
  return /^\+?[\d\s().-]+$/.test(aor) ? `tel:${aor.replaceAll(/[\s()]/g, '')}` : `sip:${aor}`
}
