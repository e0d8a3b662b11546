/** Who sends what, and who was in which session when: the associations of a document (RFC 7865 §6.8, §6.9). */
import type { XmlElement } from '../../../core/xml.ts'
import type { MetadataSpan } from '../../../events/siprec.ts'
import type { MetadataPresence, MetadataSending } from '../model.ts'
import { type Elements, idOf } from './elements.ts'
import { parseTime } from './times.ts'

/** From the associations; without any for a participant, from `send` and `recv` inside it, as the drafts had it. */
export function sendingOf(elements: Elements): Map<string, MetadataSending> {
  const found = new Map<string, MetadataSending>()
  for (const element of elements.all('participant')) {
    const { send, receive } = oneSending(elements, element)
    if (send.length + receive.length > 0) found.set(idOf(element, 'participant_id'), { send, receive })
  }
  for (const element of elements.all('participantstreamassoc')) {
    const id = elements.referenceOf(element, 'participant')
    if (id !== '') found.set(id, oneSending(elements, element))
  }
  return found
}

function oneSending(elements: Elements, element: XmlElement): MetadataSending {
  const associatedAtMs = elements.timeOf(element, 'associate-time')
  const disassociatedAtMs = elements.timeOf(element, 'disassociate-time')
  return {
    send: elements.textsOf(element, 'send'),
    receive: elements.textsOf(element, 'recv'),
    ...(associatedAtMs !== undefined && { associatedAtMs }),
    ...(disassociatedAtMs !== undefined && { disassociatedAtMs }),
  }
}

/** Participant id to session id; the drafts had the session and the times in the participant. */
export function presenceOf(elements: Elements): Map<string, Map<string, MetadataPresence>> {
  const visits = new Map<string, Map<string, XmlElement[]>>()
  const visit = (participant: string, session: string, element: XmlElement): void => {
    const sessions = visits.get(participant) ?? new Map<string, XmlElement[]>()
    visits.set(participant, sessions.set(session, [...(sessions.get(session) ?? []), element]))
  }
  for (const element of elements.all('participantsessionassoc')) {
    const participant = elements.referenceOf(element, 'participant')
    if (participant !== '') visit(participant, elements.referenceOf(element, 'session'), element)
  }
  for (const element of elements.all('participant')) {
    const participant = idOf(element, 'participant_id')
    const session = element.attributes.get('session') ?? ''
    if (session !== '' && !visits.get(participant)?.has(session)) visit(participant, session, element)
  }
  return new Map(
    [...visits].map(([participant, sessions]) => [
      participant,
      new Map([...sessions].map(([session, found]) => [session, onePresence(elements, found)])),
    ]),
  )
}

/** @param visits The associations of one participant with one session, one for each time it came. */
function onePresence(elements: Elements, visits: readonly XmlElement[]): MetadataPresence {
  const times = (element: XmlElement, name: string) => elements.textsOf(element, name).map(parseTime)
  const joined = visits.map((element) => times(element, 'associate-time'))
  const left = visits.map((element) => times(element, 'disassociate-time'))
  return {
    present: isOpen(visits, left) || latest(joined.flat()) > latest(left.flat()),
    spans: visits.flatMap((_, index) => spansOf(joined[index] ?? [], left[index] ?? [])),
    params: visits.flatMap((element) =>
      elements.childrenOf(element, 'param').map(({ attributes, text }) => ({
        name: attributes.get('pname') ?? '',
        value: attributes.get('pval') ?? text,
      })),
    ),
  }
}

type Times = readonly (number | undefined)[]

/** Some visit has not ended. */
const isOpen = (visits: readonly XmlElement[], left: readonly Times[]): boolean =>
  visits.some((_, index) => left[index]?.length === 0)

/** A time that cannot be read is the oldest there is. */
const latest = (times: Times): number =>
  times.reduce<number>((max, time) => Math.max(max, time ?? 0), Number.NEGATIVE_INFINITY)

/** One element may hold several comings and goings, in their order. */
function spansOf(joined: Times, left: Times): MetadataSpan[] {
  return Array.from({ length: Math.max(joined.length, left.length) }, (_, index) => {
    const [fromMs, untilMs] = [joined[index], left[index]]
    return { ...(fromMs !== undefined && { fromMs }), ...(untilMs !== undefined && { untilMs }) }
  })
}
