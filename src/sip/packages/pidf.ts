/**
 * The event package `presence`: whether somebody can be reached, and what they do. RFC 3856, 3863 (PIDF), 4480 (RPID).
 *
 * Read from what phones publish: open or closed, activities and notes. What else a document holds is not kept.
 */
import { isDeepStrictEqual } from 'node:util'
import { parseXml, type XmlElement } from '../../core/xml.ts'
import { element, text, xmlDeclaration } from '../../core/xml-print.ts'
import type { EventPackage } from '../subscription/types.ts'

export const pidfType = 'application/pidf+xml'
const namespaces = {
  xmlns: 'urn:ietf:params:xml:ns:pidf',
  'xmlns:dm': 'urn:ietf:params:xml:ns:pidf:data-model',
  'xmlns:rpid': 'urn:ietf:params:xml:ns:pidf:rpid',
}
const rpidNamespace = namespaces['xmlns:rpid']

export interface Presence {
  /** Somebody would take a call (RFC 3863 §4.1.4). */
  readonly open: boolean
  /** Names of RPID: `on-the-phone`, `busy`, `away`. */
  readonly activities: readonly string[]
  /** In words, for people. */
  readonly notes: readonly string[]
}

/** The package, given who may watch and how somebody is now. */
export const presencePackage = (source: Pick<EventPackage<Presence>, 'admit' | 'state'>): EventPackage<Presence> => ({
  ...source,
  name: 'presence',
  contentType: pidfType,
  spacingMs: 5_000, // RFC 3856 §6.10
  write: (presence, { entity, told }) =>
    told && isDeepStrictEqual(presence, told) ? undefined : writePidf(presence, entity),
})

export function writePidf({ open, activities, notes }: Presence, entity: string): string {
  const words = notes.map((note) => element('note', {}, text(note)))
  const status = element('status', {}, element('basic', {}, open ? 'open' : 'closed'))
  const tuple = element('tuple', { id: 'line' }, status, element('contact', {}, text(entity)), ...words)
  const doing = activities.filter((name) => activityName.test(name)).map((name) => element(`rpid:${name}`, {}))
  const person =
    doing.length === 0 ? [] : [element('dm:person', { id: 'who' }, element('rpid:activities', {}, ...doing))]
  return xmlDeclaration + element('presence', { ...namespaces, entity }, tuple, ...person)
}

const activityName = /^[a-z][a-z-]{0,31}$/
/** A note is a line on a phone's display. */
const maxNote = 200
const maxNotes = 5
const maxActivities = 10

/** undefined when it is no PIDF document. Several tuples: open when one of them is. */
export function readPidf(body: Uint8Array): Presence | undefined {
  const { root } = parseXml(body)
  if (root?.name !== 'presence') return undefined
  const tuples = root.children.filter(({ name }) => name === 'tuple')
  const basics = tuples.flatMap((tuple) => inside(tuple, 'status')).flatMap((status) => inside(status, 'basic'))
  const activities = root.children
    .filter(({ name }) => name === 'person')
    .flatMap((person) => inside(person, 'activities'))
    .flatMap(({ children }) => children)
    .filter(({ namespace, name }) => namespace === rpidNamespace && activityName.test(name) && name !== 'unknown')
    .map(({ name }) => name)
  const notes = [...tuples, ...root.children.filter(({ name }) => name === 'person'), root]
    .flatMap((element) => inside(element, 'note'))
    .map((note) => note.text.slice(0, maxNote))
    .filter((note) => note !== '')
  return {
    open: basics.some((basic) => basic.text.toLowerCase() === 'open'),
    activities: [...new Set(activities)].slice(0, maxActivities),
    notes: [...new Set(notes)].slice(0, maxNotes),
  }
}

const inside = ({ children }: XmlElement, wanted: string): readonly XmlElement[] =>
  children.filter(({ name }) => name === wanted)
