/**
 * Reads one document of recording metadata (RFC 7865).
 *
 *   session.ts ── bytes of the metadata part ─▶  parseMetadata ─▶ MetadataDocument ─▶ merge.ts ─▶ attribution.ts
 *
 * Reads the RFC and what the field sends in its name: four namespaces or none, prefixes, `id`/`session` for
 * `participant_id`/`session_id`, `send` and times inside the participant, `aor` as an element, addresses without a
 * scheme, elements in any order. A fault in the document is told in `problems`; the rest of it counts.
 */
import { parseXml, type XmlElement } from '../../../core/xml.ts'
import {
  type MetadataDocument,
  type MetadataGroup,
  type MetadataName,
  type MetadataParticipant,
  type MetadataReason,
  type MetadataSession,
  type MetadataStream,
  noMetadata,
} from '../model.ts'
import { withScheme } from './addresses.ts'
import { presenceOf, sendingOf } from './associations.ts'
import { Elements, idOf, isKnownNamespace } from './elements.ts'
import { callersOf, callingOf, extensionsOf } from './extensions.ts'

const rootNames = new Set(['recording', 'recording_metadata'])

/**
 * Never throws. What cannot be read at all, and what is no recording, is a partial document with its problems: it takes
 * away nothing of what was known.
 * @param charset Of the Content-Type; it beats what the XML declares (RFC 7303 §3).
 */
export function parseMetadata(bytes: Uint8Array, charset?: string): MetadataDocument {
  const { root, problems: found, text: raw } = parseXml(bytes, charset)
  const problems = [...found]
  if (!root) return { ...noMetadata, mode: 'partial', raw, problems, extensions: [] }
  const isRecording = rootNames.has(root.name)
  if (!isRecording) problems.push(`the root is <${root.name}>, not <recording>`)
  if (!isKnownNamespace(root.namespace)) problems.push(`unknown namespace ${root.namespace}`)
  const elements = new Elements(root)
  const extensions = extensionsOf(root, elements)
  const model = {
    groups: groupsOf(elements),
    sessions: sessionsOf(elements),
    participants: participantsOf(elements, problems),
    streams: streamsOf(elements, problems),
  }
  problems.push(...sharedIds(model))
  return {
    ...model,
    mode: isRecording && !isPartial(elements) ? 'complete' : 'partial',
    sending: sendingOf(elements),
    presence: presenceOf(elements),
    callers: callersOf(extensions),
    raw,
    problems,
    extensions,
  }
}

const isPartial = (elements: Elements): boolean => elements.all('datamode')[0]?.text.toLowerCase() === 'partial'

function groupsOf(elements: Elements): Map<string, MetadataGroup> {
  const found = new Map<string, MetadataGroup>()
  for (const element of elements.all('group')) {
    const id = idOf(element, 'group_id')
    if (id === '') continue
    const associatedAtMs = elements.timeOf(element, 'associate-time')
    const disassociatedAtMs = elements.timeOf(element, 'disassociate-time')
    found.set(id, { id, ...known({ associatedAtMs, disassociatedAtMs }) })
  }
  return found
}

/** The drafts had `associate-time` in the session where the RFC has `start-time`. */
function sessionsOf(elements: Elements): Map<string, MetadataSession> {
  const found = new Map<string, MetadataSession>()
  for (const element of elements.all('session')) {
    const id = idOf(element, 'session_id')
    if (id === '') continue
    const sipSessionIds = elements.textsOf(element, 'sipsessionid')
    const reasons = elements.childrenOf(element, 'reason').map(reasonOf)
    const groupId = elements.textsOf(element, 'group-ref')[0] ?? element.attributes.get('group')
    const startedAtMs = elements.timeOf(element, 'start-time', 'associate-time')
    const stoppedAtMs = elements.timeOf(element, 'stop-time', 'disassociate-time')
    found.set(id, {
      id,
      ...known({ groupId, startedAtMs, stoppedAtMs }),
      ...(sipSessionIds.length > 0 && { sipSessionIds }),
      ...(reasons.length > 0 && { reasons }),
    })
  }
  for (const element of elements.all('sessionrecordingassoc')) {
    const id = elements.referenceOf(element, 'session')
    if (id === '') continue
    const fromMs = elements.timeOf(element, 'associate-time')
    const untilMs = elements.timeOf(element, 'disassociate-time')
    const session = found.get(id) ?? { id }
    found.set(id, { ...session, recorded: [...(session.recorded ?? []), known({ fromMs, untilMs })] })
  }
  return found
}

/** RFC 7865 §6.3.1: as in the Reason header (RFC 3326), SIP when no protocol is named. */
function reasonOf({ attributes, text }: XmlElement): MetadataReason {
  const cause = Number.parseInt(attributes.get('cause') ?? '', 10)
  return {
    protocol: attributes.get('protocol') ?? 'SIP',
    ...(Number.isInteger(cause) && { cause }),
    ...(text !== '' && { text }),
  }
}

function participantsOf(elements: Elements, problems: string[]): Map<string, MetadataParticipant> {
  const found = new Map<string, MetadataParticipant>()
  for (const element of elements.all('participant')) {
    const id = idOf(element, 'participant_id')
    const nameIds = elements.childrenOf(element, 'nameid')
    // A `participant` without a name inside an association is a reference to one.
    if (id === '' || (nameIds.length === 0 && found.has(id))) continue
    if (found.has(id)) problems.push(`two participants have the id ${id}`)
    const calling = callingOf(element)
    found.set(id, {
      id,
      uris: nameIds.map((nameId) => aorOf(elements, nameId)).filter((uri) => uri !== ''),
      names: nameIds
        .flatMap((nameId) => elements.childrenOf(nameId, 'name'))
        .filter(({ text }) => text !== '')
        .map(nameOf),
      ...(calling !== undefined && { calling }),
    })
  }
  return found
}

function nameOf({ text, attributes }: XmlElement): MetadataName {
  const lang = attributes.get('lang')
  return lang === undefined ? { text } : { text, lang }
}

const aorOf = (elements: Elements, nameId: XmlElement): string =>
  withScheme((nameId.attributes.get('aor') ?? elements.childrenOf(nameId, 'aor')[0]?.text ?? '').trim())

/** Avaya's client sends a stream with an empty id until the call is answered: that is none. */
function streamsOf(elements: Elements, problems: string[]): Map<string, MetadataStream> {
  const found = new Map<string, MetadataStream>()
  for (const element of elements.all('stream')) {
    const id = idOf(element, 'stream_id')
    if (id === '') continue
    if (found.has(id)) problems.push(`two streams have the id ${id}`)
    const sessionId = element.attributes.get('session_id') ?? element.attributes.get('session')
    const label = elements.textsOf(element, 'label')[0]
    found.set(id, { id, ...known({ sessionId, label }) })
  }
  return found
}

/** One id for two different elements is a fault (RFC 7865 §6.10); it is told, and each is taken as what it is. */
function sharedIds(model: Readonly<Record<string, ReadonlyMap<string, unknown>>>): string[] {
  const uses = Object.entries(model).flatMap(([kind, found]) => [...found.keys()].map((id) => ({ kind, id })))
  return [...Map.groupBy(uses, ({ id }) => id)]
    .filter(([, users]) => users.length > 1)
    .map(([id, users]) => `the id ${id} is used by ${users.map(({ kind }) => kind).join(' and ')}`)
}

/** Without the fields that are undefined. */
function known<Fields extends object>(fields: Fields): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]?: Exclude<Fields[Key], undefined>
  }
}
