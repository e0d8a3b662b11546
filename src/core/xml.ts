/**
 * A small tree of an XML document from a stranger: bounded, without DTD and entities, as much of it as can be read.
 *
 * A fault does not end the reading: recorders meet documents with a raw `&` or a forgotten end tag, and what stands
 * before and after is worth having. Each fault is told in `problems`.
 */
import { SaxesParser } from 'saxes'

/** 1 MiB: real documents are under 50 kB. */
export const maxXmlBytes = 1_048_576
const maxXmlDepth = 32
const maxXmlElements = 20_000
const maxProblems = 20
/** Each fault costs as much as a hundred octets; after so many of them the rest is left unread. */
const maxFaults = 500

export interface XmlElement {
  /** Local name in lower case: the field writes `dataMode` and `datamode`. */
  readonly name: string
  /** The local name as it was written. */
  readonly written: string
  readonly namespace: string
  /** By local name in lower case. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** All text inside, that of the children included, trimmed. */
  readonly text: string
}

export interface XmlDocument {
  readonly root?: XmlElement
  readonly problems: readonly string[]
  /** The document as it came, in its charset; of one that is too large the beginning. */
  readonly text: string
}

interface Building {
  name: string
  written: string
  namespace: string
  attributes: Map<string, string>
  children: Building[]
  text: string
}

/** @param charset Of the MIME part; it beats the XML declaration (RFC 7303 §3). */
export function parseXml(bytes: Uint8Array, charset?: string): XmlDocument {
  const { text, problem } = decode(bytes.subarray(0, maxXmlBytes), charset)
  if (bytes.length > maxXmlBytes) return { problems: [`larger than ${maxXmlBytes} bytes`], text }
  const first = read(text.trimStart())
  // An address of record with a bare `&` is the commonest fault; what it breaks is read again with the `&` escaped.
  const escaped = first.problems.length > 0 ? text.replaceAll(bareAmpersand, '&amp;') : text
  const { root } = escaped === text ? first : read(escaped.trimStart())
  const problems = [...problem, ...first.problems]
  return root ? { root, problems, text } : { problems: [...problems, 'no element could be read'], text }
}

const bareAmpersand = /&(?!#\d+;|#x[0-9a-f]+;|(?:amp|lt|gt|quot|apos);)/gi

function read(text: string): Pick<XmlDocument, 'root' | 'problems'> {
  const problems: string[] = []
  const problem = (fault: string): void => {
    if (problems.length < maxProblems) problems.push(fault)
  }
  let faults = 0
  const builder = new TreeBuilder()
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    problem(error.message)
    if (++faults === maxFaults) throw new Error('too many faults')
  })
  parser.on('doctype', () => {
    throw new Refused('a DTD is not read')
  })
  parser.on('opentag', (tag) => builder.open(tag.local, tag.uri, Object.values(tag.attributes)))
  parser.on('closetag', () => builder.close())
  parser.on('text', (part) => builder.text(part))
  parser.on('cdata', (part) => builder.text(part))
  try {
    parser.write(text).close()
  } catch (error) {
    problem(error instanceof Error ? error.message : String(error))
    if (error instanceof Refused) return { problems }
  }
  return builder.root ? { root: finish(builder.root), problems } : { problems }
}

/** What ends the reading: hostile rather than careless. */
class Refused extends Error {}

class TreeBuilder {
  root: Building | undefined
  readonly #open: Building[] = []
  #elements = 0

  open(name: string, namespace: string, attributes: readonly { local: string; value: string }[]): void {
    if (++this.#elements > maxXmlElements) throw new Refused(`more than ${maxXmlElements} elements`)
    if (this.#open.length >= maxXmlDepth) throw new Refused(`deeper than ${maxXmlDepth} elements`)
    const element: Building = {
      name: name.toLowerCase(),
      written: name,
      namespace,
      attributes: new Map(attributes.map(({ local, value }) => [local.toLowerCase(), value.trim()])),
      children: [],
      text: '',
    }
    const parent = this.#open.at(-1)
    if (parent) parent.children.push(element)
    else this.root ??= element
    this.#open.push(element)
  }

  close(): void {
    const closed = this.#open.pop()
    const parent = this.#open.at(-1)
    if (closed && parent) parent.text += closed.text
  }

  text(part: string): void {
    const current = this.#open.at(-1)
    if (current) current.text += part
  }
}

function finish(element: Building): XmlElement {
  return { ...element, text: element.text.trim(), children: element.children.map(finish) }
}

function decode(bytes: Uint8Array, charset?: string): { text: string; problem: readonly string[] } {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 200)).toString('latin1')
  const declared = /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([^"']+)/.exec(head)?.[1]
  const name = charset ?? declared ?? 'utf-8'
  try {
    // Fatal: what claims to be UTF-8 and is not, is Latin-1 of a client that never heard of either.
    return { text: new TextDecoder(name, { fatal: true }).decode(bytes), problem: [] }
  } catch (error) {
    if (error instanceof RangeError)
      return { text: lenient(bytes), problem: [`unknown charset ${name}, read as UTF-8`] }
    return { text: new TextDecoder('latin1').decode(bytes), problem: [`not ${name}, read as Latin-1`] }
  }
}

const lenient = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
