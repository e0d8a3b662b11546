/**
 * The elements of a metadata document that are the recording's own, apart from foreign extensions, in whatever of the
 * dialects: four namespaces or none, prefixes, `id` for `participant_id`.
 */
import type { XmlElement } from '../../../core/xml.ts'
import { parseTime } from './times.ts'

/** Namespaces of RFC 7865, of its drafts (Oracle, Ribbon, Metaswitch, AudioCodes) and of BroadWorks. */
const namespaces = new Set([
  'urn:ietf:params:xml:ns:recording:1',
  'urn:ietf:params:xml:ns:recording',
  'urn:ietf:params:xml:ns:siprec:1',
  'urn:ietf:params:xml:ns:siprec',
  '',
])

export const isKnownNamespace = (namespace: string): boolean => namespaces.has(namespace)

export class Elements {
  readonly #namespace: string
  readonly #elements: XmlElement[] = []

  constructor(root: XmlElement) {
    this.#namespace = root.namespace
    this.#collect(root)
  }

  /** In document order, wherever they stand: a forgotten end tag nests what follows. */
  #collect(element: XmlElement): void {
    for (const child of element.children) {
      if (!this.isOwn(child)) continue
      this.#elements.push(child)
      this.#collect(child)
    }
  }

  isOwn(element: XmlElement): boolean {
    return element.namespace === this.#namespace || namespaces.has(element.namespace)
  }

  /** @param name In lower case. */
  all(name: string): XmlElement[] {
    return this.#elements.filter((element) => element.name === name)
  }

  childrenOf(element: XmlElement, name: string): XmlElement[] {
    return element.children.filter((child) => child.name === name && this.isOwn(child))
  }

  /** Texts of the children of that name that say something. */
  textsOf(element: XmlElement, name: string): string[] {
    return this.childrenOf(element, name)
      .map(({ text }) => text)
      .filter((text) => text !== '')
  }

  /** Of the first child of one of the names that has a time that can be read. */
  timeOf(element: XmlElement, ...names: readonly string[]): number | undefined {
    return names
      .flatMap((name) => this.textsOf(element, name))
      .map(parseTime)
      .find((time) => time !== undefined)
  }

  /** `participant_id="x"`, `participant="x"`, or a child element of that name. */
  referenceOf(element: XmlElement, what: 'participant' | 'session'): string {
    const attribute = element.attributes.get(`${what}_id`) ?? element.attributes.get(what)
    return attribute ?? this.childrenOf(element, what)[0]?.text ?? (what === 'participant' ? idOf(element, 'id') : '')
  }
}

/** `participant_id`, or `id` as the drafts had it; '' without either. */
export const idOf = (element: XmlElement, attribute: string): string =>
  element.attributes.get(attribute) ?? element.attributes.get('id') ?? ''
