/**
 * Foreign data in metadata: what no RFC names, in whatever element it stands (RFC 7865 §6, `extensiondata`).
 *
 *   <session …><extensiondata><apkt:ucid>00FA…</apkt:ucid></extensiondata></session>
 *      ─▶  { of: 'session', id: …, namespace: 'http://acmepacket.com/…', path: 'ucid', value: '00FA…' }
 *
 * Every value is kept as it is; what it means is for vendor.ts. Who called is read here, since the attribution of
 * streams needs it.
 */
import type { XmlElement } from '../../../core/xml.ts'
import type { VendorExtension } from '../../../events/siprec.ts'
import { userOf } from './addresses.ts'
import { type Elements, idOf } from './elements.ts'

/** Real documents have under twenty. */
const maxExtensions = 64
const maxValueLength = 1_024

/** Elements of RFC 7865 and its drafts; any other name is an extension, whatever its namespace. */
const places = new Set([
  'recording',
  'group',
  'session',
  'participant',
  'stream',
  'sessionrecordingassoc',
  'participantsessionassoc',
  'participantstreamassoc',
])
const parts = 'datamode extensiondata nameid name aor sipsessionid reason group-ref param send recv label id mode'
const times = 'associate-time disassociate-time start-time stop-time'
const standard = new Set([...places, ...parts.split(' '), ...times.split(' ')])

type Place = Pick<VendorExtension, 'of' | 'id'>

export function extensionsOf(root: XmlElement, elements: Elements): VendorExtension[] {
  const found: VendorExtension[] = []
  const keep = (place: Place, namespace: string, path: string, value: string): void => {
    if (value === '' || found.length >= maxExtensions) return
    found.push({ ...place, namespace, path, value: value.slice(0, maxValueLength) })
  }

  const walk = (element: XmlElement, place: Place): void => {
    for (const child of element.children) {
      if (!standard.has(child.name) || !elements.isOwn(child)) {
        keepAll(child, place, '')
        continue
      }
      const id = idOf(child, `${child.name}_id`)
      walk(child, places.has(child.name) ? { of: child.name, ...(id !== '' && { id }) } : place)
    }
  }

  const keepAll = (element: XmlElement, place: Place, above: string): void => {
    const which = ['label', 'name', 'key'].find((name) => element.attributes.has(name))
    const own = which === undefined ? element.written : `${element.written}[${element.attributes.get(which)}]`
    const path = above === '' ? own : `${above}/${own}`
    for (const [name, value] of element.attributes) {
      if (name !== which && !isDeclaration(name)) keep(place, element.namespace, `${path}@${name}`, value)
    }
    if (element.children.length === 0) keep(place, element.namespace, path, element.text)
    for (const child of element.children) keepAll(child, place, path)
  }

  walk(root, { of: 'recording' })
  return found
}

/** Prefixes, and the language of a text: nothing about the call. */
const isDeclaration = (attribute: string): boolean => ['xmlns', 'lang', 'schemalocation'].includes(attribute)

/** Oracle says `callingParty` in its extension data, others `role` in the participant. */
export function callingOf(element: XmlElement): boolean | undefined {
  for (const child of element.children) {
    if (child.name === 'callingparty' && /^(true|false)$/i.test(child.text)) return /true/i.test(child.text)
    if (child.name === 'role' && /^call(ing|er|ed|ee)$/i.test(child.text)) return /^call(ing|er)$/i.test(child.text)
    const inside = child.name === 'extensiondata' ? callingOf(child) : undefined
    if (inside !== undefined) return inside
  }
  return undefined
}

/** Ribbon gives the From header of the call, BroadWorks the calling number, others the like. */
const callersPath = /(^|\/)(fromhdr|callingpartynumber|callingnumber|callernumber|calleruri)$/i
/** Has called and calling number the wrong way round. */
const swapped = 'http://jambonz.org/siprec'

/** Users of the addresses that are said to have called. */
export const callersOf = (extensions: readonly VendorExtension[]): string[] =>
  extensions
    .filter(({ namespace, path }) => namespace !== swapped && callersPath.test(path))
    .map(({ value }) => userOf(value))
    .filter((user) => user !== '')
