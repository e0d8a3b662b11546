/** The event package `reg`: by which devices an address of record is registered. RFC 3680. */
import { isDeepStrictEqual } from 'node:util'
import { parseXml, type XmlElement } from '../../core/xml.ts'
import { element, text, xmlDeclaration } from '../../core/xml-print.ts'
import type { EventPackage } from '../subscription/types.ts'

export const reginfoType = 'application/reginfo+xml'

export interface RegisteredContact {
  /** Unique in the document, and the same from document to document. */
  readonly id: string
  readonly uri: string
  readonly state: 'active' | 'terminated'
  /** What brought it into that state: `registered`, `expired`, `unregistered`. */
  readonly event: string
}

export interface RegistrationInfo {
  readonly aor: string
  readonly state: 'init' | 'active' | 'terminated'
  readonly contacts: readonly RegisteredContact[]
}

/** The package, given who may watch and which devices are registered now. */
export const regPackage = (
  source: Pick<EventPackage<readonly RegisteredContact[]>, 'admit' | 'state'>,
): EventPackage<readonly RegisteredContact[]> => ({
  ...source,
  name: 'reg',
  contentType: reginfoType,
  spacingMs: 5_000, // §4.10
  write: (contacts, { entity, version, told }) => {
    if (told && isDeepStrictEqual(contacts, told)) return undefined
    const gone = (told ?? []).filter(({ id }) => !contacts.some((each) => each.id === id)).map(asGone)
    const state = contacts.length > 0 ? 'active' : gone.length > 0 ? 'terminated' : 'init'
    return writeReginfo([{ aor: entity, state, contacts: [...contacts, ...gone] }], version)
  },
})

const asGone = ({ id, uri }: RegisteredContact): RegisteredContact => ({
  id,
  uri,
  state: 'terminated',
  event: 'unregistered',
})

/** A full document. */
export function writeReginfo(registrations: readonly RegistrationInfo[], version: number): string {
  const written = registrations.map(({ aor, state, contacts }, index) =>
    element(
      'registration',
      { aor, id: `r${index}`, state },
      ...contacts.map((contact) => {
        const { id, uri, event } = contact
        return element('contact', { id, state: contact.state, event }, element('uri', {}, text(uri)))
      }),
    ),
  )
  const attributes = { xmlns: 'urn:ietf:params:xml:ns:reginfo', version, state: 'full' }
  return xmlDeclaration + element('reginfo', attributes, ...written)
}

/** undefined when it is no reginfo. */
export function readReginfo(body: Uint8Array): readonly RegistrationInfo[] | undefined {
  const { root } = parseXml(body)
  if (root?.name !== 'reginfo') return undefined
  return root.children.filter(({ name }) => name === 'registration').map(readRegistration)
}

function readRegistration({ attributes, children }: XmlElement): RegistrationInfo {
  const said = attributes.get('state')
  return {
    aor: attributes.get('aor') ?? '',
    state: said === 'active' || said === 'terminated' ? said : 'init',
    contacts: children
      .filter(({ name }) => name === 'contact')
      .map((contact) => ({
        id: contact.attributes.get('id') ?? '',
        uri: contact.children.find(({ name }) => name === 'uri')?.text ?? '',
        state: contact.attributes.get('state') === 'terminated' ? 'terminated' : 'active',
        event: contact.attributes.get('event') ?? '',
      })),
  }
}
